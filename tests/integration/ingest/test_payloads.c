/* test_payloads.c - requests that store no transaction, kept in PostgreSQL before they are answered. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "ingest/payloads.h"
#include "support/fresh_database.h"
#include "support/loop.h"

#define MANY (PAYLOADS_BATCH_MAX * 2 + 10)
#define REQUEST_ID "0123456789abcdef0123456789abcdef"

static struct payloads *payloads;

struct asked {
	struct payload_insert insert;
	bool is_done, is_kept, failed;
};

static struct asked asked[MANY];
static struct insert_body body = {.bytes = "{\"a\":\"\xff\"}",
	.len = 9,
	.content_type = "application/json",
	.headers = "{\"user-agent\": \"Stripe/1.0\"}"};
static int done;

static void payloads_init(void)
{
	database_init();
	payloads = payloads_create(loop_open());
	cr_assert_not_null(payloads);
}

static void payloads_fini(void)
{
	payloads_destroy(payloads);
	loop_close();
	database_drop();
}

TestSuite(payloads, .init = payloads_init, .fini = payloads_fini, .timeout = 60);

static void on_done(struct payload_insert *insert, bool is_kept, const struct fault *f)
{
	struct asked *a = CONTAINER_OF(insert, struct asked, insert);
	cr_expect_not(a->is_done, "answered twice");
	a->is_done = true;
	a->is_kept = is_kept;
	a->failed = f != NULL;
	done++;
}

static void ask(struct asked *a)
{
	a->insert =
		(struct payload_insert){.source = "stripe", .request_id = REQUEST_ID, .body = &body, .done = on_done};
	payloads_keep(payloads, &a->insert);
}

static bool are_done(void *ctx)
{
	return done == *(int *)ctx;
}

static void wait_done(int count)
{
	loop_until(are_done, &count, "all are answered");
}

Test(payloads, are_kept_byte_for_byte_under_no_transaction)
{
	ask(&asked[0]);
	wait_done(1);
	cr_expect(asked[0].is_kept && !asked[0].failed);
	cr_expect_str_eq(
		database_value("SELECT concat_ws(' ', encode(body, 'hex'), translate(request_id::text, '-', ''),"
			       " source, content_type, headers ->> 'user-agent') FROM payhook.payloads"),
		"7b2261223a22ff227d " REQUEST_ID " stripe application/json Stripe/1.0");
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 0);
}

Test(payloads, more_than_a_batch_are_all_kept)
{
	for (int i = 0; i < MANY; i++)
		ask(&asked[i]);
	wait_done(MANY);
	for (int i = 0; i < MANY; i++)
		cr_expect(asked[i].is_kept && !asked[i].failed, "%d", i);
	cr_expect_eq(database_number("SELECT count(DISTINCT payload_id) FROM payhook.payloads"), MANY);
}

Test(payloads, more_than_may_wait_fail_at_once)
{
	static struct asked many[PAYLOADS_WAITING_MAX + 1];
	for (int i = 0; i <= PAYLOADS_WAITING_MAX; i++)
		ask(&many[i]);
	cr_expect(many[PAYLOADS_WAITING_MAX].failed);
	wait_done(PAYLOADS_WAITING_MAX + 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.payloads"), PAYLOADS_WAITING_MAX);
}

Test(payloads, are_answered_on_a_day_without_a_partition)
{
	database_exec(
		"DO $$ BEGIN EXECUTE 'DROP TABLE payhook.' || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date); END $$");
	ask(&asked[0]);
	wait_done(1);
	cr_expect_not(asked[0].is_kept);
	cr_expect_not(asked[0].failed);
}

Test(payloads, are_answered_on_a_day_with_a_detached_partition)
{
	database_exec("DO $$ BEGIN EXECUTE 'ALTER TABLE payhook.payloads DETACH PARTITION payhook.'"
		      " || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date); END $$");
	ask(&asked[0]);
	wait_done(1);
	cr_expect_not(asked[0].is_kept);
	cr_expect_not(asked[0].failed);
}

static bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app payloads' AND wait_event_type = 'Lock'") == 1;
}

/* Asks again until the connection is there. */
static bool is_kept_at_last(void *ctx)
{
	(void)ctx;
	struct asked *a = &asked[1];
	if (a->is_done && a->failed) {
		a->is_done = false;
		ask(a);
	}
	return a->is_kept;
}

/* One is in the statement, the other waits. */
Test(payloads, that_were_withdrawn_are_not_answered)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.payloads IN ACCESS EXCLUSIVE MODE"));
	ask(&asked[0]);
	loop_until(is_blocked, NULL, "the statement waits");
	ask(&asked[1]);
	ask(&asked[2]);
	payloads_withdraw(payloads, &asked[0].insert);
	payloads_withdraw(payloads, &asked[1].insert);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	wait_done(1);
	cr_expect(asked[2].is_kept);
	cr_expect_not(asked[0].is_done || asked[1].is_done);
}

Test(payloads, fail_with_their_connection)
{
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.payloads IN ACCESS EXCLUSIVE MODE"));
	ask(&asked[0]);
	loop_until(is_blocked, NULL, "the statement waits");
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-app payloads'");
	wait_done(1);
	cr_expect(asked[0].failed);
	PQfinish(other);
	asked[1].is_done = asked[1].failed = true;
	loop_until(is_kept_at_last, NULL, "it is kept on the next connection");
}
