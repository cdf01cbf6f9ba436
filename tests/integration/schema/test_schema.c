/* test_schema.c - the constraints that hold for every client, and the comments that psql shows. */

#include <criterion/criterion.h>
#include <string.h>

#include "support/fresh_database.h"

TestSuite(schema, .init = database_init, .fini = database_drop);

#define REFUSES(constraint, ...) cr_expect_str_eq(database_error(__VA_ARGS__), constraint)
#define ACCEPTS(...) cr_expect_str_eq(database_error(__VA_ARGS__), "accepted")

#define TXN_COLUMNS "transaction_id, source_account, destination_account, amount, currency"

/* Inserts a transaction with this id and amount, given as SQL expressions. */
static const char *insert_txn(const char *id, const char *amount)
{
	return database_error(
		"INSERT INTO payhook.transactions (" TXN_COLUMNS ") VALUES (%s, 'a', 'b', %s, 'EUR')", id, amount);
}

Test(schema, keeps_a_transaction_with_its_written_digits)
{
	cr_assert_str_eq(insert_txn("'t'", "1500.10"), "accepted");
	cr_expect_str_eq(database_value("SELECT amount FROM payhook.transactions"), "1500.10");
	cr_expect_str_eq(database_value("SELECT status FROM payhook.transactions"), "PROCESSING");
	cr_expect_str_eq(database_value("SELECT processed_at FROM payhook.transactions"), "null");
	cr_expect_str_eq(database_value("SELECT source FROM payhook.transactions"), "transactions");
}

Test(schema, keeps_an_amount_below_zero_with_its_written_digits)
{
	cr_assert_str_eq(insert_txn("'t'", "-1500.10"), "accepted");
	cr_assert_str_eq(insert_txn("'u'", "-999999999999999999.99999999"), "accepted");
	cr_expect_str_eq(
		database_value(
			"SELECT string_agg(amount::text, ' ' ORDER BY transaction_id) FROM payhook.transactions"),
		"-1500.10 -999999999999999999.99999999");
}

Test(schema, keeps_one_row_for_an_id_of_a_source)
{
	cr_assert_str_eq(insert_txn("'t'", "1"), "accepted");
	cr_expect_str_eq(insert_txn("'t'", "2"), "transactions_pkey");
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 1);
}

Test(schema, keeps_the_same_id_of_two_sources)
{
	cr_assert_str_eq(insert_txn("'t'", "1"), "accepted");
	ACCEPTS("INSERT INTO payhook.transactions (source, " TXN_COLUMNS ") VALUES ('other', 't', 'a', 'b', 2, 'EUR')");
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.transactions"), 2);
}

Test(schema, bounds_ids_and_accounts_in_bytes)
{
	cr_expect_str_eq(insert_txn("''", "1"), "transactions_id_length");
	cr_expect_str_eq(insert_txn("repeat('x', 255)", "1"), "accepted");
	cr_expect_str_eq(insert_txn("repeat('x', 256)", "1"), "transactions_id_length");
	cr_expect_str_eq(insert_txn("repeat('é', 128)", "1"), "transactions_id_length");
	cr_expect_str_eq(insert_txn("repeat('é', 127)", "1"), "accepted");
	REFUSES("transactions_accounts_length",
		"INSERT INTO payhook.transactions (" TXN_COLUMNS ") VALUES ('t', '', 'b', 1, 'EUR')");
	REFUSES("transactions_accounts_length",
		"INSERT INTO payhook.transactions (" TXN_COLUMNS ") VALUES ('t', 'a', repeat('x', 256), 1, 'EUR')");
	REFUSES("transactions_currency_length",
		"INSERT INTO payhook.transactions (" TXN_COLUMNS ") VALUES ('t', 'a', 'b', 1, 'E')");
}

Test(schema, refuses_an_amount_that_is_not_an_exact_sum)
{
	cr_expect_str_eq(insert_txn("'t'", "0.123456789"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "1.000000000"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "-0.123456789"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "-1000000000000000000"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "'-Infinity'"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "1000000000000000000"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'t'", "'Infinity'"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'nan'", "'NaN'"), "transactions_amount_exact");
	cr_expect_str_eq(insert_txn("'largest'", "999999999999999999.12345678"), "accepted");
	cr_expect_str_eq(insert_txn("'zero'", "0"), "accepted");
}

Test(schema, refuses_a_status_that_lacks_its_time_or_reason)
{
	cr_assert_str_eq(insert_txn("'t'", "1"), "accepted");
	REFUSES("transactions_processed_has_time", "UPDATE payhook.transactions SET status = 'PROCESSED'");
	REFUSES("transactions_processed_has_time", "UPDATE payhook.transactions SET processed_at = now()");
	REFUSES("transactions_failed_has_reason", "UPDATE payhook.transactions SET status = 'FAILED'");
	REFUSES("transactions_failed_has_reason", "UPDATE payhook.transactions SET failure = 'refused'");
	REFUSES("transactions_status_known", "UPDATE payhook.transactions SET status = 'processed'");
	ACCEPTS("UPDATE payhook.transactions SET status = 'FAILED', failure = 'refused'");
	ACCEPTS("UPDATE payhook.transactions SET status = 'PROCESSED', processed_at = now(), failure = NULL");
}

Test(schema, refuses_an_owner_without_the_time_of_its_claim)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('t')");
	REFUSES("jobs_owned_since", "UPDATE payhook.jobs SET owner = 7");
	REFUSES("jobs_owned_since", "UPDATE payhook.jobs SET claimed_at = now()");
	REFUSES("jobs_attempt_counts", "UPDATE payhook.jobs SET attempt = -1");
	ACCEPTS("UPDATE payhook.jobs SET owner = 7, claimed_at = now()");
}

Test(schema, gives_every_job_a_fresh_id)
{
	database_exec("INSERT INTO payhook.jobs (transaction_id) VALUES ('t')");
	/* 428C9: a value for a column that is always generated. */
	REFUSES("428C9", "INSERT INTO payhook.jobs (id, transaction_id) VALUES (9, 'u')");
}

static void insert_conflict(int ordinal, const char *body)
{
	database_exec("INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body,"
		      " request_id) VALUES ('t', 'transactions', %d, sha256('%s'), '%s', 'r')",
		ordinal, body, body);
}

Test(schema, keeps_at_most_sixteen_other_bodies_of_an_id)
{
	for (int i = 1; i <= 16; i++) {
		char body[8];
		snprintf(body, sizeof(body), "b%d", i);
		insert_conflict(i, body);
	}
	REFUSES("transaction_conflicts_bounded",
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
		" VALUES ('t', 'transactions', 17, sha256('b17'), 'b17', 'r')");
	REFUSES("transaction_conflicts_unkept_on_last",
		"UPDATE payhook.transaction_conflicts SET unkept = 1 WHERE ordinal = 15");
	ACCEPTS("UPDATE payhook.transaction_conflicts SET unkept = 1 WHERE ordinal = 16");
}

Test(schema, keeps_each_other_body_once)
{
	insert_conflict(1, "b");
	REFUSES("transaction_conflicts_body_once",
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
		" VALUES ('t', 'transactions', 2, sha256('b'), 'b', 'r')");
}

Test(schema, shows_each_state_of_a_job_in_the_queue_view)
{
	database_exec("INSERT INTO payhook.workers (owner, host, pid, version) VALUES (7, 'h', 42, '0')");
	database_exec(
		"INSERT INTO payhook.jobs (transaction_id, run_at, owner, claimed_at) VALUES"
		" ('ready', NULL, NULL, NULL), ('waiting', now() + '1 h', NULL, NULL), ('claimed', NULL, 7, now()),"
		" ('orphan', NULL, 8, now())");
	cr_expect_str_eq(database_value("SELECT string_agg(transaction_id || ':' || state, ' ') FROM payhook.queue"),
		"ready:ready waiting:waiting claimed:claimed orphan:claimed");
	cr_expect_str_eq(
		database_value(
			"SELECT owner_host || ' ' || owner_pid FROM payhook.queue WHERE transaction_id = 'claimed'"),
		"h 42");
	cr_expect_str_eq(
		database_value("SELECT owner_host FROM payhook.queue WHERE transaction_id = 'orphan'"), "null");
}

Test(schema, explains_every_table_view_and_column)
{
	cr_expect_str_eq(
		database_value("SELECT string_agg(relname, ' ') FROM pg_class"
			       " WHERE relnamespace = 'payhook'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
			       " AND obj_description(oid, 'pg_class') IS NULL"),
		"null");
	cr_expect_str_eq(
		database_value(
			"SELECT string_agg(attrelid::regclass || '.' || attname, ' ')"
			" FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
			" WHERE relnamespace = 'payhook'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
			" AND attnum > 0 AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL"),
		"null");
}

Test(schema, sets_the_search_path_of_the_database)
{
	/* Checks the migrated database itself: a database made from it as a template does not inherit its settings. */
	cr_expect_str_eq(
		database_value("SELECT array_to_string(setconfig, ';') FROM pg_db_role_setting JOIN pg_database"
			       " ON pg_database.oid = setdatabase WHERE datname = 'template_payhook' AND setrole = 0"),
		"search_path=payhook, public");
}

static long long fillfactor(const char *table)
{
	return database_number("SELECT option_value FROM pg_class, pg_options_to_table(reloptions)"
			       " WHERE pg_class.oid = '%s'::regclass AND option_name = 'fillfactor'",
		table);
}

Test(schema, leaves_room_on_its_pages_for_the_one_update_of_a_row)
{
	cr_expect_eq(fillfactor("payhook.transactions"), 47);
	cr_expect_eq(fillfactor("payhook.jobs"), 45);
}

Test(schema, indexes_nothing_that_a_claim_or_a_settlement_changes)
{
	/* pg_depend includes the columns of an index's predicate.  run_at changes only with a retry, not with every
	 * job. */
	cr_expect_str_eq(
		database_value(
			"SELECT string_agg(indexrelid::regclass || '.' || attname, ' ')"
			" FROM pg_index JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = indexrelid"
			" AND refobjid = indrelid JOIN pg_attribute ON attrelid = indrelid AND attnum = refobjsubid"
			" WHERE (indrelid = 'payhook.transactions'::regclass"
			" AND attname IN ('status', 'processed_at', 'failure'))"
			" OR (indrelid = 'payhook.jobs'::regclass"
			" AND attname IN ('owner', 'claimed_at', 'attempt', 'last_error'))"),
		"null");
}

/* Attributes of indexes are those of expressions, of which ANALYZE takes a sample too. */
#define LARGE_SAMPLES                                                                                       \
	"SELECT string_agg(c.oid::regclass || '.' || attname || ' ' || attstattarget, ', ')"                \
	" FROM pg_class c JOIN pg_attribute ON attrelid = c.oid LEFT JOIN pg_index i ON indexrelid = c.oid" \
	" WHERE relnamespace = 'payhook'::regnamespace AND (relkind IN ('r', 'p') OR indexprs IS NOT NULL)" \
	" AND attnum > 0 AND NOT attisdropped AND (relkind IN ('r', 'p') OR indkey[attnum - 1] = 0)"        \
	" AND attstattarget <> CASE WHEN atttypid IN ('bytea'::regtype, 'json'::regtype, 'jsonb'::regtype)" \
	" THEN 0 ELSE 10 END"

#define WITHOUT_PAUSES                                                                                                 \
	"SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'payhook'::regnamespace AND relkind = 'r'" \
	" AND NOT coalesce(reloptions, '{}') @> '{autovacuum_vacuum_cost_limit=100,autovacuum_vacuum_cost_delay=2}'"

static void make_partitions_again(void)
{
	database_exec("DROP TABLE payhook.payloads_%s",
		database_value("SELECT to_char((now() AT TIME ZONE 'UTC')::date + 7, 'YYYYMMDD')"));
	cr_assert_not_null(strstr(database_value("SELECT payhook.keep_partitions(NULL, NULL)"), " made"));
}

Test(schema, lets_analyze_take_a_small_sample)
{
	cr_expect_str_eq(database_value(LARGE_SAMPLES), "null");
	make_partitions_again();
	cr_expect_str_eq(database_value(LARGE_SAMPLES), "null");
}

Test(schema, lets_vacuum_pause)
{
	cr_expect_str_eq(database_value(WITHOUT_PAUSES), "null");
	make_partitions_again();
	cr_expect_str_eq(database_value(WITHOUT_PAUSES), "null");
}
