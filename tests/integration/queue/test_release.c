/* test_release.c - claims whose answers were lost, released jobs, and the cost of each statement for the server. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

TestSuite(release, .init = claimer_init, .fini = claimer_fini, .timeout = 60);

Test(release, releases_what_it_owns_and_does_not_hold)
{
	enqueue(1, 6);
	me.room = 2;
	claim(&me, ME, 2);
	lose(ME, "'t4', 't5'");
	lose(OTHER, "'t6'");
	queue_release(me.queue);
	until_released(&me, 1);
	cr_expect_eq(me.released, 2);
	cr_expect_eq(count_jobs("transaction_id IN ('t4', 't5') AND owner IS NULL AND attempt = 0 AND id > 6"), 2);
	cr_expect_eq(
		count_jobs("transaction_id IN ('t1', 't2') AND owner = 1001 AND id <= 2"), 2, "what it holds stays");
	cr_expect_eq(count_jobs("transaction_id = 't6' AND owner = 1002 AND id = 6"), 1, "what others own stays");
}

/* After the promotion of a standby that lags, a new job may have the id of one in flight. */
Test(release, releases_a_job_that_only_has_the_id_of_one_in_flight)
{
	enqueue(1, 2);
	me.room = 1;
	claim(&me, ME, 1);
	database_exec("UPDATE payhook.jobs SET transaction_id = 'new', owner = NULL, claimed_at = NULL, attempt = 0"
		      " WHERE transaction_id = 't1'");
	lose(ME, "'new'");
	queue_release(me.queue);
	until_released(&me, 1);
	cr_expect_eq(me.released, 1);
	cr_expect_eq(count_jobs("transaction_id = 'new' AND owner IS NULL AND attempt = 0 AND id > 2"), 1);
}

Test(release, releases_when_it_is_connected_anew_before_it_claims)
{
	enqueue(1, 4);
	me.room = 1;
	claim(&me, ME, 1);
	lose(ME, "'t2', 't3'");
	PGconn *c = lock("jobs");
	me.room = 10;
	queue_look(me.queue);
	cut_the_blocked();
	unlock(c);
	until_taken(&me, 4);
	cr_expect_eq(me.released, 2);
	cr_expect_eq(count_jobs("owner = 1001 AND attempt = 1"), 4);
}

Test(release, releases_once_more_when_a_lost_claim_commits_late)
{
	enqueue(1, 2);
	PGconn *c = lock("jobs");
	queue_own(me.queue, ME);
	cut_the_blocked();
	unlock(c);
	until_taken(&me, 2);
	cr_expect_geq(me.releases, 1);
	int64_t released_ms = clock_ms();
	enqueue(3, 3);
	me.room = 0;
	lose(ME, "'t3'");
	loop_for(QUEUE_AGAIN_MS - 1000);
	cr_expect_eq(count_jobs("transaction_id = 't3' AND owner = 1001"), 1, "not before its time");
	while (count_jobs("transaction_id = 't3' AND owner IS NULL AND attempt = 0") == 0 &&
		clock_ms() - released_ms < QUEUE_AGAIN_MS + 3000)
		loop_for(50);
	cr_expect_eq(count_jobs("transaction_id = 't3' AND owner IS NULL AND attempt = 0"), 1);
	cr_expect_eq(count_jobs("owner = 1001"), 2, "what it holds stays");
}

static bool are_claimed_under_the_lost_number(void *ctx)
{
	(void)ctx;
	return count_jobs("owner = 1001") > 0;
}

Test(release, does_not_begin_what_it_claimed_under_a_number_it_has_lost)
{
	enqueue(1, 2);
	PGconn *c = lock("jobs");
	queue_own(me.queue, ME);
	until_blocked();
	queue_own(me.queue, 1003);
	me.room = 0;
	unlock(c);
	loop_until(are_claimed_under_the_lost_number, NULL, "the claim takes effect");
	loop_for(300);
	cr_expect_eq(me.taken, 0);
	cr_expect_eq(count_jobs("owner = 1001"), 2, "they are left to the release of orphans");
}

Test(release, hands_many_back_at_once)
{
	enqueue(1, 5000);
	claim(&me, ME, 5000);
	me.room = 0;
	for (int i = 0; i < 5000; i++)
		queue_drop(me.queue, me.jobs[i]);
	queue_release(me.queue);
	until_released(&me, 1);
	cr_expect_eq(me.released, 5000);
	cr_expect_eq(count_jobs("owner IS NULL AND attempt = 0 AND id > 5000"), 5000);
}

/* ---- cost ---- */

static long long hot_percent(const char *table)
{
	return database_number("SELECT 100 * n_tup_hot_upd / n_tup_upd FROM pg_stat_user_tables"
			       " WHERE schemaname = 'payhook' AND relname = '%s'",
		table);
}

static bool is_counted(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_user_tables WHERE schemaname = 'payhook'"
			       " AND relname IN ('jobs', 'transactions') AND n_tup_upd >= 5000") == 2;
}

Test(release, claims_and_settlements_touch_no_index)
{
	for (int i = 0; i < 5000; i += 500)
		enqueue(i + 1, i + 500);
	claim(&me, ME, 5000);
	settle_all(&me);
	cr_expect_eq(me.ended[SETTLED_NOW], 5000);
	loop_until(is_counted, NULL, "the server has counted its updates");
	cr_expect_geq(hot_percent("jobs"), 95);
	cr_expect_geq(hot_percent("transactions"), 95);
}

/* The current end of the server's WAL, as text; everything written later is behind it. */
static void remember_end(char ret[static 32])
{
	snprintf(ret, 32, "%s", database_value("SELECT pg_current_wal_insert_lsn()"));
}

static bool is_flushed_beyond(const char *end)
{
	return strcmp(database_value("SELECT pg_current_wal_flush_lsn() > '%s'::pg_lsn", end), "t") == 0;
}

Test(release, a_claim_does_not_wait_for_the_disk_and_a_settlement_does)
{
	/* The server's WAL writer flushes a claim within 0.2 s, and so does any other commit.  One unflushed claim in
	 * ten is proof enough. */
	char end[32];
	bool claim_waits = true;
	queue_own(me.queue, ME);
	for (int i = 1; i <= 10; i++) {
		enqueue(i, i);
		remember_end(end);
		queue_look(me.queue);
		until_taken(&me, i);
		claim_waits = claim_waits && is_flushed_beyond(end);
		remember_end(end);
		settle_all(&me);
		cr_expect(is_flushed_beyond(end), "a settlement waits for the disk");
	}
	cr_expect_not(claim_waits);
}

Test(release, a_release_waits_for_the_disk)
{
	char end[32];
	me.room = 0;
	queue_own(me.queue, ME);
	for (int i = 1; i <= 5; i++) {
		enqueue(i, i);
		lose(ME, "'t1', 't2', 't3', 't4', 't5'");
		remember_end(end);
		queue_release(me.queue);
		until_released(&me, i);
		cr_expect_eq(count_jobs("owner IS NULL"), i);
		cr_expect(is_flushed_beyond(end));
	}
}
