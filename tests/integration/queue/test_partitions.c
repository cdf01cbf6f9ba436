/* test_partitions.c - the partitions of payloads and job_attempts: made ahead, dropped when nothing needs them, and in
 * nobody's way. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"

static void init(void)
{
	database_init();
	database_exec("SELECT payhook.keep_partitions(NULL, NULL)");
	database_exec("UPDATE payhook.retention_clock SET at = now()");
}

TestSuite(partitions, .init = init, .fini = database_drop, .timeout = 60);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)
#define KEEP "SELECT payhook.keep_partitions(30, 30)"

/* A partition of 2026-01-DAY, with a payload, or an attempt. */
static void old_partition(const char *table, int day)
{
	database_exec("CREATE TABLE payhook.%s_202601%02d PARTITION OF payhook.%s"
		      " FOR VALUES FROM ('2026-01-%02d 00:00:00+00') TO ('2026-01-%02d 00:00:00+00')",
		table, day, table, day, day + 1);
	if (strcmp(table, "payloads") == 0)
		database_exec(
			"INSERT INTO payhook.payloads (payload_id, received_at, source, content_type, headers, body)"
			" VALUES (%d, '2026-01-%02d 12:00:00+00', 's', 'application/json', '{}', '{}')",
			day, day);
	else
		database_exec("INSERT INTO payhook.job_attempts VALUES ('t', 's', 1, '2026-01-%02d 12:00:00+00',"
			      " '2026-01-%02d 12:00:00+00', 'retried', '503', 1)",
			day, day);
}

/* A transaction of that day, which names the payload. */
static void transaction_of(int day)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, amount, payload_id, payload_at)"
		      " VALUES ('t%d', 's', 1, %d, '2026-01-%02d 12:00:00+00')",
		day, day, day);
}

/* The old tables, attached or not, with a space between them. */
static const char *old_tables(void)
{
	return database_value(
		"SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class"
		" WHERE relnamespace = 'payhook'::regnamespace AND relkind = 'r' AND relname ~ '_202601\\d\\d$'");
}

/* Calls until nothing is left to do. */
static void keep(void)
{
	for (int i = 0; strcmp(database_value(KEEP), "null") != 0; i++)
		cr_assert_lt(i, 20);
}

Test(partitions, are_made_a_week_ahead)
{
	EXPECT("8|8",
		"SELECT concat_ws('|', count(*) FILTER (WHERE inhparent = 'payhook.payloads'::regclass),"
		" count(*) FILTER (WHERE inhparent = 'payhook.job_attempts'::regclass AND c.relname <> 'job_attempts_other'))"
		" FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'");
	database_exec("DROP TABLE payhook.payloads_%s",
		database_value("SELECT to_char((now() AT TIME ZONE 'UTC')::date + 3, 'YYYYMMDD')"));
	EXPECT("1 partitions made", KEEP);
	EXPECT("null", KEEP);
	EXPECT("1",
		"WITH t AS (INSERT INTO payhook.payloads (received_at, source, content_type, headers, body)"
		" SELECT now() + n * interval '1 day', 's', 'application/json', '{}', '' FROM generate_series(0, 7) n"
		" RETURNING 1) SELECT count(*) / 8 FROM t");
}

Test(partitions, are_made_while_someone_reads_and_someone_writes)
{
	database_exec("DROP TABLE payhook.payloads_%s",
		database_value("SELECT to_char((now() AT TIME ZONE 'UTC')::date + 7, 'YYYYMMDD')"));
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; SELECT count(*) FROM payhook.payloads; INSERT INTO payhook.payloads"
			      " (source, content_type, headers, body) VALUES ('s', 'application/json', '{}', '')"));
	cr_assert_eq(PQtransactionStatus(other), PQTRANS_INTRANS, "%s", PQerrorMessage(other));
	EXPECT("1 partitions made", KEEP);
	PQfinish(other);
}

Test(partitions, are_dropped_in_two_steps_when_they_are_old)
{
	old_partition("payloads", 1);
	old_partition("job_attempts", 1);
	EXPECT("payloads_20260101 detached", KEEP);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.payloads"), 0);
	EXPECT("payloads_expired_20260101 dropped", KEEP);
	EXPECT("job_attempts_20260101 detached", KEEP);
	EXPECT("job_attempts_expired_20260101 dropped", KEEP);
	EXPECT("null", KEEP);
	cr_expect_str_eq(old_tables(), "");
}

Test(partitions, stay_as_long_as_a_job_a_parked_or_a_dead_job_needs_a_payload)
{
	for (int day = 1; day <= 5; day++) {
		old_partition("payloads", day);
		transaction_of(day);
	}
	database_exec("INSERT INTO payhook.jobs (transaction_id, source) VALUES ('t1', 's')");
	database_exec(
		"INSERT INTO payhook.parked_jobs (lane, lane_no, transaction_id, source) VALUES (1, 1, 't2', 's')");
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
		      " VALUES ('t4', 's', 12, 'x', now())");
	keep();
	cr_expect_str_eq(old_tables(), "payloads_20260101 payloads_20260102 payloads_20260104");
	database_exec("DELETE FROM payhook.jobs");
	database_exec("DELETE FROM payhook.parked_jobs");
	keep();
	cr_expect_str_eq(old_tables(), "payloads_20260104");
	database_exec("DELETE FROM payhook.dead_jobs");
	keep();
	cr_expect_str_eq(old_tables(), "");
}

Test(partitions, of_days_that_are_over_go_when_no_payload_is_to_be_kept)
{
	old_partition("payloads", 1);
	database_exec("SELECT payhook.keep_partitions(0, 0)");
	database_exec("SELECT payhook.keep_partitions(0, 0)");
	cr_expect_str_eq(old_tables(), "");
	EXPECT("null", "SELECT payhook.keep_partitions(0, 0)");
	EXPECT("t",
		"SELECT to_regclass('payhook.' || payhook.payloads_day((now() AT TIME ZONE 'UTC')::date)) IS NOT NULL");
}

Test(partitions, are_dropped_by_the_clock_of_retention)
{
	old_partition("payloads", 1);
	database_exec("UPDATE payhook.retention_clock SET at = '2026-01-31 23:59:59+00'");
	EXPECT("null", KEEP);
	database_exec("UPDATE payhook.retention_clock SET at = '2026-02-01 00:00:00+00'");
	EXPECT("payloads_20260101 detached", KEEP);
}

Test(partitions, that_an_operator_detached_are_left_alone)
{
	old_partition("payloads", 1);
	database_exec("ALTER TABLE payhook.payloads DETACH PARTITION payhook.payloads_20260101");
	keep();
	cr_expect_str_eq(old_tables(), "payloads_20260101");
}

/* ---- beside others ---- */

/* Inserts into both tables, a commit each, as long as partitions are kept.  An insert that waits for a lock for more
 * than 50 ms fails. */
static PGconn *insert_meanwhile(void)
{
	PGconn *conn = database_connect();
	PQclear(PQexec(conn, "SET lock_timeout = '50ms'"));
	cr_assert(PQsendQuery(conn,
		"DO $$ BEGIN"
		"  LOOP"
		"    EXIT WHEN EXISTS (SELECT FROM payhook.pauses);"
		"    INSERT INTO payhook.payloads (source, content_type, headers, body)"
		"      VALUES ('s', 'application/json', '{}', '{}');"
		"    INSERT INTO payhook.job_attempts VALUES ('now', 's', 1, now(), now(), 'processed', NULL, 1);"
		"    COMMIT;"
		"  END LOOP;"
		"END $$"));
	return conn;
}

static void end_inserts(PGconn *conn)
{
	database_exec("SELECT payhook.pause()");
	PGresult *r = PQgetResult(conn);
	cr_expect_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQresultErrorMessage(r));
	PQclear(r);
	PQfinish(conn);
	cr_expect_geq(
		database_number("SELECT count(*) FROM payhook.payloads WHERE received_at > now() - interval '1 day'"),
		1);
}

static PGconn *reading(const char *query)
{
	PGconn *conn = database_connect();
	PQclear(PQexec(conn, "BEGIN"));
	PGresult *r = PQexec(conn, query);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQresultErrorMessage(r));
	PQclear(r);
	return conn;
}

/* The first reader has locked all partitions, the second the table and one other partition. */
Test(partitions, are_dropped_without_delaying_an_insert_beside_a_long_query)
{
	old_partition("payloads", 1);
	old_partition("job_attempts", 1);
	PGconn *inserts = insert_meanwhile();
	PGconn *of_all = reading("SELECT count(*) FROM payhook.payloads, payhook.job_attempts");
	for (int i = 0; i < 30; i++)
		EXPECT("null", KEEP);
	cr_expect_str_eq(old_tables(), "job_attempts_20260101 payloads_20260101");
	PQfinish(of_all);
	PGconn *of_one = reading("SELECT count(*) FROM payhook.payloads WHERE received_at < '2026-01-01 12:00:00+00'"
				 " AND received_at > '2026-01-01'");
	PGconn *of_another = reading("SELECT count(*) FROM payhook.job_attempts WHERE finished_at > '2026-02-01'");
	for (int i = 0; i < 30; i++)
		EXPECT("null", KEEP);
	PQfinish(of_one);
	PQfinish(of_another);
	for (int i = 0; *old_tables(); i++) {
		cr_assert_lt(i, 1000);
		database_exec(KEEP);
	}
	end_inserts(inserts);
}

Test(partitions, are_kept_by_two_workers_at_once)
{
	old_partition("payloads", 1);
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; " KEEP));
	cr_assert_eq(PQtransactionStatus(other), PQTRANS_INTRANS, "%s", PQerrorMessage(other));
	EXPECT("null", KEEP);
	PQclear(PQexec(other, "COMMIT"));
	PQfinish(other);
	EXPECT("payloads_expired_20260101 dropped", KEEP);
}

/* Killed in the middle of a step, which is undone. */
Test(partitions, are_dropped_by_the_next_worker_after_one_was_killed)
{
	old_partition("payloads", 1);
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; " KEEP));
	database_exec("SELECT pg_terminate_backend(%d, 10000)", PQbackendPID(other));
	PQfinish(other);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.payloads"), 1);
	EXPECT("payloads_20260101 detached", KEEP);
	EXPECT("payloads_expired_20260101 dropped", KEEP);
}

/* The workers of the version before call keep_attempts(). */
Test(partitions, are_kept_by_a_worker_of_the_version_before)
{
	old_partition("payloads", 1);
	old_partition("job_attempts", 1);
	database_exec("SET ROLE payhook_worker");
	EXPECT("job_attempts_20260101 detached", "SELECT payhook.keep_attempts(30)");
	EXPECT("job_attempts_expired_20260101 dropped", "SELECT payhook.keep_attempts(30)");
	EXPECT("null", "SELECT payhook.keep_attempts(30)");
	database_exec("RESET ROLE");
	cr_expect_str_eq(old_tables(), "payloads_20260101");
}
