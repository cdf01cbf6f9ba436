/* test_console.c - what the functions behind the console's routes answer to those that look. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/fresh_database.h"

TestSuite(console, .init = database_init, .fini = database_drop);

#define EXPECT(value, ...) cr_expect_str_eq(database_value(__VA_ARGS__), value)

/* The parameters of console_transactions(), all but one absent. */
#define BY_ID(id) "'" id "', '', '', '', '', '', '', '', '', '', '', '', '', ''"
#define BY_STATUS(status) "'', '', '', '" status "', '', '', '', '', '', '', '', '', '', ''"
#define BY_ACCOUNT(account) "'', '', '', '', '', '" account "', '', '', '', '', '', '', '', ''"
#define BY_AMOUNT(least, most) "'', '', '', '', '', '', '', '" least "', '" most "', '', '', '', '', ''"
#define BY_TIME(from, to) "'', '', '', '', '', '', '', '', '', '" from "', '" to "', '', '', ''"
#define BY_ERROR(error) "'', '', '', '', '', '', '', '', '', '', '', '" error "', '', ''"
#define ALL(limit) "'', '', '', '', '', '', '', '', '', '', '', '', '', '" limit "'"

#define IDS "(SELECT string_agg(d ->> 'transaction_id', ' ') FROM json_array_elements(body -> 'data') d)"
#define LISTED(parameters) \
	"SELECT status || ' ' || coalesce(" IDS ", '') FROM payhook.console_transactions(" parameters ")"
#define DETAIL(call) \
	"SELECT status || ' ' || coalesce(body ->> 'parameter', '') || ': ' || (body ->> 'detail') FROM payhook." call

static void store(const char *id, const char *status, const char *age)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source, source_account, destination_account, amount,"
		" currency, status, processed_at, failure, created_at) VALUES ('%s', 'stripe', 'a_%s', 'b', 15.50, 'EUR', '%s',"
		" CASE '%s' WHEN 'PROCESSED' THEN now() END, CASE '%s' WHEN 'FAILED' THEN 'no answer' END,"
		" now() - interval '%s')",
		id, id, status, status, status, age);
}

static void store_dead(const char *id, const char *error, const char *age)
{
	store(id, "FAILED", "40 days");
	database_exec("INSERT INTO payhook.dead_jobs (transaction_id, source, attempts, error, enqueued_at, died_at)"
		      " VALUES ('%s', 'stripe', 12, '%s', now(), now() - interval '%s')",
		id, error, age);
}

/* ---- the list of transactions ---- */

Test(console, lists_the_transactions_of_the_last_day_newest_first)
{
	store("old", "PROCESSED", "25 hours");
	store("first", "PROCESSED", "23 hours");
	store("second", "PROCESSING", "1 minute");
	EXPECT("200 second first", LISTED(ALL("")));
	EXPECT("200 second", LISTED(BY_STATUS("PROCESSING")));
	EXPECT("200 first", LISTED(BY_ACCOUNT("a_first")));
	EXPECT("200 second first", LISTED(BY_ACCOUNT("b")));
	EXPECT("200 ", LISTED(BY_AMOUNT("15.51", "")));
	EXPECT("200 second first", LISTED(BY_AMOUNT("15.5", "15.50")));
	database_exec("UPDATE payhook.transactions SET amount = -15.50 WHERE transaction_id = 'first'");
	EXPECT("200 first", LISTED(BY_AMOUNT("-15.5", "-0.01")));
	EXPECT("200 second", LISTED(BY_AMOUNT("0", "")));
}

Test(console, finds_an_id_however_old_it_is)
{
	store("old", "PROCESSED", "900 days");
	database_exec("UPDATE payhook.transactions SET payment_id = 'pi_1', kind = 'captured'");
	store("other", "PROCESSED", "900 days");
	EXPECT("200 old", LISTED(BY_ID("old")));
	EXPECT("200 old", LISTED(BY_ID("pi_1")));
	EXPECT("200 ", LISTED(BY_ID("nothing")));
	EXPECT("200 old", LISTED("'', 'pi_1', '', '', '', '', '', '', '', '', '', '', '', ''"));
	EXPECT("200 ", LISTED("'other', 'pi_1', '', '', '', '', '', '', '', '', '', '', '', ''"));
}

Test(console, begins_at_the_dead_jobs_for_what_failed)
{
	store_dead("one", "Timeout after 5 s", "3 days");
	store_dead("two", "503", "2 days");
	store("fine", "PROCESSED", "1 minute");
	EXPECT("200 two one", LISTED(BY_STATUS("FAILED")));
	EXPECT("200 one", LISTED(BY_ERROR("TIMEOUT")));
	EXPECT("200 ", LISTED(BY_ERROR("%%")));
	EXPECT("200 ", LISTED("'', '', '', 'PROCESSED', '', '', '', '', '', '', '', '503', '', ''"));
}

/* Each part goes on behind the last one; many rows have one time, as those of a batch do. */
Test(console, goes_through_all_rows_by_its_cursor_once)
{
	database_exec(
		"INSERT INTO payhook.transactions (transaction_id, source_account, destination_account, amount, currency,"
		" created_at) SELECT 't' || g, 'a', 'b', 1, 'EUR', now() - (g / 7) * interval '1 s' FROM generate_series(1, 100) g");
	char next[1024] = "", sql[4096];
	database_exec("CREATE TEMPORARY TABLE seen (id text)");
	int parts = 0;
	do {
		snprintf(sql, sizeof sql,
			"WITH part AS MATERIALIZED (SELECT body FROM payhook.console_transactions('', '', '', '', '', '', '', '', '', '',"
			" '', '', '%s', '9')), kept AS (INSERT INTO seen SELECT d ->> 'transaction_id' FROM part,"
			" json_array_elements(body -> 'data') d) SELECT body ->> 'next' FROM part",
			next);
		snprintf(next, sizeof next, "%s", database_value("%s", sql));
		parts++;
	} while (strcmp(next, "null") != 0 && parts < 100);
	cr_expect_eq(parts, 12);
	EXPECT("100 100", "SELECT count(*) || ' ' || count(DISTINCT id) FROM seen");
}

Test(console, names_the_value_and_the_parameter_that_is_wrong)
{
	EXPECT("422 from: from is \"yesterday\": it is a time such as 2026-11-30T01:02:03Z, or a date",
		DETAIL("console_transactions(" BY_TIME("yesterday", "") ")"));
	EXPECT("422 from: from is \"2026-02-30\": there is no such time",
		DETAIL("console_transactions(" BY_TIME("2026-02-30", "") ")"));
	EXPECT("422 from: from is \"2026-01-01T00:00:00+99:99\": there is no such time",
		DETAIL("console_transactions(" BY_TIME("2026-01-01T00:00:00+99:99", "") ")"));
	EXPECT("422 to: to is 2026-01-01T00:00:00.000000Z, and from is 2026-01-02T00:00:00.000000Z: nothing is between them",
		DETAIL("console_transactions(" BY_TIME("2026-01-02", "2026-01-01") ")"));
	EXPECT("422 from: from 2026-01-01T00:00:00.000000Z to 2026-03-01T00:00:00.000000Z is more than 31 days: narrow the range, or"
	       " ask by id",
		DETAIL("console_transactions(" BY_TIME("2026-01-01", "2026-03-01") ")"));
	EXPECT("422 status: status is \"DONE\": it is one of PROCESSING, PROCESSED, FAILED",
		DETAIL("console_transactions(" BY_STATUS("DONE") ")"));
	EXPECT("422 amount_min: amount_min is \"1e9\": it is an amount such as 1500.10 or -5.00",
		DETAIL("console_transactions(" BY_AMOUNT("1e9", "") ")"));
	EXPECT("422 limit: limit is \"201\": it is a whole number from 1 to 200",
		DETAIL("console_transactions(" ALL("201") ")"));
}

/* Anybody with a key may send any bytes as a cursor. */
Test(console, refuses_a_cursor_that_it_has_not_made)
{
	static const char *const CURSORS[] = {"x", "====", "bnVsbA", "W10", "WyJ0cmFuc2FjdGlvbnMiXQ", "eyJhIjoxfQ",
		"WyJ0cmFuc2FjdGlvbnMiLCIxZTkiLCJhIiwiYiJd" /* ["transactions","1e9","a","b"] */,
		"WyJ0cmFuc2FjdGlvbnMiLCI5OTk5OTk5OTk5OTk5OTk5OTk5OSIsImEiLCJiIl0" /* a number of 20 digits */,
		"WyJ0cmFuc2FjdGlvbnMiLG51bGwsImEiLCJiIl0" /* null */, "_w", "gICA", "\xc3\xa9"};
	for (size_t i = 0; i < COUNT_OF(CURSORS); i++)
		cr_expect_str_eq(
			database_value(
				"SELECT status || ' ' || (body ->> 'parameter') FROM payhook.console_transactions("
				"'', '', '', '', '', '', '', '', '', '', '', '', '%s', '')",
				CURSORS[i]),
			"422 cursor", "%s", CURSORS[i]);
	EXPECT("422",
		"SELECT status FROM payhook.console_actions('', '', '', '', payhook.console_cursor('conflicts', '1'), '')");
	EXPECT("422",
		"SELECT status FROM payhook.console_conflicts('', '', payhook.console_cursor('conflicts', '1', 'a', 'b', 'c'), '')");
}

/* ---- one transaction ---- */

Test(console, shows_the_whole_story_of_one_transaction)
{
	store_dead("t", "503", "1 hour");
	database_exec(
		"INSERT INTO payhook.job_attempts VALUES ('t', 'stripe', 1, now() - interval '2 s', now(), 'failed', '503', 7);"
		"INSERT INTO payhook.workers (owner, host, pid, version) VALUES (7, 'h', 1, '1');"
		"SELECT payhook.console_retry('stripe', 'other', '', '', '', '')");
	database_exec(
		"WITH kept AS (INSERT INTO payhook.payloads (source, content_type, headers, body) VALUES ('stripe',"
		" 'application/json', '{}', '{}') RETURNING payload_id, received_at) UPDATE payhook.transactions t"
		" SET payload_id = k.payload_id, payload_at = k.received_at FROM kept k");
	database_exec("SELECT payhook.console_skip('stripe', 't', 'wrong one', '', '')");
#define STORY(path) \
	"SELECT status || ' ' || coalesce(body #>> '" path "', 'null') FROM payhook.console_transaction('stripe', 't')"
	EXPECT("200 FAILED", STORY("{transaction,status}"));
	EXPECT("200 15.50", STORY("{transaction,amount}"));
	EXPECT("200 12", STORY("{dead,attempts}"));
	EXPECT("200 null", STORY("{job}"));
	EXPECT("200 2000", STORY("{attempts,0,duration_ms}"));
	EXPECT("200 h", STORY("{attempts,0,worker_host}"));
	EXPECT("200 2", STORY("{payload,size}"));
	EXPECT("200 skip", STORY("{actions,0,action}"));
	EXPECT("200 {\"retry\" : true, \"retry_processed\" : false, \"skip\" : false}", STORY("{may}"));
	EXPECT("404 : source \"stripe\" has no transaction \"u\"", DETAIL("console_transaction('stripe', 'u')"));
}

Test(console, shows_where_a_job_is)
{
#define JOB \
	"SELECT body #>> '{job,state}' || ' ' || coalesce(body #>> '{job,behind}', '') FROM payhook.console_transaction('stripe', '%s')"
	store("t", "PROCESSING", "1 s");
	store("u", "PROCESSING", "1 s");
	database_exec("UPDATE payhook.transactions SET payment_id = 'p'");
	database_exec(
		"INSERT INTO payhook.jobs (source, transaction_id, lane, lane_no) VALUES ('stripe', 't', payhook.lane_of('stripe', 'p'), 1)");
	database_exec("INSERT INTO payhook.parked_jobs (source, transaction_id, lane, lane_no) VALUES ('stripe', 'u',"
		      " payhook.lane_of('stripe', 'p'), 2)");
	EXPECT("ready ", JOB, "t");
	EXPECT("parked t", JOB, "u");
	database_exec("UPDATE payhook.jobs SET run_at = 'infinity'");
	EXPECT("held ", JOB, "t");
	database_exec("UPDATE payhook.jobs SET run_at = now(), lane = NULL, lane_no = NULL");
	EXPECT("waiting ", JOB, "t");
}

Test(console, marks_the_members_of_a_conflict_that_differ)
{
	store("t", "PROCESSED", "1 s");
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id) VALUES"
		" ('t', 'stripe', 1, '\\x01', '{\"transaction_id\": \"t\", \"source_account\": \"a_t\","
		" \"destination_account\": \"c\", \"amount\": 15.5, \"currency\": \"eur\"}', 'r'),"
		" ('t', 'stripe', 2, '\\x02', '\\xff00', 'r'), ('t', 'stripe', 3, '\\x03', '{\"id\": 1}', 'r'),"
		" ('t', 'stripe', 4, '\\x04', '\\x1f8b08', 'r')");
	EXPECT("[\"destination_account\"]",
		"SELECT body #> '{data,3,differs}' FROM payhook.console_conflicts('stripe', '', '', '')");
	EXPECT("null [] null",
		"SELECT concat_ws(' ', body #> '{data,2,offered}', body #> '{data,2,differs}', body #> '{data,0,offered}')"
		" FROM payhook.console_conflicts('', 't', '', '')");
	EXPECT("4", "SELECT json_array_length(body -> 'conflicts') FROM payhook.console_transaction('stripe', 't')");
}

/* A body of a provider's own form may have members of these names too, of any length. */
Test(console, shows_the_start_of_a_conflicts_members)
{
	database_exec(
		"INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id) VALUES"
		" ('t', 'stripe', 1, '\\x01', convert_to(json_build_object('transaction_id', 't', 'amount', 1, 'currency',"
		" repeat('c', 300000), 'source_account', repeat('a', 300000))::text, 'UTF8'), 'r')");
	EXPECT("200 256 100",
		"SELECT concat_ws(' ', status, char_length(body #>> '{data,0,offered,source_account}'),"
		" char_length(body #>> '{data,0,offered,currency}')) FROM payhook.console_conflicts('', '', '', '')");
}

/* ---- the rest ---- */

Test(console, computes_the_overview_once_a_second)
{
	store_dead("t", "503", "1 hour");
	EXPECT("200 down 1",
		"SELECT status || ' ' || (body ->> 'health') || ' ' || (body #>> '{queue,dead}') FROM payhook.console_overview()");
	/* In one transaction, so at one time. */
	database_exec("BEGIN; SELECT payhook.add_rates('{stripe}', '{5}', '{1}', '{4}', '{1}')");
	EXPECT("60 5 1 4 1",
		"SELECT concat_ws(' ', json_array_length(body -> 'minutes'), m ->> 'accepted', m ->> 'refused', m ->> 'processed',"
		" m ->> 'failed') FROM payhook.console_overview_now() body, LATERAL (SELECT body #> '{minutes,59}' AS m) l"
		" WHERE json_array_length(body -> 'minutes') = 60");
	database_exec("COMMIT");
	/* Frozen at this second, whatever the clock of the machine does. */
	database_exec("UPDATE payhook.overview_cache SET computed_at = clock_timestamp() + interval '1 hour'");
	database_exec("SELECT payhook.pause()");
	EXPECT("t", "SELECT body ->> 'paused' IS NOT NULL FROM payhook.console_overview()");
	EXPECT("cached",
		"UPDATE payhook.overview_cache SET computed_at = clock_timestamp(), body = '{\"at\": \"cached\"}';"
		"SELECT body ->> 'at' FROM payhook.console_overview()");
}

Test(console, has_no_age_of_the_oldest_job_without_a_job)
{
	EXPECT("null", "SELECT payhook.console_queue() -> 'oldest_age_ms'");
	store("t", "PROCESSING", "1 s");
	database_exec("INSERT INTO payhook.jobs (source, transaction_id, enqueued_at)"
		      " VALUES ('stripe', 't', now() - interval '90 s')");
	EXPECT("t", "SELECT (payhook.console_queue() ->> 'oldest_age_ms')::bigint BETWEEN 90000 AND 100000");
}

Test(console, points_out_a_source_that_keeps_what_it_cannot_map)
{
	database_exec("SELECT payhook.keep_unreadable('{stripe}', '{}', '{t}', '{\"{}\"}', '{x}', '{}', '{r}')");
	EXPECT("webhooks of source stripe cannot be mapped and are kept: mend its mapping, then payhook remap",
		"SELECT detail FROM payhook.console_problems('{}') WHERE code = 'unreadable'");
	database_exec("SELECT payhook.drop_unreadable(unreadable_id) FROM payhook.unreadable_webhooks");
	EXPECT("0", "SELECT count(*) FROM payhook.console_problems('{}') WHERE code = 'unreadable'");
}

Test(console, lists_sources_and_those_that_are_silent)
{
	database_exec("SELECT payhook.add_rates('{stripe,adyen}', '{600,0}', '{0,1}', '{0,0}', '{0,0}')");
	EXPECT("adyen true, stripe false",
		"SELECT string_agg((s ->> 'source') || ' ' || (s ->> 'silent_ms' IS NULL)::text, ', ') FROM"
		" payhook.console_sources(), json_array_elements(body -> 'data') s");
	EXPECT("adyen false, stripe false",
		"SELECT string_agg((s ->> 'source') || ' ' || (s ->> 'is_silent')::bool, ', ') FROM"
		" payhook.console_sources(), json_array_elements(body -> 'data') s");
	/* 600 webhooks in one hour, and none for 2 minutes. */
	database_exec("UPDATE payhook.rates SET minute = minute - interval '1 hour 2 minutes';"
		      "UPDATE payhook.source_activity SET last_accepted_at = now() - interval '2 minutes'");
	EXPECT("t",
		"SELECT (s ->> 'is_silent')::bool FROM payhook.console_sources(), json_array_elements(body -> 'data') s"
		" WHERE s ->> 'source' = 'stripe'");
	database_exec("SELECT payhook.pause('paypal')");
	EXPECT("adyen paypal stripe",
		"SELECT string_agg(s ->> 'source', ' ') FROM payhook.console_sources(), json_array_elements(body -> 'data') s");
}

Test(console, lists_auth_failures_with_a_summary)
{
	for (int i = 0; i < 3; i++)
		database_exec(
			"SELECT payhook.add_auth_failures('{stripe}', '{wrong}', '{d%d}', '{0}', '{1.2.3.4}', '{r}', '{0}')",
			i);
	EXPECT("d2 3", "SELECT concat_ws(' ', body #>> '{data,0,detail}', body #>> '{summary,0,failures}') FROM"
		       " payhook.console_auth_failures('stripe', 'wrong', '', '1')");
	EXPECT("d1 null",
		"SELECT concat_ws(' ', b.body #>> '{data,0,detail}', coalesce(b.body ->> 'summary', 'null')) FROM"
		" payhook.console_auth_failures('', '', '', '1') a, payhook.console_auth_failures('', '', a.body ->> 'next', '1') b");
	EXPECT("0", "SELECT json_array_length(body -> 'data') FROM payhook.console_auth_failures('adyen', '', '', '')");
}

Test(console, lists_validation_errors_of_all_sources_and_of_one)
{
	for (int i = 0; i < 3; i++)
		database_exec(
			"SELECT payhook.add_validation_errors('{stripe,adyen}', '{1,0}', '{422,413}', '{/amount %d,too_large}',"
			" '{1.2.3.4,1.2.3.5}', '{r,r}', '{0,0}')",
			i);
	EXPECT("/amount 2 true 422 | /amount 1 true 422",
		"SELECT string_agg(concat_ws(' ', d ->> 'problems', d ->> 'is_verified', d ->> 'status'), ' | ')"
		" FROM payhook.console_validation_errors('stripe', '', '2'), json_array_elements(body -> 'data') d");
	EXPECT("/amount 0 t", "SELECT concat_ws(' ', b.body #>> '{data,0,problems}', b.body ->> 'next' IS NULL) FROM"
			      " payhook.console_validation_errors('stripe', '', '2') a,"
			      " payhook.console_validation_errors('stripe', a.body ->> 'next', '2') b");
	EXPECT("6", "SELECT json_array_length(body -> 'data') FROM payhook.console_validation_errors('', '', '')");
	EXPECT("422 cursor: cursor is \"x\": it is not one of this list; begin without",
		DETAIL("console_validation_errors('', 'x', '')"));
}

Test(console, lists_what_waits_for_a_mapping_of_all_sources_and_of_one)
{
	static const char *const KEPT[][2] = {{"stripe", "first"}, {"stripe", "second"}, {"adyen", "third"}};
	for (int i = 0; i < 3; i++)
		database_exec("SELECT payhook.keep_unreadable('{%s}', '{}', '{t}', '{\"{}\"}', '{%s}', '{}', '{%s}')",
			KEPT[i][0], KEPT[i][1], KEPT[i][1]);
	EXPECT("second first",
		"SELECT string_agg(d ->> 'reason', ' ') FROM payhook.console_unreadable('stripe', '', ''),"
		" json_array_elements(body -> 'data') d");
	EXPECT("third second first",
		"SELECT concat_ws(' ', a.body #>> '{data,0,reason}', b.body #>> '{data,0,reason}', b.body #>> '{data,1,reason}') FROM"
		" payhook.console_unreadable('', '', '1') a, payhook.console_unreadable('', a.body ->> 'next', '2') b"
		" WHERE b.body ->> 'next' IS NULL");
	EXPECT("0", "SELECT json_array_length(body -> 'data') FROM payhook.console_unreadable('nobody', '', '')");
}
