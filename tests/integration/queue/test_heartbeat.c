/* test_heartbeat.c - a worker's registration, heartbeat and care for other workers' jobs, against PostgreSQL. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "queue/heartbeat.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct heartbeat *heartbeat;
static int ups, downs, works, lost, left;
static int64_t owner;
static int inflight = 3;
static int64_t rescued_jobs = -1, orphans;
static char rescued_host[64];

static void on_up(void *ctx)
{
	(void)ctx;
	ups++;
}

static void on_down(void *ctx, const struct fault *why)
{
	(void)ctx, (void)why;
	downs++;
}

static bool may_refuse;

static void on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)ctx;
	cr_assert(may_refuse, "the server refuses to %s: %s", doing, f->text);
}

static void on_is(void *ctx, int64_t number)
{
	(void)ctx;
	lost += number == 0;
	owner = number;
}

static int on_in_flight(void *ctx)
{
	(void)ctx;
	return inflight;
}

static int64_t open_ms = -1;

static int64_t on_circuit_open_ms(void *ctx)
{
	(void)ctx;
	return open_ms;
}

static void on_notified(void *ctx)
{
	(void)ctx;
	works++;
}

static void on_rescued(void *ctx, const char *host, int pid, int64_t jobs)
{
	(void)ctx;
	cr_assert_eq(rescued_jobs, -1, "one is rescued once");
	snprintf(rescued_host, sizeof rescued_host, "%s:%d", host, pid);
	rescued_jobs = jobs;
}

static void on_orphans(void *ctx, int64_t jobs)
{
	(void)ctx;
	orphans += jobs;
}

static void on_left(void *ctx)
{
	(void)ctx;
	left++;
}

static const struct heartbeat_events EVENTS = {.up = on_up,
	.down = on_down,
	.trouble = on_trouble,
	.is = on_is,
	.in_flight = on_in_flight,
	.circuit_open_ms = on_circuit_open_ms,
	.notified = on_notified,
	.rescued = on_rescued,
	.orphans = on_orphans,
	.left = on_left};

static const struct heartbeat_self SELF = {.host = "here", .pid = 42, .version = "0.0.1", .processor = "http"};

static bool is_worker(void *ctx)
{
	(void)ctx;
	return owner != 0;
}

static void begin(void)
{
	heartbeat = heartbeat_create(loop_open(), &SELF, &EVENTS, NULL);
	cr_assert_not_null(heartbeat);
	loop_until(is_worker, NULL, "it is a worker");
}

static void fini(void)
{
	heartbeat_destroy(heartbeat);
	loop_close();
	database_drop();
}

TestSuite(heartbeat, .init = database_init, .fini = fini, .timeout = 60);

/* A job in the state in which a claim of this owner leaves it. */
static void claimed(const char *transaction_id, long long by)
{
	database_exec(
		"INSERT INTO payhook.jobs (transaction_id, attempt, owner, claimed_at) VALUES ('%s', 1, %lld, now())",
		transaction_id, by);
}

static void a_worker(long long number)
{
	database_exec("INSERT INTO payhook.workers (owner, host, pid, version) VALUES (%lld, 'host%lld', 7, '0')",
		number, number);
}

static long long count_jobs(const char *where)
{
	return database_number("SELECT count(*) FROM payhook.jobs WHERE %s", where);
}

/* ---- the worker itself ---- */

Test(heartbeat, registers_before_it_reports_its_number)
{
	begin();
	cr_expect(heartbeat_is_fresh(heartbeat));
	cr_expect_gt(owner, 0);
	cr_expect_str_eq(
		database_value(
			"SELECT concat_ws(' ', host, pid, version, processor) FROM payhook.workers WHERE owner = %lld",
			(long long)owner),
		"here 42 0.0.1 http");
}

static char first_beat[64];

static bool has_beaten(void *ctx)
{
	(void)ctx;
	return strcmp(database_value("SELECT beat_at FROM payhook.workers"), first_beat) != 0;
}

Test(heartbeat, beats_and_reports_how_many_jobs_are_in_flight)
{
	begin();
	snprintf(first_beat, sizeof first_beat, "%s", database_value("SELECT beat_at FROM payhook.workers"));
	int64_t now = clock_ms();
	loop_until(has_beaten, NULL, "a beat");
	cr_expect_geq(clock_ms() - now, HEARTBEAT_MS - 1000);
	cr_expect_eq(database_number("SELECT in_flight FROM payhook.workers"), 3);
}

static bool shows_the_circuit(void *ctx)
{
	return database_number("SELECT count(circuit_open_since) FROM payhook.workers") == *(const long long *)ctx;
}

Test(heartbeat, shows_at_once_that_the_processor_is_down_and_that_it_is_back)
{
	long long shown = 1, gone = 0;
	begin();
	int64_t now = clock_ms();
	open_ms = 60000;
	heartbeat_send(heartbeat);
	loop_until(shows_the_circuit, &shown, "the circuit is shown as open");
	cr_expect_eq(database_number("SELECT round(extract(epoch FROM beat_at - circuit_open_since))"
				     " FROM payhook.workers"),
		60);
	open_ms = -1;
	heartbeat_send(heartbeat);
	loop_until(shows_the_circuit, &gone, "the circuit is shown as closed");
	cr_expect_lt(clock_ms() - now, HEARTBEAT_MS);
}

static bool is_lost(void *ctx)
{
	(void)ctx;
	return lost > 0;
}

Test(heartbeat, takes_another_number_when_its_row_is_gone)
{
	begin();
	int64_t before = owner;
	database_exec("DELETE FROM payhook.workers");
	loop_until(is_lost, NULL, "the loss is seen");
	loop_until(is_worker, NULL, "it is a worker again");
	cr_expect_neq(owner, before);
	cr_expect_eq(database_number("SELECT owner FROM payhook.workers"), owner);
}

static bool has_left(void *ctx)
{
	(void)ctx;
	return left > 0;
}

Test(heartbeat, leaves_no_row_behind)
{
	begin();
	heartbeat_leave(heartbeat);
	loop_until(has_left, NULL, "it has left");
	loop_for(HEARTBEAT_MS + 500);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers"), 0);
	cr_expect_eq(lost, 0);
	cr_expect_eq(left, 1);
}

static bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-worker heartbeat' AND wait_event_type = 'Lock'") > 0;
}

/* The heartbeat under way finds no row after heartbeat_leave() was called. */
Test(heartbeat, does_not_register_again_while_it_leaves)
{
	begin();
	PGconn *c = database_connect();
	PQclear(PQexec(c, "BEGIN; DELETE FROM payhook.workers"));
	heartbeat_send(heartbeat);
	loop_until(is_blocked, NULL, "the heartbeat is under way");
	heartbeat_leave(heartbeat);
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
	loop_until(has_left, NULL, "it has left");
	loop_for(500);
	cr_expect_eq(lost, 0);
	cr_expect_eq(left, 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers"), 0);
}

static bool is_back(void *ctx)
{
	(void)ctx;
	return ups == 2;
}

Test(heartbeat, stays_the_same_worker_when_its_connection_is_cut)
{
	begin();
	int64_t before = owner;
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker heartbeat'");
	loop_until(is_back, NULL, "it is connected again");
	loop_for(500);
	cr_expect_eq(owner, before);
	cr_expect_eq(lost, 0);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers"), 1);
}

static bool is_fresh(void *ctx)
{
	(void)ctx;
	return heartbeat_is_fresh(heartbeat);
}

Test(heartbeat, begins_no_call_when_its_beats_fail)
{
	begin();
	may_refuse = true; /* the server's timeout may come before the worker's */
	PGconn *c = database_connect();
	PQclear(PQexec(c, "BEGIN; LOCK TABLE payhook.workers IN ACCESS EXCLUSIVE MODE"));
	loop_for(HEARTBEAT_STALE_MS - HEARTBEAT_MS - 1000);
	cr_expect(heartbeat_is_fresh(heartbeat));
	loop_for(HEARTBEAT_MS + 1500);
	cr_expect_not(heartbeat_is_fresh(heartbeat));
	int before = works;
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
	loop_until(is_fresh, NULL, "a beat arrives again");
	cr_expect_gt(works, before, "there may be work again");
	cr_expect_eq(lost, 0);
}

/* ---- work ---- */

static bool has_more_work(void *ctx)
{
	return works > *(const int *)ctx;
}

/* The worker does not find work by its own checks: there are no jobs and no other workers. */
Test(heartbeat, hears_of_new_jobs)
{
	begin();
	loop_for(200);
	int before = works;
	database_exec("NOTIFY jobs");
	loop_until(has_more_work, &before, "the notification is heard");
	cr_expect_eq(ups, 1, "it may be the look of a new connection");
}

static bool is_due_enqueued(void *ctx)
{
	(void)ctx;
	return count_jobs("transaction_id = 'due' AND run_at IS NULL") == 1;
}

Test(heartbeat, enqueues_a_retry_that_got_its_time_from_a_wrong_clock)
{
	begin();
	database_exec("INSERT INTO payhook.jobs (transaction_id, attempt, run_at, last_error) VALUES"
		      " ('due', 2, now() + interval '40 days', 'refused'),"
		      " ('later', 1, now() + interval '24 hours', 'asked to')");
	loop_until(is_due_enqueued, NULL, "the retry is enqueued");
	cr_expect_eq(count_jobs("transaction_id = 'later' AND run_at > now()"), 1);
}

Test(heartbeat, enqueues_a_retry_anew_when_it_is_due)
{
	begin();
	database_exec("INSERT INTO payhook.jobs (transaction_id, attempt, run_at, last_error) VALUES"
		      " ('due', 2, now() + interval '1 s', 'refused'), ('later', 1, now() + interval '1 h', 'refused'),"
		      " ('ready', 0, NULL, NULL)");
	loop_until(is_due_enqueued, NULL, "the retry is enqueued");
	cr_expect_eq(count_jobs("transaction_id = 'due' AND id > 3 AND attempt = 2 AND last_error = 'refused'"), 1);
	cr_expect_eq(count_jobs("transaction_id = 'later' AND id = 2 AND run_at > now()"), 1);
	cr_expect_eq(count_jobs("transaction_id = 'ready' AND id = 3"), 1);
}

/* ---- lanes ---- */

/* Jobs of this many payments, parked and left. */
static void park(const char *prefix, int count)
{
	database_exec("INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)"
		      " SELECT payhook.lane_of('s', '%s' || g), nextval('payhook.lane_numbers'), 's', '%s' || g"
		      " FROM generate_series(1, %d) g",
		prefix, prefix, count);
}

/* Behind many others, whose lanes have a job. */
Test(heartbeat, finds_a_lane_that_was_left_just_now_within_two_seconds)
{
	park("busy", 60000);
	database_exec("SELECT payhook.activate(array_agg(lane)) FROM payhook.parked_jobs");
	park("busy", 60000);
	begin();
	loop_for(1500);
	int64_t at_ms = clock_ms();
	park("fresh", 1);
	while (count_jobs("transaction_id = 'fresh1'") == 0)
		loop_for(10);
	cr_expect_lt(clock_ms() - at_ms, 2000);
}

/* ---- other workers ---- */

static bool has_orphans(void *ctx)
{
	(void)ctx;
	return orphans > 0;
}

#define RECORDED                                                                                            \
	"SELECT string_agg(concat_ws(' ', transaction_id, attempt, outcome, worker), ',' ORDER BY worker, " \
	"transaction_id) FROM payhook.job_attempts WHERE started_at <= finished_at AND error <> ''"

Test(heartbeat, frees_the_jobs_of_owners_that_are_gone)
{
	a_worker(5);
	claimed("living", 5);
	claimed("orphan1", 6);
	claimed("orphan2", 8);
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('ready')");
	begin();
	loop_until(has_orphans, NULL, "the orphans are free");
	cr_expect_eq(orphans, 2);
	cr_expect_eq(count_jobs("transaction_id LIKE 'orphan_' AND owner IS NULL AND claimed_at IS NULL"
				" AND id > 4 AND attempt = 1"),
		2);
	cr_expect_str_eq(database_value(RECORDED), "orphan1 1 unknown 6,orphan2 1 unknown 8");
	cr_expect_eq(count_jobs("transaction_id = 'living' AND owner = 5 AND id = 1"), 1);
	cr_expect_eq(count_jobs("transaction_id = 'ready' AND id = 4"), 1);
}

/* Waits for 20 s without heartbeat of worker 5, while worker 6 sends its heartbeats. */
static void wait_for_silence(int64_t until_ms)
{
	while (rescued_jobs < 0 && clock_ms() < until_ms) {
		database_exec("UPDATE payhook.workers SET beat_at = clock_timestamp() WHERE owner = 6");
		loop_for(1000);
	}
}

Test(heartbeat, rescues_the_jobs_of_the_dead_and_of_nobody_else)
{
	a_worker(5);
	a_worker(6);
	claimed("a", 5);
	claimed("b", 6);
	claimed("c", 5);
	begin();
	int64_t now = clock_ms();
	wait_for_silence(now + 27000);
	cr_expect_geq(clock_ms() - now, 19500);
	cr_expect_eq(rescued_jobs, 2);
	cr_expect_str_eq(rescued_host, "host5:7");
	cr_expect_eq(count_jobs("transaction_id IN ('a', 'c') AND owner IS NULL AND claimed_at IS NULL"
				" AND id > 3 AND attempt = 1"),
		2);
	cr_expect_str_eq(database_value(RECORDED), "a 1 unknown 5,c 1 unknown 5");
	cr_expect_eq(count_jobs("transaction_id = 'b' AND owner = 6 AND id = 2"), 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers WHERE owner = 5"), 0);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers"), 2);
}

static bool is_rescued(void *ctx)
{
	(void)ctx;
	return orphans > 0;
}

/* The connection breaks during the rescue, and the row is gone afterwards: most likely the rescue took effect. */
Test(heartbeat, reports_a_rescue_with_a_lost_answer)
{
	a_worker(5);
	claimed("a", 5);
	database_exec("UPDATE payhook.workers SET in_flight = 1");
	begin();
	loop_for(15000);
	PGconn *c = database_connect();
	PQclear(PQexec(c, "BEGIN; UPDATE payhook.workers SET in_flight = 1 WHERE owner = 5"));
	loop_until(is_blocked, NULL, "the rescue is under way");
	PQclear(PQexec(c, "DELETE FROM payhook.workers WHERE owner = 5;"
			  "UPDATE payhook.jobs SET id = DEFAULT, owner = NULL, claimed_at = NULL"));
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker heartbeat'");
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
	loop_until(is_rescued, NULL, "the rescue is reported");
	cr_expect_eq(orphans, 1, "as the last heartbeat of the dead worker counted them");
}

Test(heartbeat, does_not_rescue_a_worker_that_beats_at_the_last_moment)
{
	a_worker(5);
	claimed("a", 5);
	begin();
	loop_for(15000);
	/* The heartbeat is written but not committed when the rescue begins. */
	PGconn *c = database_connect();
	PQclear(PQexec(c, "BEGIN; UPDATE payhook.workers SET beat_at = now() WHERE owner = 5"));
	loop_until(is_blocked, NULL, "the rescue is under way");
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
	loop_for(1000);
	cr_expect_eq(rescued_jobs, -1);
	cr_expect_eq(count_jobs("owner = 5 AND id = 1"), 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.workers WHERE owner = 5"), 1);
}

Test(heartbeat, counts_no_silence_that_it_did_not_see_itself)
{
	a_worker(5);
	claimed("a", 5);
	begin();
	loop_for(12000);
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker heartbeat'");
	loop_for(12000);
	cr_expect_eq(rescued_jobs, -1);
	cr_expect_eq(count_jobs("owner = 5"), 1);
}
