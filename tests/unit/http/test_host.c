/* test_host.c - the names by which a client may address this service. */

#include <criterion/criterion.h>
#include <string.h>

#include "http/host.h"

#define LIST "payhook.internal, Other.Example\tshort"

Test(host, takes_names_with_commas_or_blanks_between_them)
{
	const char *good[] = {"", " ", ",", "a", "a,b", "a, b", LIST, "a-b.c_d.1.example", "xn--bcher-kva.example"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(host_list_check(good[i], &f), "%s: %s", good[i], f.text);
}

Test(host, refuses_what_is_no_name)
{
	const char *bad[] = {"a:80", "http://a", "a/b", "*.example", ".example", "a..b", "a.", "a,b:80", "[::1]",
		"a\nb", "b\xc3\xbc.example"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_not(host_list_check(bad[i], &f), "%s", bad[i]);
		cr_expect_not_null(strstr(f.text, "is not the name of a host"), "%s", f.text);
	}
	char longest[260] = "";
	for (size_t n = 0; n < 253; n++)
		longest[n] = n % 2 ? '.' : 'a';
	cr_expect(host_list_check(longest, &f), "%s", f.text);
	memcpy(longest + 253, ".a", 3);
	cr_expect_not(host_list_check(longest, &f));
}

Test(host, allows_addresses_localhost_and_the_list)
{
	const char *good[] = {NULL, "", "localhost", "localhost:8000", "LocalHost", "localhost.", "localhost.:80",
		"localhost:", "127.0.0.1", "203.0.113.7:80", "10.0.0.1.", "[::1]", "[2001:db8::1]:8080",
		"[::ffff:10.1.2.3]", "payhook.internal", "PAYHOOK.internal:443", "other.example.", "short"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(host_is_allowed(good[i], LIST), "%s", good[i] ? good[i] : "none");
}

Test(host, allows_nothing_else)
{
	const char *bad[] = {"evil.example", "localhost.evil.example", "evil.localhost", "127.0.0.1.evil.example",
		"payhook", "internal", "payhook.internal.evil.example", "xpayhook.internal", "payhook.interna",
		"example", ".", ":80", "..", "localhost..", "localhost:80:80", "localhost:80x", "user@localhost", "::1",
		"[::1", "[::1]x", "[]", "[localhost]", "[127.0.0.1]", "[::1.]", "127.1", "0x7f.0.0.1", "2130706433",
		"127.0.0.1,evil.example", " localhost", "payhook.internal, Other.Example", "short,"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(host_is_allowed(bad[i], LIST), "%s", bad[i]);
	cr_expect_not(host_is_allowed("payhook.internal", ""));
	char longest[300];
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	cr_expect_not(host_is_allowed(longest, longest));
}
