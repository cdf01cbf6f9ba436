/* test_queue.c - claiming and settling jobs in PostgreSQL over the real connection of a worker. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "queue/cursor.h"
#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

TestSuite(queue, .init = claimer_init, .fini = claimer_fini, .timeout = 60);

/* ---- claim ---- */

Test(queue, claims_the_oldest_first_and_no_more_than_there_is_room)
{
	enqueue(1, 10);
	me.room = 4;
	claim(&me, ME, 4);
	loop_for(700);
	cr_expect_eq(me.taken, 4);
	cr_expect_eq(count_jobs("owner = 1001"), 4);
	cr_expect_str_eq(database_value("SELECT string_agg(transaction_id, ' ' ORDER BY id) FROM payhook.jobs"
					" WHERE owner = 1001 AND claimed_at IS NOT NULL AND attempt = 1"),
		"t1 t2 t3 t4");
	me.room = 2;
	queue_look(me.queue);
	until_taken(&me, 6);
	cr_expect_eq(count_jobs("owner = 1001 AND transaction_id IN ('t5', 't6')"), 2);
}

Test(queue, reports_what_it_claimed)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id, source, attempt) VALUES ('t', 'acme', 3)");
	claim(&me, ME, 1);
	cr_expect_str_eq(me.jobs[0]->transaction_id, "t");
	cr_expect_str_eq(me.jobs[0]->source, "acme");
	cr_expect_eq(me.jobs[0]->attempt, 4);
	cr_expect_eq(me.jobs[0]->owner, ME);
	cr_expect_eq(me.jobs[0]->id, database_number("SELECT id FROM payhook.jobs"));
}

Test(queue, leaves_what_waits_for_its_time_or_has_an_owner)
{
	enqueue(1, 3);
	database_exec("UPDATE payhook.jobs SET run_at = now() - interval '1 h' WHERE transaction_id = 't1'");
	database_exec("UPDATE payhook.jobs SET owner = 5, claimed_at = now() WHERE transaction_id = 't2'");
	claim(&me, ME, 1);
	loop_for(700);
	cr_expect_eq(me.taken, 1);
	cr_expect_str_eq(me.jobs[0]->transaction_id, "t3");
}

Test(queue, claims_nothing_without_a_number_or_without_room)
{
	enqueue(1, 3);
	loop_for(700);
	cr_expect_eq(me.taken, 0);
	me.room = 0;
	queue_own(me.queue, ME);
	loop_for(700);
	cr_expect_eq(me.taken, 0);
}

Test(queue, two_workers_never_claim_one_job)
{
	enqueue(1, 5000);
	queue_own(me.queue, ME);
	queue_own(other.queue, OTHER);
	until_taken(&me, 1000);
	until_taken(&other, 1000);
	while (me.taken + other.taken < 5000)
		loop_for(20);
	loop_for(700);
	cr_expect_eq(me.taken + other.taken, 5000);
	cr_expect_eq(count_jobs("owner = 1001"), me.taken);
	cr_expect_eq(count_jobs("owner = 1002"), other.taken);
	cr_expect_eq(count_jobs("attempt = 1"), 5000);
}

Test(queue, finds_one_that_commits_behind_the_cursor)
{
	PGconn *slow = database_connect();
	PQclear(PQexec(slow, "BEGIN; INSERT INTO payhook.jobs (transaction_id) VALUES ('late')"));
	enqueue(1, 5);
	claim(&me, ME, 5);
	loop_for(700);
	PQclear(PQexec(slow, "COMMIT"));
	PQfinish(slow);
	until_taken(&me, 6);
	cr_expect_str_eq(me.jobs[5]->transaction_id, "late");
	cr_expect_eq(queue_counters(me.queue)->late, 1);
}

Test(queue, finds_new_jobs_without_a_notification)
{
	queue_own(me.queue, ME);
	loop_for(100);
	enqueue(1, 3);
	until_taken(&me, 3);
	cr_expect_eq(queue_counters(me.queue)->late, 0);
}

Test(queue, does_not_begin_again_what_it_holds_when_a_crash_undid_the_claim)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0");
	while (count_jobs("owner = 1001") == 0)
		loop_for(20);
	cr_expect_eq(me.taken, 1);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 1);
}

/* ---- a standby that lacks the last transactions was promoted ---- */

/* Undoes the claim, the job and the transaction t1, and gives the job's id to t2. */
static void promote_a_standby_that_lags(void)
{
	database_exec("DELETE FROM payhook.jobs; DELETE FROM payhook.transactions;"
		      "ALTER TABLE payhook.jobs ALTER COLUMN id RESTART WITH 1");
	enqueue(2, 2);
	cr_assert_eq(count_jobs("id = 1 AND transaction_id = 't2'"), 1);
}

Test(queue, takes_a_new_job_that_has_the_id_of_one_in_flight)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	promote_a_standby_that_lags();
	until_taken(&me, 2);
	cr_expect_str_eq(me.jobs[1]->transaction_id, "t2");
	cr_expect_eq(queue_inflight(me.queue)->count, 2);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_STALE], 1, "t1 is not there any more");
	cr_expect_eq(me.ended[SETTLED_NOW], 1);
	cr_expect_eq(count_status("PROCESSED"), 1);
	cr_expect_eq(queue_inflight(me.queue)->count, 0);
}

Test(queue, settles_each_of_two_jobs_with_one_id_by_its_own_outcome)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	promote_a_standby_that_lags();
	until_taken(&me, 2);
	settle_with(&me, 0, JOB_PROCESSED, 0, NULL);
	settle_with(&me, 1, JOB_FAILED, 0, "404");
	until_ended(&me, 2);
	cr_expect_eq(me.ended[SETTLED_NOW], 1);
	cr_expect_str_eq(database_value("SELECT transaction_id || ' ' || failure FROM payhook.transactions"), "t2 404");
}

static void cut_the_queues(void)
{
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker queue'");
}

Test(queue, finds_new_jobs_at_once_after_the_ids_went_back)
{
	enqueue(1, 50);
	claim(&me, ME, 50);
	settle_all(&me);
	/* From then on the looks for late commits begin at 50 as well. */
	loop_for(CURSOR_TICK_MS * (CURSOR_BEHIND + 2));
	cut_the_queues();
	database_exec("ALTER TABLE payhook.jobs ALTER COLUMN id RESTART WITH 1");
	enqueue(51, 51);
	until_taken(&me, 51); /* by the look from 0 of the new connection */
	loop_for(100);
	enqueue(52, 52);
	int64_t now = clock_ms();
	until_taken(&me, 52);
	cr_expect_lt(clock_ms() - now, 2 * CURSOR_TICK_MS);
	cr_expect_eq(count_jobs("id IN (1, 2) AND owner = 1001"), 2);
}

Test(queue, releases_what_it_refuses_and_the_attempt_does_not_count)
{
	enqueue(1, 3);
	me.refuses = true;
	me.room = 3;
	queue_own(me.queue, ME);
	until_released(&me, 1);
	cr_expect_eq(me.released, 3);
	cr_expect_eq(count_jobs("owner IS NULL AND claimed_at IS NULL AND attempt = 0 AND id > 3"), 3);
}

/* ---- settle ---- */

Test(queue, ends_the_job_and_marks_its_transaction)
{
	enqueue(1, 3);
	me.room = 2;
	claim(&me, ME, 2);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 2);
	cr_expect_eq(count_jobs("true"), 1);
	cr_expect_eq(count_status("PROCESSED"), 2);
	cr_expect_eq(count_status("PROCESSING"), 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE processed_at >= created_at"), 2);
	cr_expect_eq(queue_inflight(me.queue)->count, 0);
}

Test(queue, settles_more_than_one_batch)
{
	enqueue(1, 2500);
	claim(&me, ME, 2500);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 2500);
	cr_expect_eq(count_status("PROCESSED"), 2500);
}

Test(queue, a_stale_owner_settles_nothing)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	database_exec("UPDATE payhook.jobs SET owner = 5");
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_STALE], 1);
	cr_expect_eq(count_jobs("owner = 5"), 1);
	cr_expect_eq(count_status("PROCESSING"), 1);
}

Test(queue, an_id_that_was_enqueued_anew_settles_nothing)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	/* The job was freed and claimed again, in the worst case by the same number. */
	database_exec("UPDATE payhook.jobs SET id = DEFAULT");
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_STALE], 1);
	cr_expect_eq(count_jobs("owner = 1001"), 1);
	cr_expect_eq(count_status("PROCESSING"), 1);
}

Test(queue, the_same_id_of_another_transaction_is_not_settled)
{
	enqueue(1, 2);
	me.room = 1;
	claim(&me, ME, 1);
	database_exec("UPDATE payhook.jobs SET transaction_id = 't2' WHERE owner = 1001");
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_STALE], 1);
	cr_expect_eq(count_status("PROCESSING"), 2);
}

Test(queue, settles_what_a_crash_gave_back_and_nobody_took)
{
	enqueue(1, 1);
	claim(&me, ME, 1);
	me.room = 0;
	database_exec("UPDATE payhook.jobs SET owner = NULL, claimed_at = NULL, attempt = 0");
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 1);
	cr_expect_eq(count_status("PROCESSED"), 1);
}

Test(queue, one_stale_among_others_does_not_hold_them_up)
{
	enqueue(1, 3);
	claim(&me, ME, 3);
	database_exec("UPDATE payhook.jobs SET owner = 5 WHERE transaction_id = 't2'");
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 2);
	cr_expect_eq(me.ended[SETTLED_STALE], 1);
}

Test(queue, does_not_touch_a_transaction_that_is_processed_already)
{
	enqueue(1, 1);
	database_exec("UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = '2020-01-01'");
	claim(&me, ME, 1);
	settle_all(&me);
	cr_expect_eq(count_jobs("true"), 0);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE processed_at = '2020-01-01'"), 1);
}

Test(queue, settles_again_when_the_connection_was_cut_in_the_middle)
{
	enqueue(1, 3);
	claim(&me, ME, 3);
	me.room = 0;
	PGconn *c = lock("transactions");
	for (int i = 0; i < 3; i++)
		queue_settle(me.queue, me.jobs[i]);
	cut_the_blocked();
	unlock(c);
	until_ended(&me, 3);
	cr_expect_eq(me.ended[SETTLED_STALE], 0);
	cr_expect_eq(count_status("PROCESSED"), 3);
}

Test(queue, one_that_the_server_refuses_does_not_hold_up_the_others)
{
	enqueue(1, 3);
	database_exec("ALTER TABLE payhook.transactions ADD CONSTRAINT odd"
		      " CHECK (transaction_id <> 't2' OR status = 'PROCESSING')");
	claim(&me, ME, 3);
	for (int i = 0; i < 3; i++)
		queue_settle(me.queue, me.jobs[i]);
	until_ended(&me, 2);
	loop_for(1000);
	cr_expect_eq(count_status("PROCESSED"), 2);
	cr_expect_eq(queue_inflight(me.queue)->count, 1, "it is kept");
	database_exec("ALTER TABLE payhook.transactions DROP CONSTRAINT odd");
	loop_for(6000);
	until_ended(&me, 3);
	cr_expect_eq(me.ended[SETTLED_NOW], 3);
}

Test(queue, settles_under_the_number_it_claimed_with)
{
	enqueue(1, 2);
	me.room = 1;
	claim(&me, ME, 1);
	me.room = 1;
	claim(&me, 1003, 2);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 2);
}
