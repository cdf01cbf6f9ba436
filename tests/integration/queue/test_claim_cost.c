/* test_claim_cost.c - the cost of a claim and of a settlement when the table is full of dead rows that vacuum cannot
 * remove. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/claim.h"
#include "queue/settle.h"
#include "support/fresh_database.h"

static PGconn *worker, *snapshot;

static PGresult *run(PGconn *c, const char *sql)
{
	PGresult *r = PQexec(c, sql);
	ExecStatusType status = PQresultStatus(r);
	cr_assert(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(c));
	return r;
}

/* Opens a connection with the queue's settings, and one with an old snapshot, which keeps all rows that die from now
 * on. */
static void init(void)
{
	char info[1024];
	database_init();
	snprintf(info, sizeof info, "%s options='%s'", database_conninfo(), CLAIM_OPTIONS);
	worker = PQconnectdb(info);
	cr_assert_eq(PQstatus(worker), CONNECTION_OK, "%s", PQerrorMessage(worker));
	snapshot = database_connect();
	PQclear(run(snapshot, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM payhook.jobs"));
}

static void fini(void)
{
	PQfinish(worker);
	PQfinish(snapshot);
	database_drop();
}

TestSuite(claim_cost, .init = init, .fini = fini, .timeout = 120);

/* Leaves what 300,000 jobs leave in the table that were accepted, claimed and settled; then adds ten jobs. */
static void die_by_the_hundred_thousand(void)
{
	for (int i = 0; i < 30; i++) {
		database_exec(
			"INSERT INTO payhook.jobs (transaction_id) SELECT 'dead' || g FROM generate_series(1, 10000) g");
		database_exec("UPDATE payhook.jobs SET owner = 1, claimed_at = now(), attempt = 1");
		database_exec("DELETE FROM payhook.jobs");
	}
	database_exec("INSERT INTO payhook.jobs (transaction_id) SELECT 't' || g FROM generate_series(1, 10) g");
	database_exec("VACUUM ANALYZE payhook.jobs");
}

static long number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	cr_assert_not_null(at, "%s is not in the plan: %s", name, text);
	return strtol(at + strlen(name), NULL, 10);
}

/* The number of buffers that the real statement touches, from the first node of its plan, which includes all others.
 * The statement is rolled back. */
static long buffers(const struct statement *s, const char *parameters)
{
	char sql[2048];
	PGresult *r = PQprepare(worker, s->name, s->sql, 0, NULL);
	cr_assert_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQerrorMessage(worker));
	PQclear(r);
	PQclear(run(worker, "BEGIN"));
	snprintf(sql, sizeof sql, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE %s(%s)", s->name, parameters);
	r = run(worker, sql);
	const char *plan = PQgetvalue(r, 0, 0);
	cr_expect_not_null(strstr(plan, "\"jobs_pkey\""), "it walks the index: %s", plan);
	cr_expect_null(strstr(plan, "\"Seq Scan\""), "it reads no table: %s", plan);
	long touched = number_after(plan, "\"Shared Hit Blocks\":") + number_after(plan, "\"Shared Read Blocks\":");
	PQclear(r);
	PQclear(run(worker, "ROLLBACK; DEALLOCATE ALL"));
	return touched;
}

static long claim_buffers(const struct statement *s, long long after)
{
	char parameters[64];
	snprintf(parameters, sizeof parameters, "%lld, 10, 1001%s", after, s == &CLAIM_ORIGINAL ? ", 1000000" : "");
	return buffers(s, parameters);
}

Test(claim_cost, the_cursor_spares_the_walk_through_the_dead)
{
	die_by_the_hundred_thousand();
	long long cursor = database_number("SELECT min(id) - 1 FROM payhook.jobs");
	long from_zero = claim_buffers(&CLAIM, 0), from_cursor = claim_buffers(&CLAIM, cursor);
	cr_log_info("buffers of a claim of ten: %ld from 0, %ld from the cursor", from_zero, from_cursor);
	cr_expect_gt(from_zero, 1000, "the dead are still there: %ld", from_zero);
	cr_expect_lt(from_cursor * 20, from_zero, "%ld from the cursor, %ld from 0", from_cursor, from_zero);
}

Test(claim_cost, with_the_transactions_it_is_as_flat)
{
	die_by_the_hundred_thousand();
	long long cursor = database_number("SELECT min(id) - 1 FROM payhook.jobs");
	long from_zero = claim_buffers(&CLAIM_WHOLE, 0), from_cursor = claim_buffers(&CLAIM_WHOLE, cursor);
	cr_expect_lt(from_cursor * 20, from_zero, "%ld from the cursor, %ld from 0", from_cursor, from_zero);
}

/* The partition of each request is known from its key: the others are not read. */
Test(claim_cost, with_the_requests_it_is_as_flat)
{
	die_by_the_hundred_thousand();
	database_exec(
		"WITH kept AS (INSERT INTO payhook.payloads (source, content_type, headers, body)"
		"  SELECT source, 'application/json', '{}', transaction_id::bytea FROM payhook.transactions LIMIT 100"
		"  RETURNING payload_id, received_at, convert_from(body, 'UTF8') AS id)"
		" UPDATE payhook.transactions t SET payload_id = k.payload_id, payload_at = k.received_at"
		" FROM kept k WHERE t.transaction_id = k.id");
	long long cursor = database_number("SELECT min(id) - 1 FROM payhook.jobs");
	long whole = claim_buffers(&CLAIM_WHOLE, cursor), original = claim_buffers(&CLAIM_ORIGINAL, cursor);
	long from_zero = claim_buffers(&CLAIM_ORIGINAL, 0);
	cr_log_info("buffers of a claim of ten: %ld with the requests, %ld without", original, whole);
	cr_expect_lt(original * 20, from_zero, "%ld from the cursor, %ld from 0", original, from_zero);
	cr_expect_lt(original, whole + 10 * 20, "%ld with the requests, %ld without", original, whole);
}

Test(claim_cost, a_paused_source_costs_nothing_behind_the_cursor)
{
	database_exec(
		"INSERT INTO payhook.jobs (source, transaction_id) SELECT 'p', 'p' || g FROM generate_series(1, 20000) g");
	long long cursor = database_number("SELECT max(id) FROM payhook.jobs");
	database_exec("INSERT INTO payhook.jobs (transaction_id) SELECT 't' || g FROM generate_series(1, 10) g");
	database_exec("VACUUM ANALYZE payhook.jobs");
	long before = claim_buffers(&CLAIM, cursor);
	database_exec("SELECT payhook.pause('p')");
	long paused = claim_buffers(&CLAIM, cursor), from_zero = claim_buffers(&CLAIM, 0);
	cr_log_info("buffers of a claim of ten: %ld, with a paused source %ld, from 0 %ld", before, paused, from_zero);
	cr_expect_leq(paused, before + 4, "%ld with a paused source, %ld without", paused, before);
	cr_expect_lt(from_zero, 2000, "a look from 0 reads the paused jobs once: %ld", from_zero);
}

Test(claim_cost, a_settlement_walks_past_no_dead_row)
{
	die_by_the_hundred_thousand();
	database_exec("UPDATE payhook.jobs SET owner = 1001, claimed_at = now(), attempt = 1");
	char parameters[1024];
	snprintf(parameters, sizeof parameters, "%s",
		database_value(
			"SELECT concat_ws(', ', quote_literal(array_agg(id)), quote_literal(array_agg(owner)),"
			" quote_literal(array_agg(transaction_id)), quote_literal(array_agg(source)),"
			" quote_literal(array_agg(attempt)), quote_literal(array_agg("
			"   (ARRAY['processed', 'retried', 'failed', 'probed'])[1 + id %% 4])),"
			" quote_literal(array_agg(5)), quote_literal(array_agg(5)), quote_literal(array_agg('x'::text)))"
			" FROM payhook.jobs"));
	long touched = buffers(&SETTLE, parameters);
	cr_log_info("buffers of a settlement of ten: %ld", touched);
	cr_expect_lt(touched, 500, "%ld", touched);
}
