/* test_network.c - parsing and matching the IP addresses and networks of settings. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/network.h"

Test(network, takes_an_address_or_a_network)
{
	const char *good[] = {"10.1.2.3", "10.0.0.0/8", "fd00::/8", "::1", "0.0.0.0/0", "::/0",
		"2001:db8:1111:2222:3333:4444:5555:6666/128", "::ffff:10.1.2.3"};
	struct network n;
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(network_read(good[i], &n, &f), "%s: %s", good[i], f.text);
}

Test(network, refuses_what_is_neither)
{
	const char *bad[] = {"", "all", "10.1.2", "10.1.2.3/33", "::1/129", "10.1.2.3/", "10.1.2.3/8/8", "10.1.2.3/-1",
		"10.1.2.3; deny all", "host.example", "10.1.2.3/0008", "010.1.2.3", "::1\n", "10.1.2.3,x", "10.1.2.3 ",
		"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
	struct network n;
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		cr_expect_not(network_read(bad[i], &n, &f), "%s", bad[i]);
		cr_expect_not_null(strstr(f.text, "neither an address nor a network"), "%s", f.text);
	}
}

Test(network, takes_one_address_where_one_is_wanted)
{
	const char *bad[] = {"", "localhost", "127.0.0.1:9464", "10.0.0.0/8", "127.0.0.1 ", "[::1]"};
	struct fault f;
	cr_expect(network_address_check("127.0.0.1", &f));
	cr_expect(network_address_check("::", &f));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(network_address_check(bad[i], &f), "%s", bad[i]);
}

Test(network, knows_the_private_ones_to_their_last_address)
{
	const char *private[] = {"127.0.0.1", "127.255.255.255", "10.0.0.0", "10.255.255.255", "172.16.0.0",
		"172.31.255.255", "192.168.0.0", "192.168.255.255", "169.254.0.0", "169.254.255.255", "::1",
		"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::", "febf:ffff::1", "::ffff:127.0.0.1",
		"::ffff:10.1.2.3", "::FFFF:172.31.0.1", "::ffff:c0a8:1"};
	const char *other[] = {"", "localhost", "unix:", "126.255.255.255", "128.0.0.0", "9.255.255.255", "11.0.0.0",
		"172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "169.253.255.255", "169.255.0.0",
		"0.0.0.0", "100.64.0.1", "203.0.113.7", "::", "::2", "fbff::1", "fe00::1", "fe7f::1", "fec0::1",
		"2001:db8::1", "::10.1.2.3", "::ffff:203.0.113.7", "::ffff:0:10.1.2.3", "64:ff9b::10.1.2.3",
		"10.1.2.3 ", "10.1.2", "010.1.2.3", "[::1]", "fe80::1%eth0"};
	for (size_t i = 0; i < COUNT_OF(private); i++)
		cr_expect(network_is_private(private[i]), "%s", private[i]);
	for (size_t i = 0; i < COUNT_OF(other); i++)
		cr_expect_not(network_is_private(other[i]), "%s", other[i]);
}

static void read_one(const char *text, struct network *ret)
{
	struct fault f;
	cr_assert(network_read(text, ret, &f), "%s: %s", text, f.text);
}

Test(network, holds_its_addresses_from_the_first_to_the_last)
{
	static const struct {
		const char *network, *inside[4], *outside[6];
	} cases[] = {
		{"10.1.2.3", {"10.1.2.3", "::ffff:10.1.2.3"}, {"10.1.2.2", "10.1.2.4", "::10.1.2.3", "", "x"}},
		{"192.0.2.0/24", {"192.0.2.0", "192.0.2.255", "::ffff:192.0.2.9"}, {"192.0.1.255", "192.0.3.0"}},
		{"192.0.2.77/24", {"192.0.2.0", "192.0.2.255"}, {"192.0.3.77"}},
		{"192.0.2.128/25", {"192.0.2.128", "192.0.2.255"}, {"192.0.2.127", "192.0.3.128"}},
		{"192.0.2.6/31", {"192.0.2.6", "192.0.2.7"}, {"192.0.2.5", "192.0.2.8"}},
		{"0.0.0.0/0", {"0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"}, {"::1", "2001:db8::1", ""}},
		{"::/0", {"::", "2001:db8::1", "ffff::"}, {"1.2.3.4", "::ffff:1.2.3.4", "unix:"}},
		{"2001:db8::/33", {"2001:db8::", "2001:db8:7fff::1"}, {"2001:db8:8000::", "2001:db7::"}},
		{"2001:db8::7", {"2001:db8::7", "2001:DB8:0::7"}, {"2001:db8::8"}},
		{"::ffff:10.0.0.0/104", {"10.0.0.0", "10.255.255.255", "::ffff:10.1.1.1"}, {"11.0.0.0", "::"}},
		{"::ffff:0:0/95", {"::fffe:0:1"}, {"10.1.2.3", "::fffd:0:1"}},
	};
	struct network n;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		read_one(cases[i].network, &n);
		for (size_t j = 0; j < COUNT_OF(cases[i].inside) && cases[i].inside[j]; j++)
			cr_expect(
				network_holds(&n, cases[i].inside[j]), "%s: %s", cases[i].network, cases[i].inside[j]);
		for (size_t j = 0; j < COUNT_OF(cases[i].outside) && cases[i].outside[j]; j++)
			cr_expect_not(network_holds(&n, cases[i].outside[j]), "%s: %s", cases[i].network,
				cases[i].outside[j]);
	}
}

Test(network, leaves_the_result_alone_when_it_is_none)
{
	struct network n = {.bytes = {1, 2, 3}, .bits = 77}, before = n;
	struct fault f;
	cr_expect_not(network_read("10.0.0.0/33", &n, &f));
	cr_expect_not(network_read("10.0.0.0/8,10.1.2.3", &n, &f));
	cr_expect_not(network_read("", &n, &f));
	cr_expect_eq(memcmp(&n, &before, sizeof n), 0);
}

Test(network, takes_a_list_and_finds_an_address_in_it)
{
	struct networks n;
	struct fault f;
	cr_assert(networks_read(" 10.0.0.0/8,\tfd00::/8,203.0.113.7 ", &n, &f), "%s", f.text);
	cr_expect_eq(n.count, 3);
	cr_expect(networks_hold(&n, "10.255.0.1"));
	cr_expect(networks_hold(&n, "fd12::1"));
	cr_expect(networks_hold(&n, "203.0.113.7"));
	cr_expect_not(networks_hold(&n, "203.0.113.8"));
	cr_expect_not(networks_hold(&n, ""));
}

Test(network, refuses_a_list_that_is_empty_too_long_or_wrong)
{
	const char *bad[] = {"", " ,\t", "10.0.0.0/8,x", "10.0.0.0/8;fd00::/8",
		"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"};
	char many[4 * (NETWORKS_MAX + 1) + 1];
	struct networks n;
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(networks_read(bad[i], &n, &f), "%s", bad[i]);
	for (size_t i = 0; i <= NETWORKS_MAX; i++)
		snprintf(many + 4 * i, 5, "::1,");
	cr_expect_not(networks_read(many, &n, &f));
	many[4 * NETWORKS_MAX] = '\0';
	cr_expect(networks_read(many, &n, &f), "%s", f.text);
}
