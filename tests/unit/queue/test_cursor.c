/* test_cursor.c - where the next claim starts to search, and when. */

#include <criterion/criterion.h>

#include "queue/cursor.h"

Test(cursor, wants_nothing_at_first)
{
	struct cursor c = {0};
	cr_expect_not(c.wanted);
}

Test(cursor, goes_on_after_the_last_id_claimed)
{
	struct cursor c = {0};
	cursor_want(&c);
	cr_expect_eq(cursor_look(&c), 0);
	cursor_found(&c, 40, false);
	cr_expect_not(c.wanted, "fewer than asked for: there is no more");
	cursor_want(&c);
	cr_expect_eq(cursor_look(&c), 40);
}

Test(cursor, looks_again_at_once_after_a_full_claim)
{
	struct cursor c = {0};
	cursor_want(&c);
	cursor_look(&c);
	cursor_found(&c, 1000, true);
	cr_expect(c.wanted);
	cr_expect_eq(cursor_look(&c), 1000);
}

Test(cursor, keeps_a_wish_that_came_while_a_claim_was_under_way)
{
	struct cursor c = {0};
	cursor_want(&c);
	cursor_look(&c);
	cursor_want(&c);
	cursor_found(&c, 40, false);
	cr_expect(c.wanted);
}

Test(cursor, begins_at_the_earliest_place_asked_for)
{
	struct cursor c = {.last = 500};
	cursor_want(&c);
	cursor_want_from(&c, 200);
	cursor_want_from(&c, 300);
	cr_expect_eq(cursor_look(&c), 200);
}

Test(cursor, goes_on_through_the_latecomers_after_a_full_look_behind)
{
	struct cursor c = {.last = 5000};
	cursor_want_all(&c);
	cursor_look(&c);
	cursor_found(&c, 1200, true);
	cr_expect_eq(c.last, 5000, "the cursor does not go back");
	cr_expect_eq(cursor_look(&c), 1200);
}

Test(cursor, goes_back_after_a_whole_look_that_found_only_lower_ids)
{
	struct cursor c = {.last = 5000};
	cursor_want_all(&c);
	cursor_look(&c);
	cursor_found(&c, 0, false);
	cr_expect_eq(c.last, 5000, "nothing was found");
	cursor_want_all(&c);
	cursor_look(&c);
	cursor_found(&c, 40, false);
	cr_expect_eq(c.last, 40, "the server assigns lower ids now");
	cursor_want_from(&c, 10);
	cursor_look(&c);
	cursor_found(&c, 20, false);
	cr_expect_eq(c.last, 40, "a late commit");
}

Test(cursor, restarts_from_0_and_keeps_its_ticks)
{
	struct cursor c = {.last = 5000, .ticks = 7, .past = {4000, 4500}};
	cursor_restart(&c);
	cr_expect(c.wanted);
	cr_expect_eq(cursor_look(&c), 0);
	cr_expect_eq(c.last, 0);
	cursor_tick(&c);
	cr_expect_eq(cursor_look(&c), 0);
	cr_expect_eq(c.ticks, 8);
}

Test(cursor, looks_behind_where_it_stood_five_seconds_ago)
{
	struct cursor c = {0};
	for (int tick = 1; tick <= CURSOR_BEHIND + 5; tick++) {
		c.last = tick * 100;
		cursor_tick(&c);
		int before = tick - CURSOR_BEHIND;
		cr_expect_eq(cursor_look(&c), before > 0 ? before * 100 : 0, "at tick %d", tick);
	}
}

Test(cursor, looks_at_everything_every_ten_seconds)
{
	struct cursor c = {0};
	int sweeps = 0;
	c.last = 7;
	for (int tick = 1; tick <= 4 * CURSOR_SWEEP; tick++) {
		cursor_tick(&c);
		sweeps += cursor_look(&c) == 0 && tick > CURSOR_BEHIND;
	}
	cr_expect_eq(sweeps, 4);
}
