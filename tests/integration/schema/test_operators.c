/* test_operators.c - the functions and views that operators use in psql. */

#include <criterion/criterion.h>

#include "support/fresh_database.h"

TestSuite(operators, .init = database_init, .fini = database_drop);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)

static void store(const char *id, const char *status)
{
	database_exec("INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount,"
		      " currency, status, processed_at, failure) VALUES ('%s', 'a', 'b', 1, 'EUR', '%s',"
		      " CASE '%s' WHEN 'PROCESSED' THEN now() END, CASE '%s' WHEN 'FAILED' THEN 'no answer' END)",
		id, status, status, status);
}

static void store_dead(const char *id, const char *error, const char *died_at)
{
	store(id, "FAILED");
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)"
		      " VALUES ('%s', 'transactions', 12, '%s', now(), '%s')",
		id, error, died_at);
}

Test(operators, retry_brings_one_back_with_all_its_attempts)
{
	store_dead("t", "503", "now");
	store_dead("u", "503", "now");
	EXPECT("t of source transactions is PROCESSING again", "SELECT payhook.retry('t')");
	EXPECT("PROCESSING", "SELECT status FROM payhook.transactions WHERE transaction_id = 't' AND failure IS NULL");
	EXPECT("t0", "SELECT string_agg(transaction_id || attempt, ',') FROM payhook.jobs WHERE owner IS NULL");
	EXPECT("u", "SELECT string_agg(transaction_id, ',') FROM payhook.dead_jobs");
	EXPECT("FAILED", "SELECT status FROM payhook.transactions WHERE transaction_id = 'u'");
}

Test(operators, retry_reports_when_there_is_nothing_to_do)
{
	store("t", "PROCESSED");
	EXPECT("nothing done: t of source transactions has no dead job", "SELECT payhook.retry('t')");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
	EXPECT("PROCESSED", "SELECT status FROM payhook.transactions");
}

/* A sub-select that finds nothing is null. */
Test(operators, retry_takes_null_for_no_transaction)
{
	store_dead("t", "503", "now");
	EXPECT("nothing done:  of source transactions has no dead job", "SELECT payhook.retry(NULL)");
	EXPECT("nothing done: t of source  has no dead job", "SELECT payhook.retry('t', NULL)");
	EXPECT("nothing done:  of source  has no dead job", "SELECT payhook.retry(NULL, NULL)");
	EXPECT("1", "SELECT count(*) FROM payhook.dead_jobs");
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
}

Test(operators, retry_twice_makes_one_job)
{
	store_dead("t", "503", "now");
	database_exec("SELECT payhook.retry('t'); SELECT payhook.retry('t')");
	EXPECT("1", "SELECT count(*) FROM payhook.jobs");
}

Test(operators, retry_all_takes_those_of_a_time_and_an_error)
{
	store_dead("old", "503", "2026-01-01");
	store_dead("other", "422 no such account", "now");
	store_dead("one", "503 over capacity", "now");
	store_dead("two", "503", "now");
	EXPECT("2 transactions are PROCESSING again", "SELECT payhook.retry_all(now() - interval '1 hour', '503%%')");
	EXPECT("one,two", "SELECT string_agg(transaction_id, ',' ORDER BY transaction_id) FROM payhook.jobs");
	EXPECT("2 transactions are PROCESSING again", "SELECT payhook.retry_all()");
	EXPECT("0", "SELECT count(*) FROM payhook.dead_jobs");
}

Test(operators, reads_transactions_by_the_name_and_columns_of_the_old_service)
{
	store("t", "PROCESSED");
	database_exec("INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account,"
		      " amount, currency) VALUES ('t', 'stripe', 'a', 'b', 2, 'EUR')");
	database_exec("SET ROLE payhook_operator");
	EXPECT("t a b 1 EUR PROCESSED t t",
		"SELECT concat_ws(' ', transaction_id, source_account, destination_account, amount, currency, status,"
		" created_at IS NOT NULL, processed_at IS NOT NULL) FROM public.transactions_transaction");
}

Test(operators, leaves_alone_what_has_the_name_of_the_old_table)
{
	database_exec("DROP VIEW public.transactions_transaction");
	database_exec("CREATE TABLE public.transactions_transaction (id int)");
	database_exec("SELECT payhook.create_compatibility_view(), payhook.grant_rights()");
	EXPECT("r f", "SELECT concat_ws(' ', relkind, has_table_privilege('payhook_operator', oid, 'SELECT'))"
		      " FROM pg_class WHERE oid = 'public.transactions_transaction'::regclass");
}

/* The view is a convenience: a database with an owner that may not make it, or that has no schema public, is migrated too. */
Test(operators, goes_on_where_the_view_cannot_be_made)
{
	database_exec("DROP VIEW public.transactions_transaction");
	database_exec("ALTER SCHEMA public OWNER TO postgres");
	database_exec("GRANT EXECUTE ON FUNCTION payhook.create_compatibility_view() TO payhook_worker");
	database_exec("SET ROLE payhook_worker");
	database_exec("SELECT payhook.create_compatibility_view()");
	database_exec("RESET ROLE");
	EXPECT("null", "SELECT to_regclass('public.transactions_transaction')");
	database_exec("DROP SCHEMA public");
	database_exec("SELECT payhook.create_compatibility_view()");
}

Test(operators, pause_is_one_row_and_resume_none)
{
	database_exec("SELECT payhook.pause(); SELECT payhook.pause()");
	EXPECT("t", "SELECT paused FROM payhook.queue_depth");
	EXPECT("t", "SELECT payhook.resume() LIKE 'working again; paused since %%'");
	EXPECT("f", "SELECT paused FROM payhook.queue_depth");
	EXPECT("not paused", "SELECT payhook.resume()");
}

Test(operators, queue_depth_counts_by_state)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('a'), ('b'), ('c');"
		      "INSERT INTO payhook.jobs (transaction_id, run_at) VALUES ('d', now());"
		      "INSERT INTO payhook.jobs (transaction_id, owner, claimed_at, enqueued_at)"
		      " VALUES ('e', 1, now(), now() - interval '1 minute')");
	store_dead("f", "503", "now");
	EXPECT("3/1/1/1", "SELECT concat_ws('/', ready, waiting, claimed, dead) FROM payhook.queue_depth");
	EXPECT("t", "SELECT oldest_age >= interval '1 minute' FROM payhook.queue_depth");
}

Test(operators, reconciliation_is_zero_when_it_adds_up)
{
	store("a", "PROCESSING");
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('a')");
	store("b", "PROCESSED");
	store_dead("c", "503", "now");
	EXPECT("3/1/1/1/0",
		"SELECT concat_ws('/', accepted, processed, failed, pending, difference) FROM payhook.reconciliation");
}

Test(operators, reconciliation_shows_a_transaction_without_its_job)
{
	store("a", "PROCESSING");
	EXPECT("1", "SELECT difference FROM payhook.reconciliation");
}

Test(operators, reconciliation_shows_a_job_of_a_transaction_that_is_processed)
{
	store("a", "PROCESSED");
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('a')");
	EXPECT("-1", "SELECT difference FROM payhook.reconciliation");
}

Test(operators, conflicts_stand_beside_what_is_stored)
{
	store("t", "PROCESSING");
	database_exec("INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body,"
		      " request_id) VALUES ('t', 'transactions', 1, sha256('{}'), '{}', 'r')");
	EXPECT("t|1|{}|1", "SELECT concat_ws('|', transaction_id, stored_amount, body, count) FROM payhook.conflicts");
}

Test(operators, failures_show_their_reason)
{
	store_dead("t", "no route to host", "now");
	EXPECT("t|12|no route to host", "SELECT concat_ws('|', transaction_id, attempts, error) FROM payhook.failures");
}

static void attempt(const char *finished_at)
{
	database_exec(
		"INSERT INTO payhook.job_attempts VALUES ('t', 'transactions', 1, '%s', '%s', 'retried', '503', 1)",
		finished_at, finished_at);
}

Test(operators, attempts_have_a_partition_a_day_before_it_begins)
{
	attempt("now");
	attempt("tomorrow");
	EXPECT("0", "SELECT count(*) FROM payhook.job_attempts_other");
	EXPECT("2", "SELECT count(DISTINCT tableoid) FROM payhook.job_attempts");
	EXPECT("4 partitions made", "SELECT payhook.keep_attempts(30)");
	EXPECT("null", "SELECT payhook.keep_attempts(30)");
}

Test(operators, attempts_of_old_days_go_with_their_partition)
{
	database_exec("CREATE TABLE payhook.job_attempts_20260101 PARTITION OF payhook.job_attempts"
		      " FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-01-02 00:00:00+00')");
	attempt("2026-01-01 12:00:00+00");
	attempt("2026-01-03 12:00:00+00");
	attempt("now");
	database_exec("SELECT payhook.keep_attempts(0)");
	EXPECT("null", "SELECT payhook.keep_attempts(0)");
	EXPECT("job_attempts_20260101 detached", "SELECT payhook.keep_attempts(30)");
	EXPECT("1", "SELECT count(*) FROM payhook.job_attempts");
	EXPECT("job_attempts_expired_20260101 dropped", "SELECT payhook.keep_attempts(30)");
	EXPECT("null", "SELECT payhook.keep_attempts(30)");
}
