/* test_console_acts.c - what operators do by the console: that it is done, and that it is on record, done or not. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/fresh_database.h"

TestSuite(console_acts, .init = database_init, .fini = database_drop);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)
#define ACT(call) \
	"SELECT status || ' ' || coalesce(body ->> 'outcome', body ->> 'parameter', body ->> 'detail') FROM payhook." call
#define LAST                                                                                                                           \
	"SELECT concat_ws(' ', actor, via, action, source, transaction_id, reason, request_id, outcome) FROM payhook.operator_actions" \
	" ORDER BY action_id DESC LIMIT 1"

static void store(const char *id, const char *status)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount,"
		" currency, status, processed_at, failure) VALUES ('%s', 'stripe', 'a', 'b', 10, 'EUR', '%s',"
		" CASE '%s' WHEN 'PROCESSED' THEN now() END, CASE '%s' WHEN 'FAILED' THEN 'no answer' END)",
		id, status, status, status);
}

static void store_dead(const char *id, const char *error)
{
	store(id, "FAILED");
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at)"
		      " VALUES ('%s', 'stripe', 12, '%s', now())",
		id, error);
}

static const char *status_of(const char *id)
{
	return database_value("SELECT status FROM payhook.transactions WHERE transaction_id = '%s'", id);
}

Test(console_acts, retries_one_that_failed)
{
	store_dead("t", "503");
	EXPECT("200 done", ACT("console_retry('stripe', 't', '', 'fixed', 'anna', 'req')"));
	cr_expect_str_eq(status_of("t"), "PROCESSING");
	EXPECT("1", "SELECT count(*) FROM payhook.jobs");
	EXPECT("anna console retry stripe t fixed req done", LAST);
	EXPECT("409 it is PROCESSING already", ACT("console_retry('stripe', 't', '', '', 'anna', 'req')"));
	EXPECT("1", "SELECT count(*) FROM payhook.jobs");
	EXPECT("anna console retry stripe t req nothing", LAST);
	EXPECT("404 source \"stripe\" has no transaction \"u\"",
		ACT("console_retry('stripe', 'u', '', '', 'anna', 'req')"));
	EXPECT("anna console retry stripe u req nothing", LAST);
}

Test(console_acts, calls_again_what_was_processed_only_with_a_reason)
{
	store("t", "PROCESSED");
	EXPECT("409 it is PROCESSED: to call the processor again send even_processed and a reason",
		ACT("console_retry('stripe', 't', '', 'x', 'anna', 'r')"));
	EXPECT("422 reason", ACT("console_retry('stripe', 't', 'true', '  ', 'anna', 'r')"));
	EXPECT("422 even_processed", ACT("console_retry('stripe', 't', 'yes', 'x', 'anna', 'r')"));
	cr_expect_str_eq(status_of("t"), "PROCESSED");
	EXPECT("200 done", ACT("console_retry('stripe', 't', 'true', 'the ledger lost it', 'anna', 'r')"));
	cr_expect_str_eq(status_of("t"), "PROCESSING");
	EXPECT("anna console retry_processed stripe t the ledger lost it r done", LAST);
	EXPECT("1", "SELECT count(*) FROM payhook.jobs WHERE transaction_id = 't' AND owner IS NULL AND lane IS NULL");
	EXPECT("0", "SELECT sum(difference) FROM payhook.reconciliation");
}

/* The processor would be called with "(erased)" for the account. */
Test(console_acts, does_not_call_again_what_was_erased)
{
	store("t", "PROCESSED");
	EXPECT("true", "SELECT body -> 'may' ->> 'retry_processed' FROM payhook.console_transaction('stripe', 't')");
	database_exec("SELECT payhook.forget('a', true)");
	EXPECT("false", "SELECT body -> 'may' ->> 'retry_processed' FROM payhook.console_transaction('stripe', 't')");
	EXPECT("409 it is PROCESSED and its account was erased: the processor is not called without it",
		ACT("console_retry('stripe', 't', 'true', 'the ledger lost it', 'anna', 'r')"));
	cr_expect_str_eq(status_of("t"), "PROCESSED");
	EXPECT("anna console retry_processed stripe t the ledger lost it r nothing", LAST);
	EXPECT("0", "SELECT count(*) FROM payhook.jobs");
}

Test(console_acts, skips_the_held_head_of_a_payment)
{
	store_dead("t", "503");
	store("u", "PROCESSING");
	database_exec(
		"INSERT INTO payhook.jobs (source, transaction_id, lane, lane_no, run_at) VALUES ('stripe', 't', 5, 1, 'infinity');"
		"INSERT INTO payhook.parked_jobs (source, transaction_id, lane, lane_no) VALUES ('stripe', 'u', 5, 2)");
	EXPECT("422 reason", ACT("console_skip('stripe', 't', '', 'anna', 'r')"));
	EXPECT("200 done", ACT("console_skip('stripe', 't', 'refunded by hand', 'anna', 'r')"));
	EXPECT("u", "SELECT string_agg(transaction_id, ' ') FROM payhook.jobs");
	EXPECT("anna console skip stripe t refunded by hand r done", LAST);
	EXPECT("409 it is FAILED and holds no other", ACT("console_skip('stripe', 't', 'x', 'anna', 'r')"));
}

Test(console_acts, pauses_and_resumes_all_or_one_source)
{
	EXPECT("200 done", ACT("console_pause('stripe', 'bank holiday', 'anna', 'r')"));
	EXPECT("anna console pause stripe bank holiday r done", LAST);
	EXPECT("stripe anna bank holiday", "SELECT concat_ws(' ', source, by_user, reason) FROM payhook.source_pauses");
	EXPECT("0", "SELECT count(*) FROM payhook.pauses");
	EXPECT("409", "SELECT status FROM payhook.console_pause('stripe', '', 'anna', 'r')");
	EXPECT("200 done", ACT("console_pause(NULL, '', 'anna', 'r')"));
	EXPECT("anna", "SELECT by_user FROM payhook.pauses");
	EXPECT("200 done", ACT("console_resume(NULL, '', 'anna', 'r')"));
	EXPECT("200 done", ACT("console_resume('stripe', '', 'anna', 'r')"));
	EXPECT("409 not paused", ACT("console_resume(NULL, '', 'anna', 'r')"));
	EXPECT("0", "SELECT (SELECT count(*) FROM payhook.pauses) + (SELECT count(*) FROM payhook.source_pauses)");
}

/* As of pause(''): an empty text does not stand for all sources here. */
Test(console_acts, pauses_and_resumes_nothing_for_an_empty_source)
{
	EXPECT("422 source", ACT("console_pause('', 'x', 'anna', 'r')"));
	EXPECT("0", "SELECT count(*) FROM payhook.pauses");
	database_exec("SELECT payhook.pause()");
	EXPECT("422 source", ACT("console_resume('', 'x', 'anna', 'r')"));
	EXPECT("1", "SELECT count(*) FROM payhook.pauses");
	EXPECT("1", "SELECT count(*) FROM payhook.operator_actions");
}

/* The functions that were there before do what they did, and go on record. */
Test(console_acts, records_what_operators_do_in_psql)
{
	store_dead("t", "503");
	database_exec("SELECT payhook.retry('t', 'stripe')");
	EXPECT("postgres psql retry stripe t done", LAST);
	database_exec("SELECT payhook.retry_all('-infinity', '%%timeout%%')");
	EXPECT("postgres psql retry_all nothing", LAST);
	database_exec("SELECT payhook.skip('t', 'stripe')");
	EXPECT("postgres psql skip stripe t nothing", LAST);
	database_exec("SELECT payhook.pause()");
	EXPECT("postgres psql pause done", LAST);
	database_exec("SELECT payhook.resume('stripe')");
	EXPECT("postgres psql resume stripe nothing", LAST);
	EXPECT("22023", "SELECT '%s'", database_error("SELECT payhook.pause('')"));
}

Test(console_acts, records_what_was_refused)
{
	EXPECT("403 the key lacks the scope operate",
		ACT("console_refused('retry', 'stripe', 't', 'please', 'guest', 'r', 'the key lacks the scope operate')"));
	EXPECT("guest console retry stripe t please r refused", LAST);
	/* A record does not fail for the length of what a client sent. */
	EXPECT("403",
		"SELECT status FROM payhook.console_refused('x y', repeat('\xc3\xa9', 1000), repeat('i', 9999), repeat('r', 9999),"
		" repeat('a', 999), repeat('q', 999), repeat('d', 9999))");
	EXPECT("other", "SELECT action FROM payhook.operator_actions ORDER BY action_id DESC LIMIT 1");
}

Test(console_acts, nobody_changes_the_record)
{
	database_exec("SELECT payhook.pause()");
	EXPECT("42501", "SELECT '%s'", database_error("UPDATE payhook.operator_actions SET actor = 'somebody'"));
	EXPECT("42501", "SELECT '%s'", database_error("DELETE FROM payhook.operator_actions"));
	EXPECT("42501", "SELECT '%s'", database_error("TRUNCATE payhook.operator_actions"));
	EXPECT("1", "SELECT count(*) FROM payhook.operator_actions WHERE action = 'pause'");
}

/* If the act is undone, so is its row, and the other way round. */
Test(console_acts, an_act_and_its_row_are_one_transaction)
{
	store_dead("t", "503");
	database_exec("BEGIN; SELECT payhook.console_retry('stripe', 't', '', '', 'anna', 'r'); ROLLBACK");
	cr_expect_str_eq(status_of("t"), "FAILED");
	EXPECT("0", "SELECT count(*) FROM payhook.operator_actions");
	database_exec("ALTER TABLE payhook.operator_actions ADD CONSTRAINT broken CHECK (actor <> 'anna')");
	EXPECT("broken", "SELECT '%s'",
		database_error("SELECT payhook.console_retry('stripe', 't', '', '', 'anna', 'r')"));
	cr_expect_str_eq(status_of("t"), "FAILED");
}

/* An operator may call the console's functions in psql, but not in the name of somebody else. */
Test(console_acts, only_the_console_names_the_actor)
{
	database_exec("DROP ROLE IF EXISTS bert; CREATE ROLE bert LOGIN IN ROLE payhook_operator;"
		      "DROP ROLE IF EXISTS program; CREATE ROLE program LOGIN IN ROLE payhook_console");
	database_exec(
		"SET SESSION AUTHORIZATION bert; SELECT payhook.console_pause('stripe', '', 'anna', 'r'); RESET SESSION AUTHORIZATION");
	EXPECT("bert psql pause stripe r done", LAST);
	EXPECT("bert", "SELECT by_user FROM payhook.source_pauses");
	/* Nor is it the console that acted, if the operator gives the own name. */
	database_exec(
		"SET SESSION AUTHORIZATION bert; SELECT payhook.console_pause('stripe', '', 'bert', 'r'); RESET SESSION AUTHORIZATION");
	EXPECT("bert psql pause stripe r nothing", LAST);
	database_exec(
		"SET SESSION AUTHORIZATION program; SELECT payhook.console_resume('stripe', '', 'anna', 'r'); RESET SESSION AUTHORIZATION");
	EXPECT("anna console resume stripe r done", LAST);
	database_exec("DROP ROLE bert; DROP ROLE program");
}

/* ---- operations ---- */

#define START(filter, dry_run, rate, reason) \
	"console_start_operation('retry', '" filter "', '" dry_run "', '" rate "', '" reason "', 'anna', 'r')"

static void store_many(int count)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount,"
		" currency, status, failure) SELECT 'd' || g, 'stripe', 'a' || g %% 10, 'b', g, 'EUR', 'FAILED', 'x'"
		" FROM generate_series(1, %d) g",
		count);
	database_exec(
		"INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)"
		" SELECT 'd' || g, 'stripe', 3, CASE g %% 2 WHEN 0 THEN 'timeout' ELSE '503' END, now(), now() + g * interval '1 s'"
		" FROM generate_series(1, %d) g",
		count);
}

Test(console_acts, an_operation_needs_a_filter)
{
	store_many(3);
	static const char *const FILTERS[] = {"", "{}", "[]", "3", "null", "{", "{\"sorce\": \"stripe\"}",
		"{\"source\": \"\"}", "{\"source\": null}", "{\"source\": {}}", "{\"transactions\": []}",
		"{\"transactions\": [{\"source\": \"s\"}]}", "{\"transactions\": [1]}",
		/* Its text would have 100,001 bytes. */
		"{\"transactions\": [{\"source\": \"s\", \"transaction_id\": 1e100000}]}",
		"{\"transactions\": [{\"source\": \"s\", \"transaction_id\": \"t\"}], \"kind\": \"captured\"}"};
	for (size_t i = 0; i < COUNT_OF(FILTERS); i++)
		cr_expect_str_eq(
			database_value("SELECT status || ' ' || (body ->> 'parameter') FROM"
				       " payhook.console_start_operation('retry', '%s', '', '', 'why', 'anna', 'r')",
				FILTERS[i]),
			"422 filter", "%s", FILTERS[i]);
	EXPECT("422 amount_min", ACT(START("{\"amount_min\": \"much\"}", "", "", "why")));
	EXPECT("422 reason", ACT(START("{\"source\": \"stripe\"}", "", "", "")));
	EXPECT("422 reason", ACT(START("{\"source\": \"stripe\"}", "", "", " \n\t")));
	EXPECT("422 to", ACT(START("{\"from\": \"2026-01-02\", \"to\": \"2026-01-01\"}", "", "", "why")));
	EXPECT("422 rate", ACT(START("{\"source\": \"stripe\"}", "", "2001", "why")));
	EXPECT("422 action",
		"SELECT status || ' ' || (body ->> 'parameter') FROM payhook.console_start_operation('delete', '{}', '', '', '', '', '')");
	EXPECT("0", "SELECT count(*) FROM payhook.operations");
	EXPECT("3", "SELECT count(*) FROM payhook.dead_jobs");
}

Test(console_acts, a_dry_run_shows_and_changes_nothing)
{
	store_many(50);
	EXPECT("200 25 20",
		"SELECT concat_ws(' ', status, body ->> 'total', json_array_length(body -> 'data')) FROM payhook." START(
			"{\"error\": \"TimeOut\"}", "true", "", ""));
	EXPECT("200 5", "SELECT concat_ws(' ', status, body ->> 'total') FROM payhook." START(
				"{\"account\": \"a3\"}", "true", "", ""));
	EXPECT("200 2", "SELECT concat_ws(' ', status, body ->> 'total') FROM payhook." START(
				"{\"amount_min\": 7, \"amount_max\": \"8.0\", \"currency\": \"eur\"}", "true", "", ""));
	EXPECT("0",
		"SELECT (SELECT count(*) FROM payhook.operations) + (SELECT count(*) FROM payhook.operator_actions)");
}

/* What fails after the start is no member, also if it matches. */
Test(console_acts, the_members_of_an_operation_are_fixed_at_its_start)
{
	store_many(10);
	EXPECT("200 done", ACT(START("{\"source\": \"stripe\"}", "", "2000", "why")));
	store_dead("late", "503");
	EXPECT("anna console start_operation stripe why r done", LAST);
	while (database_number("SELECT count(*) FROM payhook.operations WHERE state = 'running'") > 0)
		database_exec(
			"UPDATE payhook.operations SET stepped_at = stepped_at - interval '1 s'; SELECT payhook.run_operations()");
	EXPECT("10 10 10 done", "SELECT concat_ws(' ', total, handled, retried, state) FROM payhook.operations");
	EXPECT("late", "SELECT string_agg(transaction_id, ' ') FROM payhook.dead_jobs");
	EXPECT("10", "SELECT count(*) FROM payhook.jobs");
	EXPECT("null", "SELECT payhook.run_operations()");
}

Test(console_acts, an_operation_takes_those_that_were_selected)
{
	store_many(5);
	EXPECT("200 2",
		"SELECT concat_ws(' ', status, body #>> '{operation,total}') FROM payhook." START(
			"{\"transactions\": [{\"source\": \"stripe\", \"transaction_id\": \"d2\"}, {\"source\": \"stripe\","
			" \"transaction_id\": \"d2\"}, {\"source\": \"stripe\", \"transaction_id\": \"d4\"}, {\"source\": \"x\","
			" \"transaction_id\": \"d1\"}]}",
			"false", "", "why"));
	EXPECT("409 filter", ACT(START("{\"source\": \"nobody\"}", "", "", "why")));
	EXPECT("anna console start_operation nobody why r nothing", LAST);
	EXPECT("1", "SELECT count(*) FROM payhook.operations");
}

/* forget() would not find it, and nobody may change the record. */
Test(console_acts, an_account_is_in_no_record)
{
	store_many(20);
	EXPECT("200 done", ACT(START("{\"account\": \"a7\"}", "", "", "why")));
	EXPECT("2", "SELECT total FROM payhook.operations");
	EXPECT("0",
		"SELECT count(*) FROM payhook.operations o, payhook.operator_actions a WHERE (o::text || a::text) LIKE '%%a7%%'");
}

static void run_operations(int times)
{
	for (int i = 0; i < times; i++)
		database_exec(
			"UPDATE payhook.operations SET stepped_at = stepped_at - interval '1 s'; SELECT payhook.run_operations()");
}

Test(console_acts, an_operation_that_waits_for_a_lock_lets_the_others_go_on)
{
	PGconn *other = database_connect();
	store_many(2);
	EXPECT("200 done", ACT(START("{\"transactions\": [{\"source\": \"stripe\", \"transaction_id\": \"d1\"}]}", "",
				   "", "why")));
	EXPECT("200 done", ACT(START("{\"transactions\": [{\"source\": \"stripe\", \"transaction_id\": \"d2\"}]}", "",
				   "", "why")));
	PQclear(PQexec(other, "BEGIN; SELECT FROM payhook.dead_jobs WHERE transaction_id = 'd1' FOR UPDATE"));
	run_operations(2);
	EXPECT("running done", "SELECT string_agg(state, ' ' ORDER BY operation_id) FROM payhook.operations");
	PQfinish(other);
	run_operations(1);
	EXPECT("done done", "SELECT string_agg(state, ' ' ORDER BY operation_id) FROM payhook.operations");
	EXPECT("2", "SELECT sum(retried) FROM payhook.operations");
}

Test(console_acts, a_canceled_operation_leaves_the_rest)
{
	store_many(10);
	EXPECT("200 done", ACT(START("{\"source\": \"stripe\"}", "", "4", "why")));
	database_exec(
		"UPDATE payhook.operations SET stepped_at = clock_timestamp() - interval '1 s'; SELECT payhook.run_operations()");
	EXPECT("200 done",
		ACT("console_cancel_operation((SELECT max(operation_id) FROM payhook.operations)::text, 'enough', 'anna', 'r')"));
	database_exec(
		"UPDATE payhook.operations SET stepped_at = clock_timestamp() - interval '1 s'; SELECT payhook.run_operations()");
	EXPECT("10 4 4 canceled", "SELECT concat_ws(' ', total, handled, retried, state) FROM payhook.operations");
	EXPECT("6", "SELECT count(*) FROM payhook.dead_jobs");
	EXPECT("409",
		"SELECT status FROM payhook.console_cancel_operation((SELECT max(operation_id) FROM payhook.operations)::text, '', 'anna', 'r')");
	EXPECT("404", "SELECT status FROM payhook.console_cancel_operation('x', '', 'anna', 'r')");
	EXPECT("404", "SELECT status FROM payhook.console_operation('999')");
	EXPECT("canceled", "SELECT body #>> '{data,0,state}' FROM payhook.console_operations('', '')");
}

/* ---- bytes ---- */

Test(console_acts, records_that_a_payload_was_read)
{
	store("t", "PROCESSED");
	EXPECT("404", "SELECT status FROM payhook.console_payload('stripe', 't', 'anna', 'r')");
	EXPECT("anna console payload stripe t r nothing", LAST);
	database_exec(
		"WITH kept AS (INSERT INTO payhook.payloads (source, content_type, headers, body) VALUES ('stripe',"
		" 'application/json', '{}', '\\x00ff') RETURNING payload_id, received_at) UPDATE payhook.transactions t"
		" SET payload_id = k.payload_id, payload_at = k.received_at FROM kept k");
	EXPECT("200 application/json \\x00ff",
		"SELECT concat_ws(' ', status, content_type, bytes) FROM payhook.console_payload('stripe', 't', 'anna', 'r')");
	EXPECT("anna console payload stripe t r done", LAST);
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id) VALUES"
		" ('t', 'stripe', 1, '\\x01', '\\xfe', 'r')");
	EXPECT("200 \\xfe",
		"SELECT concat_ws(' ', status, content_type, bytes) FROM payhook.console_conflict_body('stripe', 't', '1', 'anna', 'r')");
	EXPECT("404", "SELECT status FROM payhook.console_conflict_body('stripe', 't', '2', 'anna', 'r')");
	EXPECT("404", "SELECT status FROM payhook.console_conflict_body('stripe', 't', 'x', 'anna', 'r')");
}
