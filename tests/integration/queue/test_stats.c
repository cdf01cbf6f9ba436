/* test_stats.c - the statistics of the queue: what they count, how often they are taken, and their cost. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "queue/stats.h"
#include "support/fresh_database.h"
#include "support/loop.h"

#define PATIENCE_MS 60000 /* for a server that is too busy for a single query */

static struct stats *stats;
static struct stats_request question;
static struct queue_stats seen;
static bool answered, is_there;

static void on_seen(struct stats_request *q, const struct queue_stats *found)
{
	cr_assert_eq(q, &question);
	answered = true;
	is_there = found != NULL;
	if (found)
		seen = *found;
}

static void init(void)
{
	database_init();
	stats = stats_create(loop_open());
	cr_assert_not_null(stats);
	question.done = on_seen;
}

static void fini(void)
{
	stats_destroy(stats);
	loop_close();
	database_drop();
}

TestSuite(stats, .init = init, .fini = fini, .timeout = 120);

static bool is_answered(void *ctx)
{
	(void)ctx;
	return answered;
}

static void ask_once(void)
{
	answered = false;
	stats_ask(stats, &question);
	loop_until(is_answered, NULL, "an answer");
}

/* A query of the statistics has a timeout, which a busy server may exceed.  Then the answer reports that, and the test asks
 * again. */
static void ask(void)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	for (ask_once(); !is_there; ask_once()) {
		cr_assert_lt(clock_ms(), end, "no look is answered");
		loop_for(200);
	}
}

/* Adds jobs in a state, given as "owner, claimed_at, run_at", such as "NULL, NULL, NULL". */
static void add_jobs(const char *word, int count, const char *state)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id, enqueued_at, owner, claimed_at, run_at)"
		      " SELECT '%s' || g, now() - interval '1 min', %s FROM generate_series(1, %d) g",
		word, state, count);
}

#define READY "NULL, NULL, NULL"
#define CLAIMED "1, now(), NULL"
#define WAITING "NULL, NULL, now() + interval '1 h'"
#define HELD "NULL, NULL, 'infinity'"

static void add_parked(int count)
{
	database_exec("INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)"
		      " SELECT g %% 100, g, 's', 'p' || g FROM generate_series(1, %d) g",
		count);
}

Test(stats, of_nothing_sees_nothing)
{
	ask();
	cr_expect_eq(seen.ready + seen.waiting + seen.claimed + seen.dead + seen.workers + seen.conflicts, 0);
	cr_expect_eq(seen.oldest_us, 0);
	cr_expect_eq(seen.paused, 0);
	cr_expect_eq(seen.lag_us, STATS_NO_LAG);
}

Test(stats, sees_jobs_by_their_state_and_what_lies_about)
{
	add_jobs("r", 3, READY);
	add_jobs("c", 4, CLAIMED);
	add_jobs("w", 5, WAITING);
	database_exec("INSERT INTO payhook.workers (owner, host, pid, version, in_flight)"
		      " VALUES (1, 'h', 1, 'v', 4), (2, 'h', 2, 'v', 0)");
	database_exec("UPDATE payhook.workers SET beat_at = now() - interval '21 s' WHERE owner = 2");
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
		      " SELECT 'd' || g, 's', 1, 'e', now() FROM generate_series(1, 6) g");
	database_exec("INSERT INTO payhook.transaction_conflicts"
		      " (transaction_id, source, ordinal, body_sha256, body, request_id)"
		      " SELECT 'x' || g, 's', 1, sha256('b'), 'b', 'r' FROM generate_series(1, 7) g");
	database_exec("SELECT payhook.pause()");
	ask();
	cr_expect_eq(seen.ready, 3);
	cr_expect_eq(seen.claimed, 4);
	cr_expect_eq(seen.waiting, 5);
	cr_expect_eq(seen.dead, 6);
	cr_expect_eq(seen.conflicts, 7);
	cr_expect_eq(seen.workers, 1);
	cr_expect_eq(seen.paused, 1);
	cr_expect(seen.oldest_us >= 60000000 && seen.oldest_us < 90000000, "%lld us", (long long)seen.oldest_us);
}

Test(stats, finds_the_oldest_among_retries_under_fresh_ids)
{
	add_jobs("r", 3, READY);
	add_jobs("w", 1, WAITING);
	database_exec("UPDATE payhook.jobs SET enqueued_at = now() - interval '2 h' WHERE transaction_id = 'w1'");
	ask();
	cr_expect(seen.oldest_us >= 7200000000, "%lld us", (long long)seen.oldest_us);
}

Test(stats, counts_held_and_parked_jobs_as_neither_waiting_nor_old)
{
	add_jobs("h", 3, HELD);
	add_parked(5);
	ask();
	cr_expect_eq(seen.held, 3);
	cr_expect_eq(seen.parked, 5);
	cr_expect_eq(seen.ready + seen.waiting + seen.claimed, 0);
	cr_expect_eq(seen.oldest_us, 0);
}

Test(stats, finds_the_oldest_behind_held_jobs)
{
	add_jobs("h", 100, HELD);
	add_jobs("r", 1, READY);
	ask();
	cr_expect_geq(seen.oldest_us, 60000000);
}

Test(stats, is_taken_once_in_a_while_however_often_it_is_asked_for)
{
	ask();
	add_jobs("r", 3, READY);
	ask();
	cr_expect_eq(seen.ready, 0, "it was taken again at once");
}

#define CONNECTION \
	" FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'payhook-worker stats'"

/* The worker opens another connection after it has noticed the loss of the first one. */
static bool has_another_connection(void *ctx)
{
	return database_number("SELECT count(*)" CONNECTION " AND pid <> %lld", *(const long long *)ctx) > 0;
}

Test(stats, that_fails_reports_it)
{
	ask();
	long long pid = database_number("SELECT pid" CONNECTION);
	database_exec("SELECT pg_terminate_backend(%lld)", pid);
	loop_until(has_another_connection, &pid, "another connection");
	database_exec("DROP TABLE payhook.dead_jobs CASCADE");
	ask_once();
	cr_expect_not(is_there);
}

static long number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

/* The number of pages that one query reads, on a connection with the settings of the statistics. */
static long pages_of_a_look(void)
{
	char info[1024], sql[8192], plan[65536] = "";
	snprintf(info, sizeof info, "%s options='%s'", database_conninfo(), STATS_OPTIONS);
	PGconn *c = PQconnectdb(info);
	snprintf(sql, sizeof sql, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) %s", STATS.sql);
	PGresult *r = PQexec(c, sql);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	size_t len = 0;
	for (int i = 0; i < PQntuples(r) && len < sizeof plan; i++)
		len += (size_t)snprintf(plan + len, sizeof plan - len, "%s\n", PQgetvalue(r, i, 0));
	const char *first = strstr(plan, "Buffers:");
	long pages = first ? number_after(first, "hit=") + number_after(first, "read=") : -1;
	cr_log_info("%s", plan);
	PQclear(r);
	PQfinish(c);
	return pages;
}

/* Reading all rows would take ten times as many pages, and the planner has the statistics of an empty table. */
Test(stats, costs_the_same_however_long_the_queue_is)
{
	database_exec("ANALYZE payhook.jobs");
	add_jobs("h", 100000, HELD);
	add_parked(100000);
	add_jobs("c", 200000, CLAIMED);
	add_jobs("w", 100000, WAITING);
	add_jobs("r", 20000, READY);
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
		      " SELECT 'd' || g, 's', 1, 'e', now() FROM generate_series(1, 100000) g");
	long pages = pages_of_a_look();
	long all = (long)database_number("SELECT pg_relation_size('payhook.jobs') / 8192");
	cr_log_info("%ld pages of %ld", pages, all);
	cr_expect(pages > 0 && pages < 2500, "%ld pages of %ld", pages, all);
	ask();
	cr_expect_eq(seen.ready, STATS_MOST);
	cr_expect_eq(seen.waiting, STATS_MOST);
	cr_expect_eq(seen.dead, STATS_MOST);
	cr_expect_eq(seen.held, STATS_MOST);
	cr_expect_eq(seen.parked, STATS_MOST);
}
