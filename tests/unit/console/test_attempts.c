/* test_attempts.c - what fails is limited by the address. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "attempts.h"

static struct attempts attempts;

static void attempts_clear(void)
{
	attempts = (struct attempts){0};
}

TestSuite(attempts, .init = attempts_clear);

static void fails(const char *address, int64_t now_s, int times)
{
	for (int i = 0; i < times; i++)
		cr_expect(attempts_fail(&attempts, address, now_s), "%s, failure %d", address, i + 1);
}

Test(attempts, are_limited_within_a_minute)
{
	fails("192.0.2.1", 100, ATTEMPTS_PER_MINUTE);
	cr_expect_not(attempts_fail(&attempts, "192.0.2.1", 159));
	fails("192.0.2.1", 160, ATTEMPTS_PER_MINUTE);
	cr_expect_not(attempts_fail(&attempts, "192.0.2.1", 160));
}

Test(attempts, of_an_ipv6_network_count_together)
{
	fails("2001:db8::1", 100, ATTEMPTS_PER_MINUTE);
	cr_expect_not(attempts_fail(&attempts, "2001:db8::2:1", 100));
}

Test(attempts, of_one_address_count_together_in_both_forms)
{
	fails("192.0.2.1", 100, ATTEMPTS_PER_MINUTE);
	cr_expect_not(attempts_fail(&attempts, "::ffff:192.0.2.1", 100));
}

Test(attempts, are_all_counted)
{
	for (int i = 0; i < 1000; i++)
		(void)!attempts_fail(&attempts, "no address", 100);
	cr_expect_eq(attempts.total, 1000);
}

/* With a table of 256 places, a few of a hundred addresses may meet. */
Test(attempts, of_other_addresses_are_not_limited)
{
	char address[32];
	int limited = 0;
	for (int i = 0; i < 1000; i++)
		(void)!attempts_fail(&attempts, "192.0.2.1", 100);
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		limited += !attempts_fail(&attempts, address, 100);
	}
	cr_expect_lt(limited, 10, "%d", limited);
}
