/* test_console_calls.c - the console's calls of the database: two at a time, each within its bound, and all with the rights of its role. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "calls.h"
#include "endpoints.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static const struct statement SLEEP = {"sleep", "SELECT 200, pg_sleep($1::float8)::text, pg_backend_pid()"};
static const struct statement *const SLEEPS[] = {&SLEEP};

struct called {
	struct call call;
	const char *seconds;
	int reports;
	bool has_rows, is_undone;
	enum fault_kind kind;
};

static struct calls *calls;
static struct connect_state *connect_state;
static int ups, downs;
static char conninfo[1024];

static void calls_test_on_up(void *ctx)
{
	(void)ctx;
	ups++;
}

static void calls_test_on_down(void *ctx, const struct fault *why)
{
	(void)ctx;
	(void)why;
	downs++;
}

static const struct calls_events EVENTS = {.up = calls_test_on_up, .down = calls_test_on_down};

static bool is_up(void *ctx)
{
	(void)ctx;
	return ups == CALLS_CONNECTIONS;
}

/* Connects as the console's role. */
static void open_calls(const struct statement *const *statements, size_t count)
{
	snprintf(conninfo, sizeof conninfo, "%s options='-c role=payhook_console'", database_conninfo());
	connect_state = loop_open();
	connect_state->conninfo = conninfo;
	calls = calls_create(connect_state, statements, count, &EVENTS, NULL);
	cr_assert_not_null(calls);
	loop_until(is_up, NULL, "both connections are up");
}

static void calls_fini(void)
{
	calls_destroy(calls);
	loop_close();
	database_drop();
}

TestSuite(calls, .init = database_init, .fini = calls_fini, .timeout = 60);

static void calls_test_fill(struct call *call, struct db_params *params)
{
	db_params_add_text(params, CONTAINER_OF(call, struct called, call)->seconds);
}

static void calls_test_on_done(struct call *call, const struct pg_result *result, const struct fault *f, bool is_undone)
{
	struct called *c = CONTAINER_OF(call, struct called, call);
	c->reports++;
	c->has_rows = result && db_rows(result) == 1;
	c->is_undone = is_undone;
	c->kind = f ? f->kind : FAULT_BUG;
}

static void sleep_for(struct called *c, const char *seconds)
{
	*c = (struct called){
		.seconds = seconds, .call = {.statement = &SLEEP, .fill = calls_test_fill, .done = calls_test_on_done}};
	calls_send(calls, &c->call);
}

static bool is_reported(void *ctx)
{
	const struct called *c = ctx;
	return c->reports > 0;
}

/* A statement that the schema does not have, or the role may not run, could not be prepared. */
Test(calls, of_every_endpoint_are_prepared_in_the_console_s_role)
{
	size_t count;
	const struct statement *const *statements = endpoints_statements(&count);
	open_calls(statements, count);
	cr_expect_eq(downs, 0);
}

Test(calls, are_two_at_a_time_and_the_third_waits)
{
	struct called first, second, third;
	open_calls(SLEEPS, 1);
	int64_t began = clock_ms();
	sleep_for(&first, "0.5");
	sleep_for(&second, "0.5");
	sleep_for(&third, "0");
	loop_until(is_reported, &third, "the third is answered");
	cr_expect_geq(clock_ms() - began, 500);
	cr_expect(first.reports + second.reports > 0 && third.has_rows);
	loop_until(is_reported, &first, "the first is answered");
	loop_until(is_reported, &second, "the second is answered");
	cr_expect(first.has_rows && second.has_rows);
}

Test(calls, of_more_than_two_seconds_are_undone_and_keep_their_connection)
{
	struct called slow, next;
	open_calls(SLEEPS, 1);
	sleep_for(&slow, "10");
	loop_until(is_reported, &slow, "it is cancelled");
	cr_expect(!slow.has_rows && slow.is_undone);
	cr_expect_eq(slow.kind, FAULT_BUSY);
	sleep_for(&next, "0");
	loop_until(is_reported, &next, "the next is answered");
	cr_expect(next.has_rows);
	cr_expect_eq(ups, CALLS_CONNECTIONS);
	cr_expect_eq(downs, 0);
}

Test(calls, that_are_withdrawn_are_not_answered)
{
	struct called first, second, third, last;
	open_calls(SLEEPS, 1);
	sleep_for(&first, "0.2");
	sleep_for(&second, "0.2");
	sleep_for(&third, "0");
	calls_withdraw(calls, &first.call);
	calls_withdraw(calls, &third.call);
	sleep_for(&last, "0");
	loop_until(is_reported, &last, "the last is answered");
	loop_until(is_reported, &second, "the second is answered");
	cr_expect_eq(first.reports, 0);
	cr_expect_eq(third.reports, 0);
}

/* The server has the statement a moment after it was sent. */
static bool is_terminated(void *ctx)
{
	(void)ctx;
	return database_number(
		       "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
		       " AND application_name = 'payhook-console' AND datname = current_database()") == 1;
}

/* An act may have taken effect before its connection broke. */
Test(calls, on_a_connection_that_breaks_may_have_taken_effect)
{
	struct called lost, next;
	open_calls(SLEEPS, 1);
	sleep_for(&lost, "1.5");
	loop_until(is_terminated, NULL, "its connection is terminated");
	loop_until(is_reported, &lost, "it fails");
	cr_expect_not(lost.has_rows);
	sleep_for(&next, "0");
	loop_until(is_reported, &next, "the next is answered");
	cr_expect(next.has_rows);
}
