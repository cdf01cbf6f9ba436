/* test_outage.c - the processor is down, and operators intervene: the circuit breaker, failed transactions, pause and
 * resume. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/client.h"
#include "support/expect.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/recording_processor.h"

#define STEP_MS 30000
#define COUNT 30
#define QUIET_MS 1500 /* three polling intervals of a worker */

/* The instance's own worker is dismissed before each test. */
const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=86400000", "WORKER_GRACE_MS=0", NULL};

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

TestSuite(outage, .init = begin, .fini = end, .timeout = 150);

static long long await(const char *sql, long long least)
{
	return database_wait(sql, NULL, least, STEP_MS);
}

/* The worker opens its circuit after five failures, and its calls time out after 300 ms while the processor holds
 * them. */
Test(outage, a_processor_that_is_down_is_probed_and_work_goes_on_when_it_returns)
{
	struct hired worker;
	struct fixture s;
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, "PROCESSOR_TIMEOUT_MS=300",
		"CIRCUIT_FAILURES=5", "WORKER_SLOTS=10", "MAX_ATTEMPTS=3", NULL};

	recording_processor_hold(&recording_processor);
	extra_workers_hire(&worker, instance()->database, settings);
	fixture_post(&s, "down", COUNT, 0);
	cr_assert_eq(await("SELECT count(circuit_open_since) FROM payhook.workers", 1), 1, "the circuit opens");
	cr_assert(await("SELECT count(*) FROM payhook.job_attempts WHERE outcome = 'probed'", 3) >= 3, "it probes");
	cr_expect_eq(database_number("SELECT count(*) FROM payhook.dead_jobs"), 0, "attempts are burnt");
	cr_expect(database_number("SELECT max(attempt) FROM payhook.jobs") <= 2, "attempts are burnt");
	cr_expect_eq(extra_workers_logged(&worker, "circuit opened"), 1);

	recording_processor_release(&recording_processor);
	fixture_wait_processed(&s, STEP_MS);
	cr_expect_eq(extra_workers_logged(&worker, "processor answers again"), 1);
	cr_expect_eq(await("SELECT (count(circuit_open_since) = 0)::int FROM payhook.workers", 1), 1);
	extra_workers_dismiss(&worker);
}

static void expect_state(const char *id, const char *status, const char *failure)
{
	char target[128];
	struct answer a;
	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	call_get(target, &a);
	json_object *body = answer_json(&a);
	cr_assert_not_null(body, "%s", a.body);
	cr_expect_str_eq(expect_text(body, "status"), status);
	cr_expect_eq(json_object_object_get_ex(body, "failure", NULL), failure != NULL, "%s", a.body);
	if (failure)
		cr_expect_not_null(strstr(expect_text(body, "failure"), failure), "%s", a.body);
	json_object_put(body);
	answer_finish(&a);
}

Test(outage, an_exhausted_transaction_fails_and_an_operator_brings_it_back)
{
	struct hired worker;
	struct fixture s;
	char id[80];
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, "PROCESSOR_TIMEOUT_MS=200",
		"CIRCUIT_FAILURES=0", "MAX_ATTEMPTS=2", NULL};

	recording_processor_hold(&recording_processor);
	extra_workers_hire(&worker, instance()->database, settings);
	fixture_post(&s, "spent", 1, 0);
	snprintf(id, sizeof(id), "%s-0", s.prefix);
	cr_assert_eq(await("SELECT count(*) FROM payhook.dead_jobs WHERE attempts = 2", 1), 1, "it dies");
	expect_state(id, "FAILED", "timed out");
	cr_expect_eq(database_number_of("SELECT count(*) FROM payhook.job_attempts"
					" WHERE outcome = 'retried' AND transaction_id = $1",
			     id),
		1);

	recording_processor_release(&recording_processor);
	cr_expect_not_null(strstr(database_text_of("SELECT payhook.retry($1)", id), "PROCESSING again"));
	fixture_wait_processed(&s, STEP_MS);
	expect_state(id, "PROCESSED", NULL);
	extra_workers_dismiss(&worker);
}

/* The worker is killed during the only attempt.  Another frees the job, and the next claim finds the attempts used up. */
Test(outage, a_job_that_kills_its_worker_ends_as_failed)
{
	struct hired first, second;
	struct fixture s;
	char id[80];
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, "MAX_ATTEMPTS=1", NULL};

	recording_processor_hold(&recording_processor);
	extra_workers_hire(&first, instance()->database, settings);
	fixture_post(&s, "deadly", 1, 0);
	snprintf(id, sizeof(id), "%s-0", s.prefix);
	recording_processor_wait(&recording_processor, s.prefix, 1, STEP_MS);
	extra_workers_kill(&first);
	extra_workers_hire(&second, instance()->database, settings);
	cr_assert_eq(await("SELECT count(*) FROM payhook.dead_jobs WHERE attempts = 1", 1), 1, "it is buried");
	expect_state(id, "FAILED", "unknown");
	cr_expect_str_eq(database_text_of("SELECT string_agg(outcome, ' ') FROM payhook.job_attempts"
					  " WHERE transaction_id = $1",
				 id),
		"unknown");
	cr_expect_eq(recording_processor_calls(&recording_processor, s.prefix), 1, "no call is made for it again");
	recording_processor_release(&recording_processor);
	database_text_of("SELECT payhook.retry($1)", id);
	fixture_wait_processed(&s, STEP_MS);
	extra_workers_dismiss(&second);
}

Test(outage, a_call_that_a_stop_cuts_off_counts)
{
	struct hired worker;
	struct fixture s;
	const char *const settings[] = {"PROCESSOR=http", recording_processor.url, "WORKER_GRACE_MS=0", NULL};

	recording_processor_hold(&recording_processor);
	extra_workers_hire(&worker, instance()->database, settings);
	fixture_post(&s, "cut", COUNT, 0);
	recording_processor_wait(&recording_processor, s.prefix, COUNT, STEP_MS);
	extra_workers_dismiss(&worker);
	cr_expect_eq(database_number_of("SELECT count(*) FROM payhook.jobs WHERE owner IS NULL AND run_at IS NULL"
					" AND attempt = 1 AND starts_with(transaction_id, $1 || '-')",
			     s.prefix),
		COUNT);
	cr_expect_eq(database_number_of("SELECT count(*) FROM payhook.job_attempts WHERE outcome = 'unknown'"
					" AND starts_with(transaction_id, $1 || '-')",
			     s.prefix),
		COUNT);
	recording_processor_release(&recording_processor);
	extra_workers_hire(&worker, instance()->database, settings);
	fixture_wait_processed(&s, STEP_MS);
	extra_workers_dismiss(&worker);
}

Test(outage, paused_workers_claim_nothing_and_resume_wakes_them)
{
	struct hired worker;
	struct fixture s;
	const char *const settings[] = {"PROCESSOR_DELAY_MS=0", NULL};

	extra_workers_hire(&worker, instance()->database, settings);
	cr_assert_eq(await("SELECT count(*) FROM payhook.workers", 1), 1);
	database_text_of("SELECT payhook.pause() WHERE $1 <> ''", "x");
	fixture_post(&s, "paused", COUNT, 0);
	cr_expect_eq(database_wait("SELECT count(*) FROM payhook.jobs WHERE owner IS NOT NULL", NULL, 1, QUIET_MS), 0,
		"claimed in spite of the pause");
	cr_expect_eq(fixture_jobs(&s), COUNT);
	database_text_of("SELECT payhook.resume() WHERE $1 <> ''", "x");
	fixture_wait_processed(&s, STEP_MS);
	extra_workers_dismiss(&worker);
}
