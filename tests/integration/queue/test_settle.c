/* test_settle.c - what each outcome of a call changes in each table, and that a stale settlement changes nothing. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

TestSuite(settle, .init = claimer_init, .fini = claimer_fini, .timeout = 60);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)
#define ATTEMPTS                                                                                                   \
	"SELECT string_agg(concat_ws(' ', transaction_id, attempt, outcome, error, worker), ',' ORDER BY attempt)" \
	" FROM payhook.job_attempts"

/* Everything that a settlement may change, as one text. */
static const char *everything(void)
{
	return database_value(
		"SELECT concat_ws(E'\\n', (SELECT string_agg(j::text, ';' ORDER BY id) FROM payhook.jobs j),"
		" (SELECT string_agg(t::text, ';' ORDER BY transaction_id) FROM payhook.transactions t),"
		" (SELECT string_agg(d::text, ';' ORDER BY transaction_id) FROM payhook.dead_jobs d),"
		" (SELECT string_agg(a::text, ';' ORDER BY attempt, finished_at) FROM payhook.job_attempts a))");
}

static void take_one(void)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	me.room = 0;
}

/* ---- each outcome ---- */

Test(settle, processed_ends_the_job)
{
	take_one();
	me.jobs[0]->began_ms -= 3000;
	settle_all(&me);
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("PROCESSED",
		"SELECT status FROM payhook.transactions WHERE processed_at IS NOT NULL AND failure IS NULL");
	EXPECT("t1 1 processed 1001", ATTEMPTS);
	EXPECT("3", "SELECT floor(extract(epoch FROM finished_at - started_at))::int FROM payhook.job_attempts");
}

Test(settle, retried_leaves_the_job_to_wait)
{
	take_one();
	settle_all_with(&me, JOB_RETRIED, 60000, "503");
	EXPECT("2 1 503 60", "SELECT concat_ws(' ', id, attempt, last_error, round(extract(epoch FROM run_at - now())))"
			     " FROM payhook.jobs WHERE owner IS NULL AND claimed_at IS NULL");
	EXPECT("waiting", "SELECT state FROM payhook.queue");
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions WHERE processed_at IS NULL AND failure IS NULL");
	EXPECT("t1 1 retried 503 1001", ATTEMPTS);
	cr_expect_eq(me.ended[SETTLED_NOW], 1);
	cr_expect_eq(queue_inflight(me.queue)->count, 0);
}

Test(settle, failed_buries_the_job)
{
	take_one();
	settle_all_with(&me, JOB_FAILED, 0, "404");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("FAILED 404", "SELECT status || ' ' || failure FROM payhook.transactions WHERE processed_at IS NULL");
	EXPECT("t1 transactions 1 404",
		"SELECT concat_ws(' ', transaction_id, source, attempts, error) FROM payhook.dead_jobs d"
		" WHERE died_at >= enqueued_at");
	EXPECT("t1 1 failed 404 1001", ATTEMPTS);
}

Test(settle, probed_hands_the_job_back_without_counting)
{
	take_one();
	settle_all_with(&me, JOB_PROBED, 5000, "refused");
	EXPECT("0 refused 5", "SELECT concat_ws(' ', attempt, last_error, round(extract(epoch FROM run_at - now())))"
			      " FROM payhook.jobs WHERE owner IS NULL AND claimed_at IS NULL");
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions");
	EXPECT("t1 1 probed refused 1001", ATTEMPTS);
}

Test(settle, postponed_hands_the_job_back_without_counting)
{
	take_one();
	settle_all_with(&me, JOB_POSTPONED, 5000, "no memory");
	EXPECT("0 no memory 5", "SELECT concat_ws(' ', attempt, last_error, round(extract(epoch FROM run_at - now())))"
				" FROM payhook.jobs WHERE owner IS NULL AND claimed_at IS NULL");
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions");
	EXPECT("t1 1 postponed no memory 1001", ATTEMPTS);
}

Test(settle, unknown_hands_the_job_back_at_once_and_counts)
{
	take_one();
	settle_all_with(&me, JOB_UNKNOWN, 0, "the worker stopped");
	EXPECT("2 1 the worker stopped",
		"SELECT concat_ws(' ', id, attempt, last_error) FROM payhook.jobs WHERE owner IS NULL AND run_at IS NULL");
	EXPECT("ready", "SELECT state FROM payhook.queue");
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions");
	EXPECT("t1 1 unknown the worker stopped 1001", ATTEMPTS);
}

/* The claim that finds the attempts used up is not one of them. */
Test(settle, exhausted_buries_the_job_and_records_no_call)
{
	enqueue(1, 1);
	database_exec("UPDATE payhook.jobs SET attempt = 3");
	claim(&me, ME, 1);
	settle_all_with(&me, JOB_EXHAUSTED, 0, "used up");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("FAILED used up", "SELECT status || ' ' || failure FROM payhook.transactions");
	EXPECT("t1 3 used up", "SELECT concat_ws(' ', transaction_id, attempts, error) FROM payhook.dead_jobs");
	EXPECT("0", "SELECT count(*) FROM payhook.job_attempts");
}

Test(settle, one_batch_takes_every_end)
{
	enqueue(1, 8);
	claim(&me, ME, 8);
	for (int i = 0; i < 8; i++)
		settle_with(&me, i, (enum job_outcome)(i % 4), 60000, i % 4 ? "why" : NULL);
	until_ended(&me, 8);
	cr_expect_eq(me.ended[SETTLED_NOW], 8);
	EXPECT("2,2,2,2", "SELECT concat_ws(',', count(*) FILTER (WHERE outcome = 'processed'),"
			  " count(*) FILTER (WHERE outcome = 'retried'), count(*) FILTER (WHERE outcome = 'failed'),"
			  " count(*) FILTER (WHERE outcome = 'probed')) FROM payhook.job_attempts");
	EXPECT("8/2/2/4/0", "SELECT concat_ws('/', accepted, processed, failed, pending, difference)"
			    " FROM payhook.reconciliation");
}

Test(settle, an_error_may_hold_any_text)
{
	take_one();
	settle_all_with(&me, JOB_FAILED, 0, "it's \"{a,NULL}\" \\ für €");
	EXPECT("it's \"{a,NULL}\" \\ für €", "SELECT failure FROM payhook.transactions");
}

Test(settle, a_failure_does_not_undo_what_is_processed)
{
	take_one();
	database_exec("UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = '2020-01-01'");
	settle_all_with(&me, JOB_FAILED, 0, "404");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("0", "SELECT count(*) FROM payhook.dead_jobs");
	EXPECT("PROCESSED", "SELECT status FROM payhook.transactions WHERE processed_at = '2020-01-01'");
}

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void expect_claimed_with_trace(int i)
{
	cr_expect_str_eq(me.traceparent, TRACE);
	me.traceparent[0] = '\0';
	EXPECT(TRACE, "SELECT traceparent FROM payhook.jobs WHERE attempt = %d", i);
	EXPECT("4bf92f3577b34da6a3ce929d0e0e4736", "SELECT trace_id FROM payhook.queue");
}

Test(settle, the_trace_goes_with_the_job_through_retries_and_death)
{
	enqueue(1, 1);
	database_exec("UPDATE payhook.jobs SET traceparent = '" TRACE "'");
	claim(&me, ME, 1);
	expect_claimed_with_trace(1);
	settle_all_with(&me, JOB_RETRIED, 0, "503");
	until_ended(&me, 1);
	database_exec("UPDATE payhook.jobs SET id = DEFAULT, run_at = NULL");
	queue_look(me.queue);
	until_taken(&me, 2);
	expect_claimed_with_trace(2);
	settle_all_with(&me, JOB_FAILED, 0, "404");
	until_ended(&me, 2);
	EXPECT(TRACE, "SELECT traceparent FROM payhook.dead_jobs");
	database_exec("SELECT payhook.retry('t1')");
	queue_look(me.queue);
	until_taken(&me, 3);
	expect_claimed_with_trace(1);
}

Test(settle, a_job_without_a_trace_goes_without)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	cr_expect_str_eq(me.traceparent, "");
	settle_all_with(&me, JOB_RETRIED, 60000, "503");
	EXPECT("null", "SELECT traceparent FROM payhook.jobs");
	EXPECT("null", "SELECT trace_id FROM payhook.queue");
}

/* ---- stale settlements ---- */

/* What happened to the job after it was claimed: the state in which other statements leave it. */
static const struct {
	const char *name, *sql;
} MEANWHILE[] = {
	{"released", "UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL, attempt = attempt - 1"},
	{"rescued", "UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL"},
	{"claimed by another", "UPDATE payhook.jobs SET owner = 5"},
	{"claimed anew by the same", "UPDATE payhook.jobs SET id = DEFAULT"},
	{"settled as retried",
		"UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, run_at = now() + interval '1 h'"},
	{"settled as probed", "UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0, run_at = now()"},
	{"undone by a crash, claimed and retried by another",
		"UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 2, run_at = now()"},
	{"retried and due again", "UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL"},
	{"of the same id, ready, and not one attempt behind",
		"UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 1"},
	{"failed and brought back",
		"WITH gone AS (DELETE FROM payhook.jobs RETURNING *), failed AS (UPDATE payhook.transactions t"
		" SET status = 'FAILED', failure = 'x' FROM gone g WHERE t.transaction_id = g.transaction_id)"
		" INSERT INTO payhook.dead_jobs SELECT transaction_id, source, 1, 'x', enqueued_at FROM gone;"
		"SELECT payhook.retry_all()"},
	{"gone", "DELETE FROM payhook.jobs"},
};

static void a_stale_one_changes_nothing(enum job_outcome outcome)
{
	for (size_t i = 0; i < COUNT_OF(MEANWHILE); i++) {
		static char before[8192];
		database_exec("TRUNCATE payhook.jobs, payhook.transactions, payhook.job_attempts, payhook.dead_jobs");
		enqueue(1, 1);
		me.room = 1;
		claim(&me, ME, (int)i + 1);
		me.room = 0;
		database_exec("%s", MEANWHILE[i].sql);
		snprintf(before, sizeof before, "%s", everything());
		settle_all_with(&me, outcome, 1000, "late");
		cr_expect_eq(me.ended[SETTLED_STALE], (int)i + 1, "a job that was %s", MEANWHILE[i].name);
		cr_expect_str_eq(everything(), before, "a job that was %s", MEANWHILE[i].name);
	}
}

Test(settle, a_stale_success_changes_nothing)
{
	a_stale_one_changes_nothing(JOB_PROCESSED);
}

Test(settle, a_stale_retry_changes_nothing)
{
	a_stale_one_changes_nothing(JOB_RETRIED);
}

Test(settle, a_stale_failure_changes_nothing)
{
	a_stale_one_changes_nothing(JOB_FAILED);
}

Test(settle, a_stale_probe_changes_nothing)
{
	a_stale_one_changes_nothing(JOB_PROBED);
}

Test(settle, every_end_takes_what_a_crash_gave_back_and_nobody_took)
{
	enqueue(1, 4);
	claim(&me, ME, 4);
	me.room = 0;
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0");
	for (int i = 0; i < 4; i++)
		settle_with(&me, i, (enum job_outcome)i, 60000, i ? "why" : NULL);
	until_ended(&me, 4);
	cr_expect_eq(me.ended[SETTLED_NOW], 4);
	EXPECT("t2 1,t4 0", "SELECT string_agg(transaction_id || ' ' || attempt, ',' ORDER BY id) FROM payhook.jobs");
	EXPECT("1 1 1 1", "SELECT string_agg(attempt::text, ' ') FROM payhook.job_attempts");
}

Test(settle, a_second_try_after_a_lost_answer_counts_once)
{
	enqueue(1, 4);
	claim(&me, ME, 4);
	me.room = 0;
	PGconn *c = lock("transactions");
	for (int i = 0; i < 4; i++)
		settle_with(&me, i, (enum job_outcome)i, 60000, i ? "why" : NULL);
	cut_the_blocked();
	unlock(c);
	until_ended(&me, 4);
	cr_expect_eq(me.ended[SETTLED_STALE], 0);
	EXPECT("4", "SELECT count(*) FROM payhook.job_attempts");
	EXPECT("0", "SELECT sum(difference) FROM payhook.reconciliation");
}

Test(settle, two_workers_settle_overlapping_batches_without_waiting_in_a_circle)
{
	/* Both workers have called for all jobs, and a crash has undone both claims.  This is the only case in which
	 * two workers may settle the same job. */
	enqueue(1, 2000);
	claim(&me, ME, 2000);
	me.room = 0;
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0");
	claim(&other, OTHER, 2000);
	other.room = 0;
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0");
	for (int i = 0; i < 2000; i++) {
		settle_with(&me, i, JOB_PROCESSED, 0, NULL);
		settle_with(&other, 1999 - i, i % 2 ? JOB_PROCESSED : JOB_FAILED, 0, "why");
	}
	until_ended(&me, 2000);
	until_ended(&other, 2000);
	cr_expect_eq(me.troubles + other.troubles, 0);
	cr_expect_eq(me.ended[SETTLED_NOW] + other.ended[SETTLED_NOW], 2000);
	EXPECT("2000", "SELECT count(DISTINCT transaction_id) FROM payhook.job_attempts");
	EXPECT("2000", "SELECT count(*) FROM payhook.job_attempts");
	EXPECT("0", "SELECT sum(difference) FROM payhook.reconciliation");
}

/* ---- from one attempt to the next ---- */

static void make_due(void)
{
	database_exec("UPDATE payhook.jobs SET id = DEFAULT, run_at = NULL WHERE run_at IS NOT NULL");
}

static void claim_again(void)
{
	me.room = 1;
	queue_look(me.queue);
	until_taken(&me, me.taken + 1);
}

Test(settle, attempts_count_calls_and_not_probes)
{
	take_one();
	settle_all_with(&me, JOB_RETRIED, 0, "one");
	make_due();
	claim_again();
	cr_expect_eq(me.jobs[1]->attempt, 2);
	settle_all_with(&me, JOB_PROBED, 0, "down");
	make_due();
	claim_again();
	cr_expect_eq(me.jobs[2]->attempt, 2);
	settle_all(&me);
	EXPECT("1 retried,2 probed,2 processed",
		"SELECT string_agg(attempt || ' ' || outcome, ',' ORDER BY finished_at) FROM payhook.job_attempts");
}

Test(settle, what_is_brought_back_from_the_dead_is_processed)
{
	take_one();
	settle_all_with(&me, JOB_FAILED, 0, "404");
	EXPECT("t1 of source transactions is PROCESSING again", "SELECT payhook.retry('t1')");
	claim_again();
	cr_expect_eq(me.jobs[1]->attempt, 1, "it has all its attempts again");
	settle_all(&me);
	EXPECT("PROCESSED", "SELECT status FROM payhook.transactions WHERE failure IS NULL");
	EXPECT("0", "SELECT count(*) FROM payhook.dead_jobs");
}

/* ---- settlements that the server rejects ---- */

/* A cancelled statement was rolled back, so when the job is gone at the second attempt, the first has not settled it. */
Test(settle, a_cancelled_settlement_is_not_unknown)
{
	take_one();
	PGconn *c = lock("jobs");
	settle_with(&me, 0, JOB_PROCESSED, 0, NULL);
	until_blocked();
	PQclear(PQexec(c, "UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL"));
	database_exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker queue' AND wait_event_type = 'Lock'");
	while (me.troubles == 0)
		loop_for(10);
	unlock(c);
	until_ended(&me, 1);
	cr_expect_eq(me.ended[SETTLED_STALE], 1);
	cr_expect_eq(me.ended[SETTLED_UNKNOWN], 0);
}

/* ---- pause ---- */

Test(settle, a_pause_stops_claims_at_once_and_nothing_else)
{
	enqueue(1, 2);
	me.room = 1;
	claim(&me, ME, 1);
	database_exec("SELECT payhook.pause()");
	me.room = 10;
	queue_look(me.queue);
	settle_all(&me);
	enqueue(3, 3);
	loop_for(1200);
	cr_expect_eq(me.taken, 1);
	cr_expect_eq(count_status("PROCESSED"), 1);
	database_exec("SELECT payhook.resume()");
	until_taken(&me, 3);
}

/* Its jobs lie before those of the others, so that a claim walks past them. */
Test(settle, a_paused_source_keeps_its_jobs_and_delays_no_other)
{
	database_exec(
		"INSERT INTO payhook.jobs (source, transaction_id) SELECT 'stripe', 'p' || g FROM generate_series(1, 3) g");
	database_exec("SELECT payhook.pause('stripe'); SELECT payhook.pause('another')");
	enqueue(1, 3);
	me.room = 10;
	claim(&me, ME, 3);
	cr_expect_eq(count_jobs("source = 'stripe' AND owner IS NULL AND attempt = 0"), 3);
	database_exec("SELECT payhook.resume('stripe')");
	until_taken(&me, 6);
	cr_expect_eq(count_jobs("source = 'stripe' AND owner IS NOT NULL"), 3);
}

/* ---- claims that include the transaction ---- */

static void init_whole(void)
{
	claimers_form = CLAIM_TRANSACTION;
	claimer_init();
}

TestSuite(settle_whole, .init = init_whole, .fini = claimer_fini, .timeout = 60);

Test(settle_whole, a_claim_brings_the_transaction_with_its_digits)
{
	enqueue(1, 1);
	database_exec("UPDATE payhook.transactions SET created_at = '2026-02-19 12:00:00.5+00'");
	claim(&me, ME, 1);
	cr_expect_str_eq(me.whole, "acc_user_1 acc_merchant_1 1500.10 USD 2026-02-19T12:00:00.500000Z null null null");
	cr_expect_str_eq(me.jobs[0]->transaction_id, "t1");
	cr_expect_eq(me.jobs[0]->attempt, 1);
	EXPECT("1001 1", "SELECT owner || ' ' || attempt FROM payhook.jobs");
}

Test(settle_whole, a_claim_brings_the_event_of_a_payment_without_an_amount)
{
	enqueue(1, 1);
	database_exec(
		"UPDATE payhook.transactions SET created_at = '2026-02-19 12:00:00.5+00', source_account = NULL,"
		" destination_account = NULL, amount = NULL, currency = NULL, kind = 'refunded', payment_id = 'pi_1',"
		" occurred_at = '2026-02-19 11:59:58+00'");
	claim(&me, ME, 1);
	cr_expect_str_eq(me.whole, "null null null null 2026-02-19T12:00:00.500000Z"
				   " refunded pi_1 2026-02-19T11:59:58.000000Z");
}

Test(settle_whole, a_job_without_a_transaction_is_claimed_all_the_same)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('gone')");
	claim(&me, ME, 1);
	cr_expect_str_eq(me.whole, "");
	settle_all_with(&me, JOB_FAILED, 0, "its transaction is gone");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("gone 1 its transaction is gone",
		"SELECT concat_ws(' ', transaction_id, attempts, error) FROM payhook.dead_jobs");
	EXPECT("gone its transaction is gone null",
		"SELECT concat_ws(' ', transaction_id, error, coalesce(amount::text, 'null')) FROM payhook.failures");
	EXPECT("gone 1 failed its transaction is gone 1001", ATTEMPTS);
}

Test(settle_whole, a_pause_stops_it_too)
{
	enqueue(1, 1);
	database_exec("SELECT payhook.pause()");
	queue_own(me.queue, ME);
	loop_for(1200);
	cr_expect_eq(me.taken, 0);
}
