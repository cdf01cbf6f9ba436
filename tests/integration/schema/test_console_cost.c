/* test_console_cost.c - how much the console's answers read of a million transactions. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fresh_database.h"

static void init(void)
{
	database_init();
	database_exec(
		"SET synchronous_commit = off;"
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount, currency,"
		" status, processed_at, created_at) SELECT 't' || g, CASE g %% 100 WHEN 0 THEN 'adyen' ELSE 'stripe' END, 'a' || g,"
		" 'b' || g %% 50, 1, 'EUR', 'PROCESSED', now(), now() - interval '20 hours' + (g / 64) * interval '4 ms'"
		" FROM generate_series(1, 1000000) g");
	database_exec(
		"WITH failed AS (UPDATE payhook.transactions SET status = 'FAILED', failure = 'no answer', processed_at = NULL"
		"  WHERE created_at < (SELECT min(created_at) + interval '6 s' FROM payhook.transactions)"
		"  RETURNING transaction_id, source, created_at)"
		" INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)"
		" SELECT transaction_id, source, 12, 'no answer', created_at, created_at FROM failed");
	database_exec("VACUUM ANALYZE payhook.transactions, payhook.dead_jobs");
}

TestSuite(console_cost, .init = init, .fini = database_drop, .timeout = 170);

static long number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	cr_assert_not_null(at, "%s is not in the plan: %s", name, text);
	return strtol(at + strlen(name), NULL, 10);
}

/* The buffers that a call touches, from the first node of its plan.  The first call of a session reads the catalogue too. */
static long buffers(const char *call)
{
	database_value("SELECT status FROM payhook.%s", call);
	const char *plan =
		database_value("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT status, body FROM payhook.%s", call);
	long touched = number_after(plan, "\"Shared Hit Blocks\":") + number_after(plan, "\"Shared Read Blocks\":");
	cr_log_info("%ld buffers: %s", touched, call);
	return touched;
}

static void expect_bounded(const char *call, long most)
{
	long touched = buffers(call);
	cr_expect_leq(touched, most, "%ld buffers, %ld at most: %s", touched, most, call);
}

#define LIST(id, source, status, account, from, error, cursor)                                                 \
	"console_transactions('" id "', '', '" source "', '" status "', '', '" account "', '', '', '', '" from \
	"', '', '" error "', '" cursor "', '')"

Test(console_cost, no_answer_reads_more_than_its_bound)
{
	/* 75,000 rows lie in some 2,000 blocks of the table; with those of the index it is twice as many. */
	const long EXAMINED = 8000;
	expect_bounded(LIST("", "", "", "", "", "", ""), 2500);
	expect_bounded(LIST("t5", "", "", "", "", "", ""), 2500);
	expect_bounded(LIST("", "adyen", "", "", "", "", ""), 2500);
	expect_bounded(LIST("", "nobody", "", "", "", "", ""), EXAMINED);
	expect_bounded(LIST("", "", "PROCESSING", "", "", "", ""), EXAMINED);
	expect_bounded(LIST("", "", "", "a5", "", "", ""), EXAMINED);
	/* A dead job is examined without its transaction, unless that decides. */
	expect_bounded(LIST("", "", "FAILED", "", "", "", ""), 1000);
	expect_bounded(LIST("", "", "", "", "", "timeout", ""), EXAMINED);
	expect_bounded(LIST("", "nobody", "FAILED", "", "", "", ""), EXAMINED);
	expect_bounded(LIST("", "", "FAILED", "nobody", "", "", ""), 10 * EXAMINED);
	expect_bounded("console_transaction('stripe', 't5')", 500);
	expect_bounded("console_overview()", 500);
	expect_bounded("console_conflicts('', '', '', '')", 200);
	expect_bounded("console_auth_failures('', '', '', '')", 200);
	expect_bounded("console_validation_errors('', '', '')", 200);
	expect_bounded("console_unreadable('', '', '')", 200);
	expect_bounded("console_sources()", 200);

	database_exec(
		"INSERT INTO payhook.operator_actions (actor, via, action, outcome, detail)"
		" SELECT 'anna', 'console', 'retry', 'done', 'one of many' FROM generate_series(1, 300000); ANALYZE payhook.operator_actions");
	expect_bounded("console_actions('', '', '', '', '', '')", 200);
	expect_bounded("console_actions('', '', 'nobody', '', '', '')", 3000);
	expect_bounded("console_actions('', 't5', '', '', '', '')", 200);
	cr_expect_str_eq(
		database_value(
			"SELECT concat_ws(' ', json_array_length(body -> 'data'), body ->> 'truncated', body ->> 'next' IS NOT NULL)"
			" FROM payhook.console_actions('', '', 'nobody', '', '', '')"),
		"0 true t");

	/* A search that finds nothing goes on by its cursor, to the end. */
	cr_expect_str_eq(
		database_value(
			"SELECT concat_ws(' ', json_array_length(body -> 'data'), body ->> 'truncated', body ->> 'next' IS NOT NULL)"
			" FROM payhook." LIST("", "nobody", "", "", "", "", "")),
		"0 true t");
	cr_expect_eq(
		database_number("WITH RECURSIVE part(n, body) AS (SELECT 1, body FROM payhook." LIST("", "nobody", "",
			"", "", "",
			"") " UNION ALL SELECT n + 1, l.body FROM part p, payhook.console_transactions('', '', 'nobody', '', '', '',"
			    " '', '', '', '', '', '', p.body ->> 'next', '') l WHERE p.body ->> 'next' IS NOT NULL AND n < 99)"
			    " SELECT max(n) FROM part"),
		14);
}
