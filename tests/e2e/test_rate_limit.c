/* test_rate_limit.c - RATE_LIMIT, which counts by address. */

#include <string.h>

#include <criterion/criterion.h>

#include "expect.h"
#include "instance.h"

const char *const instance_settings[] = {"RATE_LIMIT=5", "PROCESSOR_DELAY_MS=100", NULL};

#define POSTS 100

static void post_from(const char *address, struct answer *ret)
{
	char id[64], body[WEBHOOK_MAX];

	webhook_simple(fresh_id("limited", id), body);
	call_send(&(struct call){.target = WEBHOOKS, .type = "application/json", .body = body, .from = address}, ret);
}

Test(rate_limit, a_sender_in_a_hurry_is_told_to_wait)
{
	int accepted = 0, refused = 0;
	long long began = now_ms();

	for (int n = 0; n < POSTS; n++) {
		struct answer a;
		post_from("127.0.0.1", &a);
		accepted += a.status == 202;
		refused += a.status == 429;
		if (a.status == 429) {
			expect_retry_after(&a, "429");
			expect_problem(&a, 429, "429");
		}
		answer_finish(&a);
	}
	double seconds = (double)(now_ms() - began) / 1000;
	cr_assert_eq(accepted + refused, POSTS);
	cr_assert(accepted >= 1 && refused > 0, "%d accepted, %d refused", accepted, refused);
	/* What a burst lets through is the limit's own amount, twice at most. */
	cr_assert(accepted <= 5 * seconds + 11, "%d accepted in %.1f s", accepted, seconds);
}

Test(rate_limit, another_address_is_not_held_up)
{
	struct answer a;

	for (int n = 0; n < 40; n++) {
		post_from("127.0.0.2", &a);
		answer_finish(&a);
	}
	post_from("127.0.0.3", &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
}
