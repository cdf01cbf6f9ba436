/* test_older_workers.c - a responder finds a worker of a version before, and sees no more of the workers than that. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ingest/older_workers.h"
#include "queue/heartbeat.h"
#include "support/fresh_database.h"
#include "support/loop.h"

static struct connect_state *connect_state;
static struct older_workers *asked;
static int answers;
static char answer[600]; /* "host version", "none", or the fault */

static void older_workers_init(void)
{
	database_init();
	connect_state = loop_open();
}

static void older_workers_fini(void)
{
	older_workers_destroy(asked);
	loop_close();
	database_drop();
}

TestSuite(older_workers, .init = older_workers_init, .fini = older_workers_fini, .timeout = 60);

static void on_done(void *ctx, const struct older_worker *found, const struct fault *f)
{
	(void)ctx;
	answers++;
	if (found)
		snprintf(answer, sizeof answer, "%s %s", found->host, found->version);
	else
		snprintf(answer, sizeof answer, "%s", f ? f->text : "none");
	older_workers_destroy(asked);
	asked = NULL;
}

static bool is_answered(void *ctx)
{
	(void)ctx;
	return answers > 0;
}

static bool is_disconnected(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-app workers'") == 0;
}

static const char *ask(void)
{
	answers = 0;
	asked = older_workers_create(connect_state, on_done, NULL);
	cr_assert_not_null(asked);
	loop_until(is_answered, NULL, "the question is answered");
	loop_until(is_disconnected, NULL, "the connection is closed");
	cr_expect_eq(answers, 1);
	return answer;
}

/* As a worker of the version before registers. */
static void start_older(int owner, const char *age)
{
	database_exec("INSERT INTO payhook.workers (owner, host, pid, version, beat_at)"
		      " VALUES (%d, 'host%d', 1, '0.1.0+git1', now() - interval '%s')",
		owner, owner, age);
}

Test(older_workers, finds_none_where_there_is_none)
{
	cr_expect_str_eq(ask(), "none");
	start_older(1, "25 s");
	cr_expect_str_eq(ask(), "none", "it has been silent for longer than a worker that lives");
}

Test(older_workers, finds_one_with_its_host_and_version)
{
	start_older(1, "25 s");
	start_older(2, "15 s");
	cr_expect_str_eq(ask(), "host2 0.1.0+git1");
}

static void on_is(void *ctx, int64_t owner)
{
	*(int64_t *)ctx = owner;
}

static bool is_registered(void *ctx)
{
	return *(int64_t *)ctx != 0;
}

static void on_event(void *ctx)
{
	(void)ctx;
}

static int in_flight(void *ctx)
{
	return (void)ctx, 0;
}

static int64_t circuit_open_ms(void *ctx)
{
	return (void)ctx, -1;
}

Test(older_workers, takes_a_worker_of_this_version_for_none)
{
	static const struct heartbeat_events EVENTS = {.up = on_event,
		.is = on_is,
		.in_flight = in_flight,
		.circuit_open_ms = circuit_open_ms,
		.notified = on_event};
	int64_t owner = 0;
	struct heartbeat *h = heartbeat_create(
		connect_state, &(struct heartbeat_self){.host = "h", .pid = 1, .version = "any"}, &EVENTS, &owner);
	cr_assert_not_null(h);
	loop_until(is_registered, &owner, "the worker is registered");
	cr_expect_str_eq(ask(), "none");
	heartbeat_destroy(h);
}

Test(older_workers, reports_why_the_question_cannot_be_answered)
{
	database_exec(
		"CREATE OR REPLACE FUNCTION payhook.older_workers(wanted int) RETURNS TABLE (host text, version text)"
		" LANGUAGE plpgsql AS $$ BEGIN RAISE insufficient_privilege; END $$");
	cr_expect_not_null(strstr(ask(), "insufficient_privilege"), "%s", answer);
}
