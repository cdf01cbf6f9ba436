/* test_lanes.c - jobs of one payment in order: what moves them from parked_jobs into jobs, and what operators do and
 * see. */

#include <criterion/criterion.h>

#include "support/fresh_database.h"

TestSuite(lanes, .init = database_init, .fini = database_drop, .timeout = 60);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)
#define JOBS "SELECT coalesce(string_agg(transaction_id, ' ' ORDER BY transaction_id), '') FROM payhook.jobs"
#define PARKED "SELECT coalesce(string_agg(transaction_id, ' ' ORDER BY lane_no), '') FROM payhook.parked_jobs"

/* A transaction of a payment, with its parked job: what STORE leaves. */
static void park(const char *payment, const char *id)
{
	database_exec(
		"WITH t AS (INSERT INTO payhook.transactions (transaction_id, source, amount, currency, payment_id)"
		"  VALUES ('%s', 's', 1, 'EUR', '%s'))"
		" INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source, traceparent)"
		" VALUES (payhook.lane_of('s', '%s'), nextval('payhook.lane_numbers'), '%s', 's', repeat('x', 55))",
		id, payment, payment, id);
}

static long long activate(void)
{
	return database_number("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs");
}

/* What a settlement leaves of a job that was given up. */
static void give_up(const char *id, const char *held)
{
	database_exec(
		"UPDATE payhook.transactions SET status = 'FAILED', failure = '503' WHERE transaction_id = '%s';"
		"INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, traceparent,"
		"  lane, lane_no) SELECT transaction_id, source, 3, '503', enqueued_at, traceparent, lane, lane_no"
		"  FROM payhook.jobs WHERE transaction_id = '%s';"
		"UPDATE payhook.jobs SET id = DEFAULT, run_at = 'infinity', attempt = 3, last_error = '503'"
		"  WHERE %s AND transaction_id = '%s';"
		"DELETE FROM payhook.jobs WHERE NOT %s AND transaction_id = '%s'",
		id, id, held, id, held, id);
}

Test(lanes, has_one_job_of_a_payment_at_a_time_and_the_earliest_first)
{
	park("p", "b");
	park("p", "a");
	park("q", "c");
	cr_expect_eq(activate(), 2);
	EXPECT("b c", JOBS " WHERE traceparent = repeat('x', 55) AND attempt = 0");
	cr_expect_eq(activate(), 0);
	database_exec("DELETE FROM payhook.jobs WHERE transaction_id = 'b'");
	cr_expect_eq(activate(), 1);
	EXPECT("a c", JOBS);
	EXPECT("", PARKED);
}

Test(lanes, shows_how_many_wait_and_what_they_wait_for)
{
	park("p", "a");
	park("p", "b");
	park("p", "c");
	cr_expect_eq(activate(), 1);
	EXPECT("s p 2 a ready",
		"SELECT concat_ws(' ', source, payment_id, jobs, behind, state) FROM payhook.parked WHERE since <= now()");
	EXPECT("1 0 0 0 f 0 2",
		"SELECT concat_ws(' ', ready, waiting, claimed, dead, paused, held, parked) FROM payhook.queue_depth");
	EXPECT("3 0 0 3 0",
		"SELECT concat_ws(' ', accepted, processed, failed, pending, difference) FROM payhook.reconciliation");
	give_up("a", "true");
	EXPECT("s p 2 a held 503",
		"SELECT concat_ws(' ', source, payment_id, jobs, behind, state, last_error) FROM payhook.parked");
	EXPECT("held", "SELECT state FROM payhook.queue");
	EXPECT("0 0 0 1 f 1 2",
		"SELECT concat_ws(' ', ready, waiting, claimed, dead, paused, held, parked) FROM payhook.queue_depth"
		" WHERE oldest_age IS NULL");
	EXPECT("3 0 1 2 0",
		"SELECT concat_ws(' ', accepted, processed, failed, pending, difference) FROM payhook.reconciliation");
}

Test(lanes, retry_brings_a_held_job_back_to_its_place)
{
	park("p", "a");
	park("p", "b");
	cr_expect_eq(activate(), 1);
	give_up("a", "true");
	long long id = database_number("SELECT id FROM payhook.jobs");
	EXPECT("a of source s is PROCESSING again", "SELECT payhook.retry('a', 's')");
	EXPECT("a", JOBS " WHERE run_at IS NULL AND owner IS NULL AND attempt = 0 AND last_error IS NULL AND id > %lld",
		id);
	EXPECT("b", PARKED);
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions WHERE transaction_id = 'a' AND failure IS NULL");
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.dead_jobs"), 0);
}

Test(lanes, retry_all_brings_held_jobs_and_those_of_no_payment_back)
{
	park("p", "a");
	park("q", "c");
	cr_expect_eq(activate(), 2);
	give_up("a", "true");
	give_up("c", "true");
	park("r", "x");
	database_exec("UPDATE payhook.transactions SET status = 'FAILED', failure = '503' WHERE transaction_id = 'x';"
		      "DELETE FROM payhook.parked_jobs; INSERT INTO payhook.dead_jobs"
		      " (transaction_id, source, attempts, error, enqueued_at) VALUES ('x', 's', 3, '503', now())");
	EXPECT("3 transactions are PROCESSING again", "SELECT payhook.retry_all()");
	EXPECT("3 2", "SELECT count(*) || ' ' || count(lane) FROM payhook.jobs WHERE run_at IS NULL");
}

/* One that the payment went on without is late, and still not called beside another. */
Test(lanes, retry_of_one_that_holds_nothing_waits_for_its_turn)
{
	park("p", "a");
	park("p", "b");
	park("p", "c");
	cr_expect_eq(activate(), 1);
	give_up("a", "false");
	cr_expect_eq(activate(), 1);
	EXPECT("a of source s is PROCESSING again", "SELECT payhook.retry('a', 's')");
	EXPECT("b", JOBS);
	EXPECT("a c", PARKED);
	database_exec("DELETE FROM payhook.jobs");
	cr_expect_eq(activate(), 1);
	EXPECT("a", JOBS " WHERE continues");
}

Test(lanes, retry_of_one_that_holds_nothing_is_ready_if_its_payment_is)
{
	park("p", "a");
	cr_expect_eq(activate(), 1);
	give_up("a", "false");
	EXPECT("a of source s is PROCESSING again", "SELECT payhook.retry('a', 's')");
	EXPECT("a", PARKED);
	cr_expect_eq(activate(), 1);
	EXPECT("a", JOBS " WHERE lane IS NOT NULL AND run_at IS NULL");
	EXPECT("", PARKED);
}

Test(lanes, skip_lets_the_payment_go_on_without_a_held_job)
{
	park("p", "a");
	park("p", "b");
	cr_expect_eq(activate(), 1);
	give_up("a", "true");
	EXPECT("a of source s stays FAILED, and its payment goes on", "SELECT payhook.skip('a', 's')");
	EXPECT("b", JOBS);
	EXPECT("FAILED", "SELECT status FROM payhook.transactions WHERE transaction_id = 'a'");
	EXPECT("a", "SELECT transaction_id FROM payhook.failures");
	EXPECT("nothing done: a of source s holds no other", "SELECT payhook.skip('a', 's')");
	EXPECT("nothing done: b of source s holds no other", "SELECT payhook.skip('b', 's')");
	EXPECT("b", JOBS);
	EXPECT("a of source s is PROCESSING again", "SELECT payhook.retry('a', 's')");
	EXPECT("a", PARKED);
}

Test(lanes, skip_of_the_last_of_a_payment_ends_it)
{
	park("p", "a");
	cr_expect_eq(activate(), 1);
	give_up("a", "true");
	EXPECT("a of source s stays FAILED, and its payment goes on", "SELECT payhook.skip('a', 's')");
	EXPECT("", JOBS);
	park("p", "b");
	cr_expect_eq(activate(), 1);
}

static PGresult *skip_and_stay_open(PGconn *c)
{
	PQclear(PQexec(c, "BEGIN"));
	PGresult *r = PQexec(c, "SELECT payhook.skip('a', 's')");
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	return r;
}

/* Somebody in psql forgets to commit. */
Test(lanes, a_transaction_that_stays_open_keeps_back_its_own_lane_only)
{
	PGconn *c = database_connect();
	park("p", "a");
	park("p", "b");
	cr_expect_eq(activate(), 1);
	give_up("a", "true");
	PQclear(skip_and_stay_open(c));
	park("q", "c");
	cr_expect_eq(
		database_number("SELECT payhook.activate(ARRAY[payhook.lane_of('s', 'p'), payhook.lane_of('s', 'q')])"),
		1);
	EXPECT("c", JOBS " WHERE run_at IS NULL");
	EXPECT("b", PARKED);
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
	EXPECT("b c", JOBS);
	EXPECT("", PARKED);
}

/* An earlier one that is stored by a request at the same time waits for its turn; neither is lost. */
Test(lanes, skip_moves_the_one_that_it_has_locked)
{
	park("p", "a");
	database_exec("SELECT nextval('payhook.lane_numbers')");
	park("p", "c");
	cr_expect_eq(activate(), 1);
	give_up("a", "true");
	EXPECT("a of source s stays FAILED, and its payment goes on", "SELECT payhook.skip('a', 's')");
	park("p", "b");
	database_exec("UPDATE payhook.parked_jobs SET lane_no = 2 WHERE transaction_id = 'b'");
	cr_expect_eq(activate(), 0);
	EXPECT("c", JOBS);
	database_exec("DELETE FROM payhook.jobs");
	cr_expect_eq(activate(), 1);
	EXPECT("b", JOBS);
}
