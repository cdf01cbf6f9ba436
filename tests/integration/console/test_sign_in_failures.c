/* test_sign_in_failures.c - failed sign-ins become auth failures, in the console's role and at a bounded rate. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "calls.h"
#include "fastcgi/request.h"
#include "sign_in_failures.h"
#include "support/fresh_database.h"
#include "support/loop.h"

#define VALUE(value, query) cr_expect_str_eq(database_value(query), value)

static const struct statement *const STATEMENTS[] = {&SIGN_IN_FAILURES_RECORD};

static struct calls *calls;
static struct sign_in_failures *failures;
static int ups;
static char conninfo[1024];

static void failures_test_on_up(void *ctx)
{
	(void)ctx;
	ups++;
}

static void failures_test_on_down(void *ctx, const struct fault *why)
{
	(void)ctx, (void)why;
}

static bool is_up(void *ctx)
{
	(void)ctx;
	return ups == CALLS_CONNECTIONS;
}

static void failures_begin(void)
{
	static const struct calls_events EVENTS = {.up = failures_test_on_up, .down = failures_test_on_down};
	database_init();
	snprintf(conninfo, sizeof conninfo, "%s options='-c role=payhook_console'", database_conninfo());
	struct connect_state *connect_state = loop_open();
	connect_state->conninfo = conninfo;
	calls = calls_create(connect_state, STATEMENTS, 1, &EVENTS, NULL);
	cr_assert_not_null(calls);
	failures = sign_in_failures_create(connect_state->base, calls);
	cr_assert_not_null(failures);
}

static void failures_end(void)
{
	calls_destroy(calls);
	sign_in_failures_destroy(failures);
	loop_close();
	database_drop();
}

TestSuite(sign_in_failures, .init = failures_begin, .fini = failures_end, .timeout = 60);

static void add(const char *key, const char *why)
{
	struct request rq = {.address = "203.0.113.9", .id = "0123456789abcdef0123456789abcdef"};
	sign_in_failures_add(failures, &rq, key, why);
}

static bool are_recorded(void *ctx)
{
	return database_number("SELECT count(*) FROM payhook.auth_failures") == *(const int *)ctx;
}

static void expect_recorded(int count)
{
	loop_until(are_recorded, &count, "the failures are recorded");
}

Test(sign_in_failures, have_no_source_a_cause_of_their_own_and_all_that_is_known)
{
	loop_until(is_up, NULL, "both connections are up");
	add("ops", "the key has expired");
	expect_recorded(1);
	VALUE("sign_in|key ops: the key has expired|203.0.113.9|0123456789abcdef0123456789abcdef",
		"SELECT concat_ws('|', source, cause, detail, skew_s, address, request_id) FROM payhook.auth_failures");
	VALUE("t", "SELECT failed_at BETWEEN now() - interval '10 s' AND now() FROM payhook.auth_failures");
}

Test(sign_in_failures, wait_for_a_database_that_is_not_there_yet)
{
	add("", "there is no Authorization");
	expect_recorded(1);
	VALUE("there is no Authorization", "SELECT detail FROM payhook.auth_failures");
}

/* The first goes at once, and what comes within the second is bounded by the buffer. */
Test(sign_in_failures, of_a_flood_are_recorded_as_many_as_there_is_room_for_in_a_second)
{
	loop_until(is_up, NULL, "both connections are up");
	int64_t began_ms = clock_ms();
	for (int i = 0; i < 1 + 3 * SIGN_IN_FAILURES_MAX; i++)
		add("", "the key is not in the file");
	expect_recorded(1 + SIGN_IN_FAILURES_MAX);
	cr_expect_geq(clock_ms() - began_ms, SIGN_IN_FAILURES_REST_MS / 2);
	add("", "the next");
	expect_recorded(2 + SIGN_IN_FAILURES_MAX);
}

Test(sign_in_failures, overwrite_no_failure_of_another_cause)
{
	database_exec("SELECT payhook.add_auth_failures('{s}', '{api_key}', '{d}', '{0}', '{a}', '{r}', '{0}')");
	database_exec("SELECT payhook.console_sign_ins_failed(array_agg(n::text ORDER BY n), array_agg('a'::text),"
		      " array_agg('r'::text), array_agg(0::bigint)) FROM generate_series(1, 600) n");
	database_exec("SELECT payhook.console_sign_ins_failed(array_agg(n::text ORDER BY n), array_agg('a'::text),"
		      " array_agg('r'::text), array_agg(0::bigint)) FROM generate_series(601, 1200) n");
	VALUE("api_key 1, sign_in 625", "SELECT string_agg(concat_ws(' ', cause, count), ', ' ORDER BY cause)"
					" FROM (SELECT cause, count(*) FROM payhook.auth_failures GROUP BY cause) c");
	VALUE("576 1200",
		"SELECT min(detail::int) || ' ' || max(detail::int) FROM payhook.auth_failures WHERE cause = 'sign_in'");
}

Test(sign_in_failures, cut_a_long_text_and_make_its_bytes_harmless)
{
	char why[400];
	memset(why, 'x', sizeof why - 1);
	why[0] = '\033';
	why[sizeof why - 1] = '\0';
	loop_until(is_up, NULL, "both connections are up");
	add("", why);
	expect_recorded(1);
	VALUE("255 true", "SELECT octet_length(detail) || ' ' || (detail LIKE '?xx%%') FROM payhook.auth_failures");
}
