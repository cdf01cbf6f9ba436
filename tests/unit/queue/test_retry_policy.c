/* test_retry_policy.c - the pauses between attempts, with time and randomness as parameters. */

#include <criterion/criterion.h>
#include <inttypes.h>

#include "queue/retry_policy.h"

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static void asks(const char *value, int64_t wanted_ms)
{
	int64_t ms = retry_policy_after_ms(value, NOW);
	cr_expect_eq(ms, wanted_ms, "\"%s\" is %" PRId64 " ms, not %" PRId64, value, ms, wanted_ms);
}

/* The longest pause after that attempt, and the value just beyond it. */
static void ceiling(int attempt, uint64_t wanted_ms)
{
	cr_expect_eq(retry_policy_pause_ms(attempt, wanted_ms), (int64_t)wanted_ms, "attempt %d", attempt);
	cr_expect_eq(retry_policy_pause_ms(attempt, wanted_ms + 1), 0, "attempt %d goes higher", attempt);
}

Test(retry, pauses_up_to_a_second_after_the_first_attempt)
{
	ceiling(1, 1000);
}

Test(retry, doubles_its_ceiling_up_to_ten_minutes)
{
	ceiling(2, 2000);
	ceiling(3, 4000);
	ceiling(10, 512000);
	ceiling(11, 600000);
	ceiling(12, 600000);
	ceiling(1000, 600000);
	ceiling(INT32_MAX, 600000);
}

Test(retry, takes_an_attempt_below_the_first_for_the_first)
{
	ceiling(0, 1000);
	ceiling(INT32_MIN, 1000);
}

Test(retry, spreads_over_the_whole_range)
{
	int tenths[10] = {0};
	uint64_t random = 88172645463325252;
	for (int i = 0; i < 10000; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		int64_t ms = retry_policy_pause_ms(4, random);
		cr_assert(ms >= 0 && ms <= 8000);
		tenths[ms == 8000 ? 9 : ms / 800]++;
	}
	for (int i = 0; i < 10; i++)
		cr_expect(tenths[i] > 850 && tenths[i] < 1150, "tenth %d: %d", i, tenths[i]);
}

Test(retry, stays_within_bounds_for_any_random_bits)
{
	cr_expect_eq(retry_policy_pause_ms(1, 0), 0);
	int64_t ms = retry_policy_pause_ms(1, UINT64_MAX);
	cr_expect(ms >= 0 && ms <= 1000);
}

Test(retry, waits_as_long_as_the_other_side_asks_if_that_is_longer)
{
	cr_expect_eq(retry_policy_wait_ms(1, 700, 30000), 30000);
	cr_expect_eq(retry_policy_wait_ms(1, 700, 699), 700);
	cr_expect_eq(retry_policy_wait_ms(1, 700, 0), 700);
	cr_expect_eq(retry_policy_wait_ms(1, 700, -1), 700);
}

Test(retry, reads_seconds)
{
	asks("0", 0);
	asks("1", 1000);
	asks("120", 120000);
	asks("00120", 120000);
	asks("86399", 86399000);
}

Test(retry, reads_a_date)
{
	asks("Sun, 06 Nov 1994 08:49:38 GMT", 1000);
	asks("Sun, 06 Nov 1994 09:49:37 GMT", 3600000);
	asks("Sunday, 06-Nov-94 08:49:47 GMT", 10000);
	asks("Sun Nov  6 08:50:37 1994", 60000);
}

Test(retry, takes_a_date_in_the_past_for_now)
{
	asks("Sun, 06 Nov 1994 08:49:37 GMT", 0);
	asks("Sun, 06 Nov 1994 08:49:36 GMT", 0);
	asks("Thu, 01 Jan 1970 00:00:00 GMT", 0);
	asks("Fri, 31 Dec 1909 23:59:59 GMT", 0);
}

Test(retry, waits_a_day_at_most)
{
	asks("86400", RETRY_AFTER_MAX_MS);
	asks("86401", RETRY_AFTER_MAX_MS);
	asks("99999999999999999999999999999999999999999999", RETRY_AFTER_MAX_MS);
	asks("9223372036854775808", RETRY_AFTER_MAX_MS);
	asks("Mon, 07 Nov 1994 08:49:38 GMT", RETRY_AFTER_MAX_MS);
	asks("Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_MS);
}

Test(retry, knows_leap_days)
{
	cr_expect_eq(retry_policy_after_ms("Thu, 29 Feb 2024 00:00:01 GMT", 1709164800), 1000);
	cr_expect_eq(retry_policy_after_ms("Wed, 29 Feb 2023 00:00:01 GMT", 1677628800), -1);
}

Test(retry, refuses_what_is_neither_seconds_nor_a_date)
{
	const char *bad[] = {"", "soon", "-1", "+1", "1.5", "1s", "0x10", "Sun, 06 Nov 1994 08:49:38",
		"Sun, 06 Nov 1994 08:49:38 CET", "Sun, 06 Nov 1994 08:49:38 GMT+1", "Sun, 06 Nov 1994 24:49:38 GMT",
		"Mon, 06 Nov 1994 08:49:38 GMT", "Thu, 31 Nov 1994 08:49:38 GMT", "06 Nov 1994 08:49:38 GMT",
		"1994-11-06T08:49:38Z", "784111778 GMT"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		asks(bad[i], -1);
}
