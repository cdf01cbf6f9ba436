/* test_seen.c - which events were had already. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "seen.h"

#define SECOND INT64_C(1000000)
#define BEGIN (INT64_C(1771502400) * SECOND)

static bool is_new(struct seen *s, int64_t time_us, const char *text)
{
	bool ret = false;
	cr_assert(seen_add(s, time_us, text, strlen(text), &ret));
	return ret;
}

Test(seen, an_event_is_new_once)
{
	struct seen s = {0};
	cr_expect(is_new(&s, BEGIN, "stripe/evt_1"));
	cr_expect_not(is_new(&s, BEGIN, "stripe/evt_1"));
	cr_expect(is_new(&s, BEGIN, "stripe/evt_2"));
	cr_expect(is_new(&s, BEGIN + 1, "stripe/evt_1"), "an event of another time is another one");
	seen_finish(&s);
}

/* As a reader goes on that reads the last seconds again with each event. */
Test(seen, none_is_forgotten_that_is_read_again)
{
	struct seen s = {0};
	for (int64_t at = 0; at < 100; at++) {
		for (int64_t back = at > 10 ? at - 10 : 0; back < at; back++)
			cr_expect_not(
				is_new(&s, BEGIN + back * SECOND, "stripe/evt"), "%d after %d", (int)back, (int)at);
		cr_expect(is_new(&s, BEGIN + at * SECOND, "stripe/evt"), "%d", (int)at);
	}
	seen_finish(&s);
}

Test(seen, many_of_one_moment_are_kept_apart)
{
	struct seen s = {0};
	char text[32];
	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < 20000; i++) {
			snprintf(text, sizeof text, "source/%d", i);
			cr_assert_eq(is_new(&s, BEGIN, text), again == 0, "%s", text);
		}
	}
	seen_finish(&s);
}

Test(seen, old_events_take_no_memory)
{
	struct seen s = {0};
	char text[32];
	for (int64_t i = 0; i < 100000; i++) {
		snprintf(text, sizeof text, "source/%d", (int)i);
		cr_assert(is_new(&s, BEGIN + i * SECOND, text));
	}
	cr_expect_leq(s.recent.cap + s.before.cap, 2048);
	seen_finish(&s);
}
