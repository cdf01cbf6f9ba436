/* test_in_order.c - jobs of one payment: one at a time, in order, whatever becomes of a call. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "queue/claim.h"
#include "queue/heartbeat.h"
#include "queue/rescue.h"
#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

TestSuite(in_order, .init = claimer_init, .fini = claimer_fini, .timeout = 60);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)
#define JOBS "SELECT coalesce(string_agg(transaction_id, ' ' ORDER BY id), '') FROM payhook.jobs"
#define HAS_LANE "lane = payhook.lane_of('transactions', 'p') AND lane_no = 1"

static void activate(void)
{
	database_exec("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs");
}

/* Three jobs of one payment, of which the first is claimed. */
static void take_the_first(void)
{
	park("p", 1, 3);
	activate();
	claim(&me, ME, 1);
	cr_assert_str_eq(me.jobs[0]->transaction_id, "t1");
	cr_assert(me.jobs[0]->has_lane);
	me.room = 0;
}

static void look(int taken)
{
	me.room = 1;
	queue_look(me.queue);
	until_taken(&me, taken);
	me.room = 0;
}

Test(in_order, the_next_is_claimed_when_the_one_before_has_ended)
{
	take_the_first();
	for (int i = 2; i <= 3; i++) {
		settle_all(&me);
		look(i);
		char id[8];
		snprintf(id, sizeof id, "t%d", i);
		cr_expect_str_eq(me.jobs[i - 1]->transaction_id, id);
	}
	settle_all(&me);
	EXPECT("", JOBS);
	cr_expect_eq(count_status("PROCESSED"), 3);
}

static void waits_in_its_place(enum job_outcome outcome, const char *state)
{
	take_the_first();
	settle_all_with(&me, outcome, 3600000, "503");
	EXPECT("t1", JOBS " WHERE " HAS_LANE);
	EXPECT(state, "SELECT state FROM payhook.queue");
	activate();
	EXPECT("t1", JOBS);
	database_exec("UPDATE payhook.jobs SET run_at = NULL");
	look(2);
	settle_all(&me);
	look(3);
	cr_expect_str_eq(me.jobs[2]->transaction_id, "t2");
}

Test(in_order, a_retry_keeps_its_place)
{
	waits_in_its_place(JOB_RETRIED, "waiting");
}

Test(in_order, a_probe_keeps_its_place)
{
	waits_in_its_place(JOB_PROBED, "waiting");
}

Test(in_order, a_postponed_call_keeps_its_place)
{
	waits_in_its_place(JOB_POSTPONED, "waiting");
}

Test(in_order, a_call_that_was_cut_off_keeps_its_place)
{
	waits_in_its_place(JOB_UNKNOWN, "ready");
}

static void is_held(enum job_outcome outcome, const char *attempts)
{
	take_the_first();
	settle_all_with(&me, outcome, 0, "404");
	EXPECT("t1", JOBS " WHERE run_at = 'infinity' AND owner IS NULL AND last_error = '404' AND " HAS_LANE);
	EXPECT(attempts, "SELECT attempts FROM payhook.dead_jobs WHERE transaction_id = 't1' AND " HAS_LANE);
	EXPECT("FAILED", "SELECT status FROM payhook.transactions WHERE transaction_id = 't1'");
	activate();
	EXPECT("t1", JOBS);
	database_exec("SELECT payhook.retry('t1')");
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t1");
	cr_expect_eq(me.jobs[1]->attempt, 1);
	settle_all(&me);
	look(3);
	cr_expect_str_eq(me.jobs[2]->transaction_id, "t2");
}

Test(in_order, a_refused_transaction_holds_its_payment)
{
	is_held(JOB_FAILED, "1");
}

Test(in_order, a_transaction_without_attempts_left_holds_its_payment)
{
	is_held(JOB_EXHAUSTED, "0");
}

Test(in_order, skip_lets_the_payment_go_on)
{
	take_the_first();
	settle_all_with(&me, JOB_FAILED, 0, "404");
	database_exec("SELECT payhook.skip('t1')");
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
}

Test(in_order, a_source_that_continues_goes_on_after_a_failure)
{
	park("p", 1, 3);
	database_exec("UPDATE payhook.parked_jobs SET continues = true");
	activate();
	claim(&me, ME, 1);
	me.room = 0;
	settle_all_with(&me, JOB_FAILED, 0, "404");
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
	database_exec("SELECT payhook.retry('t1')");
	EXPECT("t2", JOBS);
	settle_all(&me);
	look(3);
	cr_expect_str_eq(me.jobs[2]->transaction_id, "t1");
}

/* There is nothing to bring back. */
Test(in_order, a_job_without_its_transaction_holds_nothing)
{
	take_the_first();
	database_exec("DELETE FROM payhook.transactions WHERE transaction_id = 't1'");
	settle_all_with(&me, JOB_FAILED, 0, "gone");
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
}

Test(in_order, a_failure_of_what_is_processed_holds_nothing)
{
	take_the_first();
	database_exec(
		"UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now() WHERE transaction_id = 't1'");
	settle_all_with(&me, JOB_FAILED, 0, "404");
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
}

static bool is_next_active(void *ctx)
{
	(void)ctx;
	return count_jobs("lane IS NOT NULL") == 2;
}

Test(in_order, a_batch_may_have_jobs_of_payments_and_others)
{
	park("p", 1, 2);
	park("q", 3, 4);
	activate();
	enqueue(5, 6);
	claim(&me, ME, 4);
	me.room = 0;
	for (int i = 0; i < 4; i++)
		settle_with(&me, i, i % 2 ? JOB_RETRIED : JOB_PROCESSED, 3600000, "503");
	until_ended(&me, 4);
	loop_until(is_next_active, NULL, "the next is active");
	EXPECT("2 2",
		"SELECT count(*) FILTER (WHERE run_at IS NOT NULL) || ' ' || count(DISTINCT lane) FROM payhook.jobs");
}

/* The answer to the settlement is lost, and whether it took effect is known by the second one; the lane goes on. */
Test(in_order, the_next_is_claimed_after_a_lost_answer)
{
	take_the_first();
	PGconn *c = lock("job_attempts");
	settle_with(&me, 0, JOB_PROCESSED, 0, NULL);
	cut_the_blocked();
	unlock(c);
	until_ended(&me, 1);
	look(2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
}

static bool has_trouble(void *ctx)
{
	(void)ctx;
	return me.troubles > 0;
}

/* Otherwise one lane could keep the worker from settling anything. */
Test(in_order, a_rejected_activation_does_not_hold_up_settlements)
{
	take_the_first();
	enqueue(4, 5);
	database_exec("ALTER FUNCTION payhook.activate(bigint[]) RENAME TO moved");
	settle_all(&me);
	loop_until(has_trouble, NULL, "the activation is rejected");
	look(2);
	settle_all(&me);
	cr_expect_eq(me.troubles, 1);
	database_exec("ALTER FUNCTION payhook.moved(bigint[]) RENAME TO activate");
	EXPECT("1", "SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs");
}

Test(in_order, a_release_keeps_the_place)
{
	park("p", 1, 2);
	activate();
	me.refuses = true;
	me.room = 1;
	queue_own(me.queue, ME);
	until_released(&me, 1);
	EXPECT("t1", JOBS " WHERE owner IS NULL AND " HAS_LANE);
}

static const char *runs(const struct statement *s, const char *const *values, int count)
{
	PGconn *c = database_connect();
	PGresult *r = PQexecParams(c, s->sql, count, NULL, values, NULL, NULL, 0);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	PQclear(r);
	PQfinish(c);
	return database_value(JOBS " WHERE owner IS NULL AND run_at IS NULL AND " HAS_LANE);
}

Test(in_order, a_rescue_keeps_the_place)
{
	take_the_first();
	cr_expect_str_eq(runs(&RESCUE_ORPHANS, (const char *const[]){"10"}, 1), "t1");
	database_exec(
		"INSERT INTO payhook.workers (owner, host, pid, version, beat_at) VALUES (5, 'h', 1, 'v', 'epoch');"
		"UPDATE payhook.jobs SET owner = 5, claimed_at = now()");
	cr_expect_str_eq(runs(&RESCUE_DEAD, (const char *const[]){"5", "0", "10"}, 3), "t1");
}

Test(in_order, a_due_retry_keeps_the_place_and_a_held_job_is_none)
{
	take_the_first();
	settle_all_with(&me, JOB_RETRIED, 0, "503");
	cr_expect_str_eq(runs(&HEARTBEAT_DUE, (const char *const[]){"10"}, 1), "t1");
	database_exec("UPDATE payhook.jobs SET run_at = 'infinity'");
	cr_expect_str_eq(runs(&HEARTBEAT_DUE, (const char *const[]){"10"}, 1), "");
}

/* Whether the commit of a claim waits for the disk. */
static const char *claim_waits(void)
{
	static char waits[8];
	struct db_params p = {0};
	PGconn *c = database_connect();
	claim_params(&p, 0, 10, ME);
	PQclear(PQexec(c, "BEGIN"));
	PGresult *r = PQexecParams(c, CLAIM.sql, p.count, NULL, p.value, p.length, p.format, 0);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	cr_assert_gt(PQntuples(r), 0);
	PQclear(r);
	r = PQexec(c, "SHOW synchronous_commit");
	snprintf(waits, sizeof waits, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	PQclear(PQexec(c, "ROLLBACK"));
	PQfinish(c);
	return waits;
}

/* A crash must not undo the claim of a lane: another worker would call beside the first. */
Test(in_order, a_claim_waits_for_the_disk_if_it_has_a_job_of_a_payment)
{
	enqueue(1, 3);
	cr_expect_str_eq(claim_waits(), "off");
	park("p", 4, 4);
	activate();
	cr_expect_str_eq(claim_waits(), "on");
}
