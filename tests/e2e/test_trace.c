/* test_trace.c - the trace of a webhook continues in the calls of the processor, and its id is in the logs. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/recording_processor.h"

#define STEP_MS 30000
#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define SENDERS_SPAN "00f067aa0ba902b7"
#define HEADER "traceparent: 00-" TRACE_ID "-" SENDERS_SPAN "-01"

static struct recording_processor recording_processor;

static void begin(void)
{
	fixture_begin();
	extra_workers_dismiss_own();
	recording_processor_open(&recording_processor, 0);
}

static void end(void)
{
	recording_processor_close(&recording_processor);
	mend_all();
}

TestSuite(trace, .init = begin, .fini = end, .timeout = 150);

static void post_with(const char *id, const char *header)
{
	char body[WEBHOOK_MAX];
	struct call c = {.target = WEBHOOKS, .type = "application/json", .header = header};
	struct answer a;

	c.body = webhook_simple(id, body);
	call_send(&c, &a);
	cr_assert_eq(a.status, 202, "%s: %s", header, a.body);
	answer_finish(&a);
}

static void wait_processed(const char *id)
{
	const char *sql = "SELECT (status = 'PROCESSED')::int FROM payhook.transactions WHERE transaction_id = $1";
	cr_assert_eq(database_wait(sql, id, 1, STEP_MS), 1);
}

/* The number of lines in nginx's access log that contain a text.  nginx writes them within a second. */
static int access_log_contains(const char *text)
{
	char path[256], line[4096];
	int found = 0;

	snprintf(path, sizeof(path), "%s/state/log/access.log", instance()->folder);
	FILE *f = fopen(path, "re");
	cr_assert_not_null(f, "%s", path);
	while (fgets(line, sizeof(line), f))
		found += strstr(line, text) != NULL;
	fclose(f);
	return found;
}

static void wait_access_log(const char *text)
{
	long long deadline = calm_ms() + STEP_MS;

	while (access_log_contains(text) == 0) {
		cr_assert(calm_ms() < deadline, "no %s", text);
		pause_a_little();
	}
}

/* The first call times out. */
Test(trace, a_retried_call_goes_on_with_the_trace_under_a_span_of_its_own)
{
	struct hired worker;
	char id[64];
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, "PROCESSOR_TIMEOUT_MS=300",
		"LOG_LEVEL=debug", "CIRCUIT_FAILURES=0", NULL};

	recording_processor_hold(&recording_processor);
	extra_workers_hire(&worker, instance()->database, settings);
	post_with(fresh_id("traced", id), HEADER);
	cr_assert_eq(
		database_wait("SELECT count(*) FROM payhook.job_attempts WHERE transaction_id = $1", id, 1, STEP_MS),
		1);
	recording_processor_release(&recording_processor);
	wait_processed(id);

	const char *first = recording_processor_trace_of(&recording_processor, id, 0),
		   *second = recording_processor_trace_of(&recording_processor, id, 1);
	const char *both[] = {first, second};
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(strlen(both[i]), 55, "\"%s\"", both[i]);
		cr_expect_eq(strncmp(both[i], "00-" TRACE_ID "-", 36), 0, "%s", both[i]);
		cr_expect_str_eq(both[i] + 52, "-01");
		cr_expect_null(strstr(both[i], SENDERS_SPAN), "the span is the sender's");
	}
	cr_expect_str_neq(first, second, "both calls are one span");
	cr_expect_geq(
		extra_workers_logged(&worker, "\"trace_id\":\"" TRACE_ID "\""), 3, "the worker's log does not tell it");
	extra_workers_dismiss(&worker);
	wait_access_log("\"trace_id\":\"" TRACE_ID "\"");
}

Test(trace, headers_that_are_none_are_ignored)
{
	static const char *const HEADERS[] = {
		"traceparent: 00-00000000000000000000000000000000-" SENDERS_SPAN "-01",
		"traceparent: 00-" TRACE_ID "-" SENDERS_SPAN "-01-more",
		"traceparent: ff-" TRACE_ID "-" SENDERS_SPAN "-01",
		"traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-" SENDERS_SPAN "-01",
		"traceparent: \"}{\\u0000",
		"traceparent;",
		"tracestate: a=b",
	};
	struct hired worker;
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, NULL};
	int traced = access_log_contains("\"trace_id\":\"" TRACE_ID "\"");

	extra_workers_hire(&worker, instance()->database, settings);
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		char id[64];
		post_with(fresh_id("untraced", id), HEADERS[i]);
		wait_processed(id);
		cr_expect_str_eq(recording_processor_trace_of(&recording_processor, id, 0), "", "%s", HEADERS[i]);
	}
	extra_workers_dismiss(&worker);
	/* The lines are in order: when this one is in the log, the earlier ones are too. */
	post_with("the-last", "traceparent: cc-11112222333344445555666677778888-" SENDERS_SPAN "-01-more");
	wait_access_log("\"trace_id\":\"11112222333344445555666677778888\"");
	cr_expect_eq(
		access_log_contains("\"trace_id\":\"" TRACE_ID "\""), traced, "nginx takes what the program does not");
}
