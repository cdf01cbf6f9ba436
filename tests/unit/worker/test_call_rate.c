/* test_call_rate.c - the share of a worker of the rate of calls. */

#include <criterion/criterion.h>

#include "call_rate.h"

#define SECOND ((int64_t)1000000)

/* Makes every call that may begin, asked again after each pause, and returns how many in this time. */
static int run(struct call_rate *r, int workers, int64_t from_us, int64_t us)
{
	int made = 0;
	for (int64_t now = from_us; now < from_us + us;) {
		int room = call_rate_room(r, workers, 1000, now);
		for (int i = 0; i < room; i++)
			call_rate_take(r);
		made += room;
		now += (room > 0 ? 1 : call_rate_wait_ms(r, workers)) * 1000;
	}
	return made;
}

static void makes(int per_second, int workers, int seconds, int wanted)
{
	struct call_rate r = {.per_second = per_second};
	int made = run(&r, workers, 5 * SECOND, seconds * SECOND);
	cr_expect(made <= wanted && made >= wanted - wanted / 20 - 2, "%d/s of %d: %d in %d s", per_second, workers,
		made, seconds);
}

Test(call_rate, makes_as_many_calls_as_its_share)
{
	makes(1, 1, 20, 20);
	makes(10, 1, 10, 100);
	makes(100, 3, 30, 1000);
	makes(5000, 2, 2, 5000);
	makes(1, 4, 40, 10);
	makes(1000000, 100, 1, 10000);
}

Test(call_rate, has_no_limit_without_a_rate)
{
	struct call_rate r = {0};
	for (int i = 0; i < 10; i++) {
		cr_expect_eq(call_rate_room(&r, 0, 256, SECOND), 256);
		call_rate_take(&r);
	}
}

Test(call_rate, begins_without_a_burst)
{
	struct call_rate r = {.per_second = 1000};
	cr_expect_eq(call_rate_room(&r, 1, 256, 5 * SECOND), 0);
	cr_expect_eq(call_rate_wait_ms(&r, 1), 21);
	cr_expect_eq(call_rate_room(&r, 1, 256, 5 * SECOND + 21000), 21);
}

Test(call_rate, saves_little_over_an_idle_time)
{
	struct call_rate r = {.per_second = 1000};
	cr_expect_eq(call_rate_room(&r, 1, 256, SECOND), 0);
	cr_expect_eq(call_rate_room(&r, 1, 256, 100000 * SECOND), 100, "of a tenth of a second");
	cr_expect_eq(call_rate_room(&r, 1, 7, 100000 * SECOND), 7, "and no more than there is room for");
	r = (struct call_rate){.per_second = 1};
	cr_expect_eq(call_rate_room(&r, 1, 256, SECOND), 0);
	cr_expect_eq(call_rate_room(&r, 1, 256, 100 * SECOND), 1);
}

Test(call_rate, makes_none_while_the_number_of_workers_is_unknown)
{
	struct call_rate r = {.per_second = 1000};
	cr_expect_eq(call_rate_room(&r, 0, 256, SECOND), 0);
	cr_expect_eq(call_rate_room(&r, 0, 256, 20 * SECOND), 0);
	cr_expect_gt(call_rate_wait_ms(&r, 0), 0);
	cr_expect_eq(call_rate_room(&r, 1, 256, 20 * SECOND), 0, "that time has earned none");
}

Test(call_rate, never_earns_by_a_clock_that_stands)
{
	struct call_rate r = {.per_second = 1000000};
	for (int i = 0; i < 100; i++)
		cr_expect_eq(call_rate_room(&r, 1, 256, SECOND), 0);
}
