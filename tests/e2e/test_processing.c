/* test_processing.c - the life of an accepted webhook as GET reports it. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

#define DELAY 2.0 /* PROCESSOR_DELAY_MS of test_idempotency.c, whose binary and instance this file shares, in seconds */

/* Repeats the GET until the status is no longer PROCESSING.  Free the answer with answer_finish(). */
static void wait_for_end(const char *id, struct answer *ret, int timeout_ms)
{
	char target[128];
	long long deadline = calm_ms() + timeout_ms;

	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	for (;;) {
		call_get(target, ret);
		cr_assert_eq(ret->status, 200, "%d %s", ret->status, ret->body);
		if (strstr(ret->body, "\"status\":\"PROCESSING\"") == NULL)
			return;
		cr_assert_not_null(strstr(ret->body, "\"processed_at\":null"), "%s", ret->body);
		cr_assert(calm_ms() < deadline, "still %s", ret->body);
		answer_finish(ret);
		pause_a_little();
	}
}

Test(processing, a_transaction_is_processed_after_the_delay_and_not_before)
{
	char id[64], body[WEBHOOK_MAX];
	struct answer a;
	long long began = now_ms();

	expect_accepted(webhook_simple(fresh_id("delay", id), body));
	wait_for_end(id, &a, (int)(DELAY + 2) * 1000);
	double took = (double)(now_ms() - began) / 1000;
	cr_assert(took >= DELAY, "%.3f s", took);
	json_object *o = answer_json(&a);
	cr_assert_str_eq(expect_text(o, "status"), "PROCESSED");
	double waited =
		expect_date(expect_text(o, "processed_at"), true) - expect_date(expect_text(o, "created_at"), true);
	/* Both times may be given in whole seconds. */
	cr_assert(waited > DELAY - 1.01 && waited < took + 1.01, "%s", a.body);
	json_object_put(o);
	answer_finish(&a);
}

Test(processing, many_transactions_wait_side_by_side)
{
	struct load l = {.connections = 32, .posts = 3000};
	char prefix[64];
	const char *done = "SELECT count(*) FROM payhook.transactions WHERE status = 'PROCESSED'"
			   " AND starts_with(transaction_id, $1 || '-')";

	l.prefix = fresh_id("side-by-side", prefix);
	load_open(&l);
	cr_assert(load_until(&l, 3000, 20000), "%ld answers", l.answered);
	cr_assert_eq(l.accepted, 3000, "%ld accepted; %s", l.accepted, l.trouble);
	/* One after the other they would take 100 minutes. */
	cr_assert_eq(database_wait(done, prefix, 3000, (int)DELAY * 1000 + 3000), 3000);
	load_close(&l);
}

Test(processing, nothing_is_left_in_the_queue)
{
	char id[64], body[WEBHOOK_MAX];

	expect_accepted(webhook_simple(fresh_id("left", id), body));
	const char *idle = "SELECT (count(*) = 0)::int FROM payhook.queue";
	cr_assert_eq(database_wait(idle, NULL, 1, 10000), 1, "%s",
		database_text_of("SELECT transaction_id FROM payhook.queue", NULL));
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE status <> 'PROCESSED'"), 0);
}
