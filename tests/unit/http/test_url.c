/* test_url.c - which URLs PROCESSOR_URL may contain. */

#include <criterion/criterion.h>
#include <string.h>

#include "http/url.h"

static void accepts(const char *url)
{
	struct fault f = {FAULT_BUG, "untouched"};
	cr_expect(url_check(url, &f), "%s is refused: %s", url, f.text);
	cr_expect_str_eq(f.text, "untouched");
}

static void refuses(const char *url, const char *why)
{
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(url_check(url, &f), "%s is accepted", url);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "%s: \"%s\" lacks \"%s\"", url, f.text, why);
}

Test(url, accepts_http_and_https)
{
	accepts("http://a");
	accepts("https://processor.example/v1/payments");
	accepts("HTTPS://Processor.Example/");
	accepts("http://10.0.0.1:8080/x?y=z&at=a@b");
	accepts("http://a?x");
	accepts("http://a/%20/@b:c");
	accepts("http://under_score-host.example.:65535");
	accepts("http://[::1]:1/x");
	accepts("http://[2001:db8::7]/");
}

Test(url, refuses_other_schemes_and_none)
{
	const char *bad[] = {"", "a", "a/b", "ftp://a", "file:///etc/passwd", "http:/a", "http:a", "//a", " http://a"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], "neither http:// nor https://");
}

Test(url, refuses_credentials_without_quoting_them)
{
	const char *bad[] = {
		"https://user:hunter2@a/", "https://user@a", "https://@a", "https://a:1@b", "http://a@b?c"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], "password");
	struct fault f;
	cr_expect_not(url_check(bad[0], &f));
	cr_expect_null(strstr(f.text, "hunter2"));
}

Test(url, refuses_what_is_no_host)
{
	const char *bad[] = {"http://", "http:///x", "http://?x", "http://:80/", "http://[]/", "http://[::1/",
		"http://[v1.a]/", "http://[127.0.0.1]/", "http://\\a/",
		"http://[1234:1234:1234:1234:1234:1234:1234:1234:1234]/",
		"http://[0000000000000000000000000000000000000000000000000000000000001]/"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], "no host");
	char longer[300] = "http://";
	memset(longer + 7, 'a', 253);
	accepts(longer);
	longer[260] = 'a';
	refuses(longer, "no host");
}

Test(url, refuses_what_is_no_port)
{
	const char *bad[] = {"http://a:", "http://a:0/", "http://a:65536", "http://a:-1", "http://a:8080x",
		"http://a:b", "http://a:99999999999999999999", "http://a%41/", "http://[::1]x", "http://a:80:80",
		"http://a,b/"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], "no port");
}

Test(url, refuses_bytes_that_no_request_line_holds)
{
	const char *bad[] = {"http://a b/", "http://a/ ", "http://a/\r\nX: y", "http://a/\t",
		"http://\xc3\xa4.example/", "http://a/\x7f"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], "percent-encoded");
	refuses("http://a/#b", "fragment");
}
