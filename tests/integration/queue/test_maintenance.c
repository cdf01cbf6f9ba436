/* test_maintenance.c - what maintenance creates, drops and deletes in time, and what it must keep. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "queue/maintenance.h"
#include "queue/retention.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct connect_state *connect_state;
static char partitions_done[256]; /* all of it */
static long long deleted;
static int troubles;

static void on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)ctx, (void)doing, (void)f;
	troubles++;
}

static void on_partitions(void *ctx, const char *done)
{
	(void)ctx;
	size_t len = strlen(partitions_done);
	snprintf(partitions_done + len, sizeof partitions_done - len, "%s;", done);
}

static void on_transactions(void *ctx, int64_t count)
{
	(void)ctx;
	deleted += count;
}

static int64_t jump_ms;

static void on_jump(void *ctx, int64_t ms)
{
	(void)ctx;
	jump_ms = ms;
}

static const struct maintenance_events EVENTS = {
	.trouble = on_trouble, .partitions = on_partitions, .jump = on_jump, .transactions = on_transactions};

static void init(void)
{
	database_init();
	database_exec("SELECT payhook.keep_partitions(NULL, NULL)"); /* no round of a test has to make any */
	database_exec("UPDATE payhook.retention_clock SET at = now() + interval '1 s'"); /* ages are exact */
	connect_state = loop_open();
}

static void fini(void)
{
	loop_close();
	database_drop();
}

TestSuite(maintenance, .init = init, .fini = fini, .timeout = 120);

/* Stores a transaction of this age, with a conflict. */
static void store(const char *id, const char *status, const char *age)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount,"
		      " currency, status, processed_at, failure, created_at) VALUES ('%s', 'a', 'b', 1, 'EUR', '%s',"
		      " CASE '%s' WHEN 'PROCESSED' THEN now() END, CASE '%s' WHEN 'FAILED' THEN 'x' END,"
		      " now() - interval '%s')",
		id, status, status, status, age);
	database_exec("INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body,"
		      " request_id) VALUES ('%s', 'transactions', 1, sha256('{}'), '{}', 'r')",
		id);
}

static void store_many(int count, int days)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount,"
		" currency, status, processed_at, created_at) SELECT 'many' || g, 'a', 'b', 1, 'EUR', 'PROCESSED',"
		" now(), now() - interval '%d days' + g * interval '1 ms' FROM generate_series(1, %d) g",
		days, count);
}

/* Conditions for loop_until(), by which a round of maintenance has finished; ctx is a number. */

static bool are_deleted(void *ctx)
{
	return deleted >= *(const int *)ctx;
}

static bool are_left(void *ctx)
{
	return database_number("SELECT count(*) FROM payhook.transactions") <= *(const int *)ctx;
}

static bool has_dropped(void *ctx)
{
	(void)ctx;
	return strstr(partitions_done, " dropped;") != NULL;
}

/* The transaction that wrote the clock of retention before a round. */
static char clock_before[32];

/* For a round that reports nothing.  It begins with the clock; the partitions follow, and then the walk over lanes. */
static bool has_looked(void *ctx)
{
	(void)ctx;
	return database_number(
		       "SELECT count(*) FROM pg_stat_activity, payhook.retention_clock c"
		       " WHERE datname = current_database() AND c.xmin <> '%s'::xid"
		       " AND application_name = 'payhook-worker maintenance' AND state = 'idle'"
		       " AND (query LIKE '%%keep_partitions%%' OR query LIKE '%%RECURSIVE walk%%' OR query LIKE '%%run_operations%%')",
		       clock_before) > 0;
}

/* Runs maintenance until the condition holds, and a little longer, in which no more may be done. */
static void maintain(int attempts_days, int transactions_days, bool (*done)(void *ctx), int count)
{
	struct maintenance_days days = {.payloads = 30, .attempts = attempts_days, .transactions = transactions_days};
	snprintf(clock_before, sizeof clock_before, "%s", database_value("SELECT xmin FROM payhook.retention_clock"));
	struct maintenance *m = maintenance_create(connect_state, &days, &EVENTS, NULL);
	cr_assert_not_null(m);
	loop_until(done, &count, "maintenance has done its work");
	loop_for(200);
	maintenance_destroy(m);
	cr_expect_eq(troubles, 0);
}

static const char *left(const char *table)
{
	return database_value("SELECT string_agg(transaction_id, ' ' ORDER BY transaction_id) FROM payhook.%s", table);
}

Test(maintenance, drops_a_partition_in_two_steps)
{
	database_exec("CREATE TABLE payhook.job_attempts_20260101 PARTITION OF payhook.job_attempts"
		      " FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-01-02 00:00:00+00')");
	maintain(0, 0, has_looked, 0);
	cr_expect_str_eq(partitions_done, "", "0 is for ever");
	maintain(30, 0, has_dropped, 0);
	cr_expect_str_eq(partitions_done, "job_attempts_20260101 detached;job_attempts_expired_20260101 dropped;");
}

Test(maintenance, deletes_what_is_old_and_processed_with_its_conflicts)
{
	store("failed", "FAILED", "400 days");
	store("new", "PROCESSED", "1 day");
	store("of_30_days", "PROCESSED", "30 days 23 hours 59 minutes");
	store("old", "PROCESSED", "40 days");
	store("pending", "PROCESSING", "400 days");
	maintain(0, 31, are_deleted, 1);
	cr_expect_eq(deleted, 1);
	cr_expect_str_eq(left("transactions"), "failed new of_30_days pending");
	cr_expect_str_eq(left("transaction_conflicts"), "failed new of_30_days pending");
}

Test(maintenance, keeps_for_ever_when_it_is_asked_to)
{
	store("old", "PROCESSED", "4000 days");
	maintain(0, 0, has_looked, 0);
	cr_expect_str_eq(left("transactions"), "old");
}

Test(maintenance, deletes_nothing_younger_than_31_days_whatever_it_is_asked)
{
	store("of_30_days", "PROCESSED", "743 hours 59 minutes");
	store("of_31_days", "PROCESSED", "744 hours 1 second");
	maintain(0, 1, are_deleted, 1);
	cr_expect_str_eq(left("transactions"), "of_30_days");
}

Test(maintenance, keeps_as_many_days_as_it_is_asked_to)
{
	store("of_39_days", "PROCESSED", "935 hours");
	store("of_41_days", "PROCESSED", "984 hours");
	maintain(0, 40, are_deleted, 1);
	cr_expect_str_eq(left("transactions"), "of_39_days");
}

Test(maintenance, deletes_in_batches_with_a_pause_between)
{
	store_many(2500, 50);
	maintain(0, 31, are_left, 1500);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 1500);
	cr_expect_eq(deleted, 1000, "what was done is reported, also when the worker ends");
	database_exec("TRUNCATE payhook.transactions");
	store_many(2500, 50);
	deleted = 0;
	maintain(0, 31, are_deleted, 2500);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 0);
	cr_expect_eq(deleted, 2500);
}

Test(maintenance, two_share_the_work)
{
	store_many(3500, 50);
	struct maintenance_days days = {.payloads = 30, .attempts = 30, .transactions = 31};
	struct maintenance *a = maintenance_create(connect_state, &days, &EVENTS, NULL),
			   *b = maintenance_create(connect_state, &days, &EVENTS, NULL);
	int all = 3500;
	loop_until(are_deleted, &all, "both have done their part");
	maintenance_destroy(a);
	maintenance_destroy(b);
	cr_expect_eq(troubles, 0);
	cr_expect_eq(deleted, 3500);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 0);
}

Test(maintenance, waits_for_nobody)
{
	store("held", "PROCESSED", "40 days");
	store("old", "PROCESSED", "40 days");
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; SELECT FROM payhook.transactions WHERE transaction_id = 'held' FOR UPDATE"));
	maintain(0, 31, are_deleted, 1);
	PQfinish(other);
	cr_expect_str_eq(left("transactions"), "held");
}

/* ---- payments ---- */

/* Makes a stored transaction an event of a payment. */
static void of_payment(const char *id, const char *payment)
{
	database_exec("UPDATE payhook.transactions SET payment_id = '%s', kind = 'other' WHERE transaction_id = '%s'",
		payment, id);
}

Test(maintenance, deletes_a_payment_as_a_whole)
{
	static const char *const EVENTS_OF[][4] = {{"a1", "gone", "PROCESSED", "80 days"},
		{"a2", "gone", "PROCESSED", "40 days"}, {"b1", "young", "PROCESSED", "80 days"},
		{"b2", "young", "PROCESSED", "1 day"}, {"c1", "failed", "PROCESSED", "80 days"},
		{"c2", "failed", "FAILED", "80 days"}, {"d1", "pending", "PROCESSING", "80 days"},
		{"d2", "pending", "PROCESSED", "80 days"}};
	for (size_t i = 0; i < COUNT_OF(EVENTS_OF); i++) {
		store(EVENTS_OF[i][0], EVENTS_OF[i][2], EVENTS_OF[i][3]);
		of_payment(EVENTS_OF[i][0], EVENTS_OF[i][1]);
	}
	store("e", "PROCESSED", "80 days");
	maintain(0, 31, are_deleted, 3);
	cr_expect_eq(deleted, 3);
	cr_expect_str_eq(left("transactions"), "b1 b2 c1 c2 d1 d2");
	cr_expect_str_eq(left("transaction_conflicts"), "b1 b2 c1 c2 d1 d2");
}

/* Its last event lies beyond what one batch takes; the transactions between the two are found in the same round. */
Test(maintenance, deletes_a_payment_in_one_batch_and_goes_on_behind_its_first_event)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, status, processed_at, created_at, payment_id)"
		" SELECT 'first' || n, 'PROCESSED', now(), now() - interval '60 days', 'p' FROM generate_series(1, 600) n");
	store_many(1500, 50);
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, status, processed_at, created_at, payment_id)"
		" SELECT 'last' || n, 'PROCESSED', now(), now() - interval '40 days', 'p' FROM generate_series(1, 600) n");
	maintain(0, 31, are_left, 1100);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions WHERE payment_id IS NOT NULL"), 0);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 1100);
	maintain(0, 31, are_left, 0);
}

/* More of them than a batch looks at, stored at one time. */
Test(maintenance, goes_on_behind_events_that_stay)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, status, processed_at, created_at, payment_id)"
		" SELECT 'stays' || n, 'PROCESSED', now(), now() - interval '60 days', 'p' FROM generate_series(1, 1200) n");
	store("young", "PROCESSED", "1 day");
	of_payment("young", "p");
	store("old", "PROCESSED", "40 days");
	maintain(0, 31, are_deleted, 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 1201);
}

Test(maintenance, leaves_a_payment_whole_of_which_an_event_is_locked)
{
	store("held", "PROCESSED", "40 days");
	store("other", "PROCESSED", "50 days");
	of_payment("held", "p");
	of_payment("other", "p");
	store("old", "PROCESSED", "40 days");
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; SELECT FROM payhook.transactions WHERE transaction_id = 'held' FOR UPDATE"));
	maintain(0, 31, are_deleted, 1);
	PQfinish(other);
	cr_expect_str_eq(left("transactions"), "held other");
}

/* ---- the clock ---- */

static void clock_of_retention_is(const char *behind)
{
	database_exec("UPDATE payhook.retention_clock SET at = now() - interval '%s'", behind);
}

static bool has_jumped(void *ctx)
{
	(void)ctx;
	return jump_ms > 0;
}

/* The server's clock is 40 days ahead: what was stored just before seems to be 40 days old. */
Test(maintenance, deletes_nothing_because_the_clock_of_the_server_jumped)
{
	clock_of_retention_is("40 days");
	store("new", "PROCESSED", "40 days");
	store("old", "PROCESSED", "80 days");
	database_exec("CREATE TABLE payhook.job_attempts_20260101 PARTITION OF payhook.job_attempts"
		      " FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-01-02 00:00:00+00');"
		      "UPDATE payhook.retention_clock SET at = '2026-01-20'");
	maintain(30, 31, has_jumped, 0);
	cr_expect_str_eq(left("transactions"), "new old");
	cr_expect_str_eq(partitions_done, "", "no partition is dropped");
	clock_of_retention_is("40 days");
	maintain(30, 31, are_deleted, 1);
	cr_expect_str_eq(left("transactions"), "new");
	cr_expect_gt(jump_ms, INT64_C(39) * 86400 * 1000);
}

/* Hours from the clock to the server's, after it was advanced. */
static const char *advanced_by(long long elapsed_ms)
{
	database_exec(
		"PREPARE advance AS %s; EXECUTE advance(%lld); DEALLOCATE advance", RETENTION_CLOCK.sql, elapsed_ms);
	return database_value("SELECT round(extract(epoch FROM now() - at) / 3600) FROM payhook.retention_clock");
}

Test(maintenance, advances_the_clock_by_a_day_an_hour_at_most)
{
	clock_of_retention_is("240 hours");
	cr_expect_str_eq(advanced_by(0), "240");
	cr_expect_str_eq(advanced_by(3600000), "216");
	cr_expect_str_eq(advanced_by(12 * 3600000), "0");
	clock_of_retention_is("-50 hours");
	cr_expect_str_eq(advanced_by(0), "0", "it goes back at once");
}

/* ---- the plan ---- */

Test(maintenance, finds_the_old_by_the_index_on_time)
{
	char info[1024];
	store_many(300000, 60);
	store("new", "PROCESSED", "1 day");
	database_exec("UPDATE payhook.transactions SET created_at = created_at + interval '50 days'"
		      " WHERE transaction_id < 'many7'");
	database_exec("VACUUM ANALYZE payhook.transactions");
	snprintf(info, sizeof info, "%s options='%s'", database_conninfo(), RETENTION_OPTIONS);
	PGconn *c = PQconnectdb(info);
	PGresult *r = PQprepare(c, RETENTION.name, RETENTION.sql, 0, NULL);
	cr_assert_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQerrorMessage(c));
	PQclear(r);
	r = PQexec(c, "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE retention(31, '-infinity', 1000, now())");
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	const char *plan = PQgetvalue(r, 0, 0);
	cr_expect_not_null(strstr(plan, "\"transactions_newest\""), "%s", plan);
	cr_expect_null(strstr(plan, "\"Seq Scan\""), "%s", plan);
	PQclear(r);
	PQfinish(c);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 299001);
}

/* ---- lanes ---- */

static bool are_all_active(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM payhook.parked_jobs") == 0;
}

/* The walk takes three steps, and none rests, since most lanes were left. */
Test(maintenance, finds_lanes_that_were_left)
{
	database_exec("INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)"
		      " SELECT payhook.lane_of('s', g::text), g, 's', g::text FROM generate_series(1, 2500) g");
	struct maintenance *m = maintenance_create(connect_state, &(struct maintenance_days){0}, &EVENTS, NULL);
	loop_until(are_all_active, NULL, "all lanes are walked");
	cr_expect_eq(database_number("SELECT count(lane) FROM payhook.jobs"), 2500);
	cr_expect_eq(troubles, 0);
	maintenance_destroy(m);
}
