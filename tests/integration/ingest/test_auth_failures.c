/* test_auth_failures.c - recording authentication failures in PostgreSQL: all of them while they are few, and never
 * more than the limit. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/auth_failures.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct auth_failures *auth_failures;
static int lost, lost_errors;

static void on_lost(void *ctx, int failures, int errors)
{
	*(int *)ctx += failures;
	lost_errors += errors;
}

static void auth_failures_init(void)
{
	database_init();
	auth_failures = auth_failures_create(loop_open(), on_lost, &lost);
	cr_assert_not_null(auth_failures);
}

static void auth_failures_fini(void)
{
	auth_failures_destroy(auth_failures);
	loop_close();
	database_drop();
}

TestSuite(auth_failures, .init = auth_failures_init, .fini = auth_failures_fini, .timeout = 60);

#define VALUE(expected, ...) cr_expect_str_eq(database_value(__VA_ARGS__), expected)

static void add(const char *source, int cause, const char *detail)
{
	struct auth_failure what = {.cause = cause,
		.source = source,
		.detail = detail,
		.skew_s = 0,
		.address = "203.0.113.9",
		.request_id = "0123456789abcdef0123456789abcdef"};
	auth_failures_add(auth_failures, &what);
}

struct rows {
	long long count;
};

static bool are_kept(void *ctx)
{
	return database_number("SELECT count(*) FROM payhook.rejected_requests") == ((struct rows *)ctx)->count;
}

static void expect_kept(long long count)
{
	struct rows rows = {count};
	loop_until(are_kept, &rows, "the rows are there");
}

Test(auth_failures, reports_all_that_is_known_of_an_auth_failure)
{
	struct auth_failure what = {.cause = SIGNATURE_OLD,
		.source = "stripe",
		.detail = "signed 4000 s ago, and 300 s are allowed",
		.skew_s = 4000,
		.address = "2001:db8::1",
		.request_id = "f00"};
	auth_failures_add(auth_failures, &what);
	expect_kept(1);
	VALUE("stripe|old|signed 4000 s ago, and 300 s are allowed|4000|2001:db8::1|f00",
		"SELECT concat_ws('|', source, cause, detail, skew_s, address, request_id) FROM payhook.auth_failures");
	VALUE("t", "SELECT failed_at BETWEEN now() - interval '10 s' AND now() FROM payhook.auth_failures");
	VALUE("stripe|old|1|1",
		"SELECT concat_ws('|', source, cause, failures, addresses) FROM payhook.auth_failure_summary");
	cr_expect_eq(lost, 0);
}

Test(auth_failures, leaves_empty_what_is_not_known)
{
	struct auth_failure what = {.cause = AUTH_FAILURE_API_KEY, .detail = ""};
	auth_failures_add(auth_failures, &what);
	expect_kept(1);
	VALUE("api_key||t", "SELECT concat_ws('|', cause, detail, source IS NULL AND skew_s IS NULL AND address IS NULL"
			    " AND request_id IS NULL) FROM payhook.auth_failures");
}

Test(auth_failures, name_every_cause_as_the_table_takes_it)
{
	for (int cause = SIGNATURE_GOOD + 1; cause < AUTH_FAILURE_CAUSE_COUNT; cause++)
		add("s", cause, auth_failure_cause_name(cause));
	expect_kept(AUTH_FAILURE_CAUSE_COUNT - 1);
	VALUE("address api_key certificate expired failed future malformed missing old reused unsupported wrong wrong_url",
		"SELECT string_agg(cause, ' ' ORDER BY cause COLLATE \"C\") FROM payhook.auth_failures WHERE cause = detail");
}

Test(auth_failures, show_the_newest_first)
{
	char text[16];
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof text, "%d", i);
		add("s", SIGNATURE_WRONG, text);
	}
	expect_kept(50);
	VALUE("49", "SELECT detail FROM payhook.auth_failures LIMIT 1");
	VALUE("49", "SELECT last_detail FROM payhook.auth_failure_summary");
}

/* ---- hostile texts ---- */

Test(auth_failures, make_bytes_harmless_that_a_terminal_would_obey)
{
	add("a\x1b[2J\r\n\x7f", SIGNATURE_WRONG, "\xff\xfe caf\xc3\xa9 \xc2\x9b \xed\xa0\x80 \xc3");
	expect_kept(1);
	VALUE("a?[2J???", "SELECT source FROM payhook.auth_failures");
	VALUE("?? caf\xc3\xa9 ? ??? ?", "SELECT detail FROM payhook.auth_failures");
}

Test(auth_failures, cut_a_long_text_at_the_edge_of_a_character)
{
	char text[4097];
	for (size_t i = 0; i < 4096; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[4096] = '\0';
	struct auth_failure what = {
		.cause = SIGNATURE_WRONG, .source = text, .detail = text, .address = text, .request_id = text};
	auth_failures_add(auth_failures, &what);
	memset(text, 0xff, 4096);
	auth_failures_add(auth_failures, &what);
	expect_kept(2);
	VALUE("64/254/64/32", "SELECT concat_ws('/', octet_length(source), octet_length(detail), octet_length(address),"
			      " octet_length(request_id)) FROM payhook.auth_failures OFFSET 1");
	VALUE("64/255/64/32", "SELECT concat_ws('/', octet_length(source), octet_length(detail), octet_length(address),"
			      " octet_length(request_id)) FROM payhook.auth_failures LIMIT 1");
	VALUE("t", "SELECT detail = repeat('?', 255) FROM payhook.auth_failures LIMIT 1");
	cr_expect_eq(lost, 0);
}

Test(auth_failures, keep_what_looks_like_sql_as_it_is)
{
	add("x'); --", SIGNATURE_WRONG, "\"}',{NULL}\\");
	expect_kept(1);
	VALUE("x'); --|\"}',{NULL}\\", "SELECT concat_ws('|', source, detail) FROM payhook.auth_failures");
}

/* ---- the bounds ---- */

/* Inserts a thousand rows as another process, with the rights of a responder and their numbers as details. */
static void write_thousand(PGconn *conn, int from)
{
	char sql[512];
	snprintf(sql, sizeof sql,
		"SELECT payhook.add_auth_failures(array_agg('s'::text), array_agg('wrong'::text), array_agg(n::text),"
		" array_agg(0::bigint), array_agg(''::text), array_agg(''::text), array_agg(0::bigint))"
		" FROM generate_series(%d, %d) n",
		from, from + 999);
	PGresult *r = PQexec(conn, sql);
	cr_assert_eq(PQresultStatus(r), PGRES_TUPLES_OK, "%s", PQresultErrorMessage(r));
	PQclear(r);
}

static bool has_come(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM payhook.auth_failures WHERE detail = '25001'") == 1;
}

static bool is_newest(void *ctx)
{
	return strcmp(database_value("SELECT detail FROM payhook.auth_failures LIMIT 1"), ctx) == 0;
}

Test(auth_failures, keep_the_last_of_a_cause)
{
	PGconn *app = database_connect();
	PQclear(PQexec(app, "SET ROLE payhook_app"));
	for (int i = 0; i < 25; i++)
		write_thousand(app, i * 1000 + 1);
	VALUE("625/24376/25000",
		"SELECT concat_ws('/', count(*), min(detail::int), max(detail::int)) FROM payhook.auth_failures");
	add("s", SIGNATURE_WRONG, "25001");
	loop_until(has_come, NULL, "the row is there");
	VALUE("625/24377/25001",
		"SELECT concat_ws('/', count(*), min(detail::int), max(detail::int)) FROM payhook.auth_failures");
	PQfinish(app);
}

Test(auth_failures, a_flood_of_one_cause_overwrites_no_other)
{
	PGconn *app = database_connect();
	PQclear(PQexec(app, "SET ROLE payhook_app"));
	for (int cause = SIGNATURE_GOOD + 1; cause < AUTH_FAILURE_CAUSE_COUNT; cause++)
		add("s", cause, "0");
	expect_kept(AUTH_FAILURE_CAUSE_COUNT - 1);
	for (int i = 0; i < 25; i++)
		write_thousand(app, i * 1000 + 1);
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.auth_failures WHERE detail = '0'"),
		AUTH_FAILURE_CAUSE_COUNT - 2, "all but the one of the flood's cause");
	VALUE("25000", "SELECT detail FROM payhook.auth_failures LIMIT 1");
	PQfinish(app);
}

/* Rows from before the rings have lower ids, and lie in any slot. */
Test(auth_failures, rows_of_the_version_before_are_older)
{
	database_exec(
		"INSERT INTO payhook.rejected_requests (cause, detail) SELECT 'missing', 'before' FROM generate_series(1, 10000)");
	add("s", SIGNATURE_WRONG, "after");
	loop_until(is_newest, "after", "the row is there");
	expect_kept(10000);
}

/* A cause that this version does not know of is one of the version after it. */
Test(auth_failures, an_unknown_cause_is_recorded_too)
{
	database_exec("SELECT payhook.add_auth_failures('{s}', '{later}', '{text}', '{0}', '{\"\"}', '{\"\"}', '{0}')");
	VALUE("later", "SELECT cause FROM payhook.auth_failures");
}

/* A statement has taken its ids and is delayed until the ring has come round to them. */
Test(auth_failures, a_late_writer_does_not_undo_a_newer_row)
{
	/* The second slot of the eighth ring, which is that of the cause. */
	database_exec(
		"INSERT INTO payhook.rejected_requests (id, cause, detail) VALUES (10000004376, 'wrong', 'newer')");
	add("s", SIGNATURE_WRONG, "older");
	add("s", SIGNATURE_WRONG, "other");
	expect_kept(2);
	VALUE("newer other", "SELECT string_agg(detail, ' ') FROM payhook.auth_failures");
	cr_expect_eq(lost, 0);
}

Test(auth_failures, a_flood_is_written_in_part_and_the_rest_counted)
{
	expect_kept(0);
	add("s", SIGNATURE_WRONG, "first");
	expect_kept(1);
	for (int i = 0; i < 50000; i++)
		add("s", SIGNATURE_WRONG, "flood");
	cr_expect_eq(lost, 50000 - AUTH_FAILURES_WAITING_MAX);
	expect_kept(1 + AUTH_FAILURES_WAITING_MAX);
}

Test(auth_failures, a_flood_of_one_cause_keeps_no_other_from_being_written)
{
	add("s", SIGNATURE_WRONG, "first");
	expect_kept(1);
	for (int i = 0; i < 1000; i++)
		add("s", SIGNATURE_WRONG, "flood");
	add("s", SIGNATURE_EXPIRED, "other");
	expect_kept(1 + AUTH_FAILURES_WAITING_MAX + 1);
	VALUE("other", "SELECT detail FROM payhook.auth_failures WHERE cause = 'expired'");
}

/* For two seconds as fast as the loop runs: the buffer, plus the rows that the limit allows in two seconds. */
Test(auth_failures, a_lasting_flood_is_written_at_the_rate_that_is_allowed)
{
	add("s", SIGNATURE_WRONG, "first");
	expect_kept(1);
	for (int turns = 0; turns < 200; turns++) {
		for (int i = 0; i < 20; i++)
			add("s", SIGNATURE_WRONG, "flood");
		loop_for(10);
	}
	long long kept = database_number("SELECT count(*) FROM payhook.rejected_requests");
	cr_expect_leq(kept, 1 + AUTH_FAILURES_WAITING_MAX + 4 * AUTH_FAILURES_PER_SECOND, "%lld rows", kept);
	cr_expect_geq(kept, AUTH_FAILURES_PER_SECOND, "%lld rows", kept);
	cr_expect_geq(lost, 4000 - (int)kept - AUTH_FAILURES_WAITING_MAX);
}

/* ---- several processes, and a database that goes away and returns ---- */

Test(auth_failures, two_processes_at_once_record_all_of_both)
{
	struct connect_state second = {.base = loop_base(), .conninfo = database_conninfo()};
	struct auth_failures *other = auth_failures_create(&second, on_lost, &lost);
	char text[16];
	struct auth_failure what = {.cause = SIGNATURE_WRONG, .source = "other", .detail = text};
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 10; i++) {
			snprintf(text, sizeof text, "%d", round * 10 + i);
			add("one", SIGNATURE_WRONG, text);
			auth_failures_add(other, &what);
		}
		loop_for(20);
	}
	expect_kept(200);
	VALUE("one 100, other 100",
		"SELECT string_agg(source || ' ' || n, ', ' ORDER BY source) FROM"
		" (SELECT source, count(DISTINCT detail) n FROM payhook.auth_failures GROUP BY 1) s");
	cr_expect_eq(lost, 0);
	auth_failures_destroy(other);
}

static bool is_under_way(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app auth-failures' AND wait_event_type = 'Lock'") == 1;
}

static bool has_lost(void *ctx)
{
	return lost >= *(int *)ctx;
}

static void cut(void)
{
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		      " WHERE datname = current_database() AND application_name = 'payhook-app auth-failures'");
}

Test(auth_failures, what_a_broken_connection_took_along_is_counted)
{
	add("s", SIGNATURE_WRONG, "before");
	expect_kept(1);
	PGconn *other = database_connect();
	PQclear(PQexec(other, "BEGIN; LOCK TABLE payhook.rejected_requests IN SHARE MODE"));
	loop_for(AUTH_FAILURES_REST_MS * 2);
	add("s", SIGNATURE_WRONG, "during");
	loop_until(is_under_way, NULL, "the statement waits");
	cut();
	int one = 1;
	loop_until(has_lost, &one, "the loss is reported");
	PQfinish(other);
	add("s", SIGNATURE_WRONG, "after");
	expect_kept(2);
	VALUE("after before", "SELECT string_agg(detail, ' ') FROM payhook.auth_failures");
	cr_expect_eq(lost, 1);
}

static bool is_cut(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app auth-failures'") == 0;
}

/* Allows or forbids new connections to the test's database.  Over a connection to another database: a session cannot
 * forbid them for its own. */
static void database_allow(bool allowed)
{
	char *name = strdup(database_value("SELECT current_database()"));
	char sql[256];
	snprintf(sql, sizeof sql, "ALTER DATABASE %s ALLOW_CONNECTIONS %s", name, allowed ? "true" : "false");
	char conninfo[512];
	snprintf(conninfo, sizeof conninfo, "%s dbname=postgres", getenv("PAYHOOK_TEST_CLUSTER"));
	PGconn *conn = PQconnectdb(conninfo);
	PGresult *r = PQexec(conn, sql);
	cr_assert_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQresultErrorMessage(r));
	PQclear(r);
	PQfinish(conn);
	free(name);
}

Test(auth_failures, what_waits_for_a_database_that_is_away_is_written_when_it_is_back)
{
	add("s", SIGNATURE_WRONG, "before");
	expect_kept(1);
	database_allow(false);
	cut();
	loop_until(is_cut, NULL, "the connection is gone");
	loop_for(200); /* and the loss has been noticed */
	for (int i = 0; i < AUTH_FAILURES_WAITING_MAX + 25; i++)
		add("s", SIGNATURE_WRONG, "away");
	cr_expect_eq(lost, 25);
	loop_for(500);
	database_allow(true);
	expect_kept(1 + AUTH_FAILURES_WAITING_MAX);
	VALUE("t", "SELECT max(failed_at) < now() - interval '400 ms' FROM payhook.auth_failures");
	cr_expect_eq(lost, 25);
}

Test(auth_failures, what_still_waits_at_the_end_is_counted)
{
	add("s", SIGNATURE_WRONG, "one");
	expect_kept(1);
	loop_for(AUTH_FAILURES_REST_MS * 2);
	add("s", SIGNATURE_WRONG, "under way");
	add("s", SIGNATURE_WRONG, "waits");
	auth_failures_destroy(auth_failures);
	auth_failures = NULL;
	cr_expect_eq(lost, 2);
}

/* ---- validation errors ---- */

static void add_invalid(const char *source, bool is_verified, const char *problems)
{
	auth_failures_add_invalid(auth_failures, &(struct validation_error){.source = source,
							 .is_verified = is_verified,
							 .status = 422,
							 .problems = problems,
							 .address = "203.0.113.9",
							 .request_id = "0123456789abcdef0123456789abcdef"});
}

static bool are_invalid(void *ctx)
{
	return database_number("SELECT count(*) FROM payhook.invalid_webhooks") == ((struct rows *)ctx)->count;
}

static void expect_invalid(long long count)
{
	struct rows rows = {count};
	loop_until(are_invalid, &rows, "the validation errors are there");
}

Test(auth_failures, report_all_that_is_known_of_a_validation_error)
{
	add_invalid("stripe", true, "/amount too_many_decimals");
	expect_invalid(1);
	VALUE("stripe|t|422|/amount too_many_decimals|203.0.113.9|0123456789abcdef0123456789abcdef",
		"SELECT concat_ws('|', source, is_verified, status, problems, address, request_id)"
		" FROM payhook.validation_errors");
	VALUE("t", "SELECT failed_at BETWEEN now() - interval '10 s' AND now() FROM payhook.validation_errors");
	cr_expect_eq(lost_errors, 0);
}

Test(auth_failures, record_validation_errors_beside_a_flood_of_auth_failures)
{
	for (int i = 0; i < AUTH_FAILURES_WAITING_MAX; i++)
		add("s", SIGNATURE_WRONG, "flood");
	add_invalid("s", true, "/amount missing");
	expect_kept(AUTH_FAILURES_WAITING_MAX);
	expect_invalid(1);
}

/* Writes count errors to a ring, without the pause between two statements. */
static void fill_ring(const char *source, int is_verified, int count)
{
	database_exec(
		"SELECT payhook.add_validation_errors(array_agg('%s'::text), array_agg(%d::bigint), array_agg(422::bigint),"
		" array_agg(n::text ORDER BY n), array_agg(''::text), array_agg(''::text), array_agg(0::bigint))"
		" FROM generate_series(1, %d) n",
		source, is_verified, count);
}

Test(auth_failures, keep_the_last_hundred_validation_errors_of_each_ring)
{
	fill_ring("a", 1, 150);
	fill_ring("a", 0, 400);
	fill_ring("b", 1, 3);
	fill_ring("b", 0, 100);
	VALUE("a|f|100|301|400 a|t|100|51|150 b|f|100|1|100 b|t|3|1|3",
		"SELECT string_agg(concat_ws('|', source, is_verified, count, first, last), ' ' ORDER BY source, is_verified)"
		" FROM (SELECT source, is_verified, count(*), min(problems::int) AS first, max(problems::int) AS last"
		"   FROM payhook.validation_errors GROUP BY source, is_verified) r");
	VALUE("100", "SELECT problems FROM payhook.validation_errors LIMIT 1");
}

Test(auth_failures, find_no_place_for_the_errors_of_one_source_beyond_its_share)
{
	for (int i = 0; i < VALIDATION_ERRORS_OF_SOURCE_MAX + 5; i++)
		add_invalid("loud", false, "malformed");
	add_invalid("quiet", false, "malformed");
	expect_invalid(VALIDATION_ERRORS_OF_SOURCE_MAX + 1);
	cr_expect_eq(lost_errors, 5);
	VALUE("1", "SELECT count(*) FROM payhook.validation_errors WHERE source = 'quiet'");
}

/* ---- counts ---- */

static bool are_counted(void *ctx)
{
	return database_number("SELECT coalesce(sum(accepted + refused), 0) FROM payhook.rates") == *(const int *)ctx;
}

Test(auth_failures, add_the_counts_of_webhooks_beside_the_failures)
{
	int all = 3;
	add("stripe", SIGNATURE_WRONG, "x");
	auth_failures_count(auth_failures, "stripe", RATE_REFUSED);
	auth_failures_count(auth_failures, "stripe", RATE_ACCEPTED);
	auth_failures_count(auth_failures, "stripe", RATE_ACCEPTED);
	loop_until(are_counted, &all, "the counts are added");
	expect_kept(1);
	VALUE("2 1", "SELECT sum(accepted) || ' ' || sum(refused) FROM payhook.rates WHERE source = 'stripe'");
	VALUE("true true",
		"SELECT (last_accepted_at > now() - interval '1 minute') || ' ' || (last_refused_at IS NOT NULL) FROM"
		" payhook.source_activity");
	cr_expect_eq(lost, 0);
}
