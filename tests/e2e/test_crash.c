/* test_crash.c - workers and responders are killed at every point of a job's life, and PostgreSQL is down for a long
 * time.
 *
 * A processor that records its calls shows what the workers really did: no job is lost, none is settled twice, and
 * only calls whose result died with a worker are repeated.  The tests know the point a worker has reached without
 * timing: the processor, or a proxy before the database, holds the next step, and the worker is killed there. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/extra_workers.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/pg_proxy.h"
#include "support/recording_processor.h"

#define STEP_MS 15000   /* for steps that take a moment */
#define RESCUE_MS 90000 /* for the other workers to free a dead worker's jobs, after 20 s without heartbeat */
#define UP_MS 120000
#define OUTAGE_MS 30000
#define COUNT 20

/* Until it is dismissed, the instance's own worker holds what it claims for a day and does not call the recording
 * processor. */
const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=86400000", "WORKER_GRACE_MS=0", NULL};

static struct recording_processor recording_processor;
static const char *settings[] = {"PROCESSOR=http", recording_processor.url, "PROCESSOR_TIMEOUT_MS=120000", NULL, NULL};

static void begin(void)
{
	fixture_begin();
	extra_workers_dismiss_own();
}

TestSuite(crash, .init = begin, .fini = mend_all, .timeout = 240);

static void expect_calls(const struct fixture *f, int times, const char *why)
{
	long as_expected = recording_processor_called(&recording_processor, f->prefix, f->count, times);

	cr_assert_eq(as_expected, f->count, "%s: %ld of %ld called %d times, %d calls in all", why, as_expected,
		f->count, times, recording_processor_calls(&recording_processor, f->prefix));
}

/* Starts a worker through this proxy, and kills it as soon as the proxy has intervened. */
static void kill_at(struct fixture *f, const char *word, struct pg_proxy *proxy)
{
	struct hired hired;
	char through[256];

	fixture_post(f, word, COUNT, 0);
	extra_workers_hire(&hired, pg_proxy_conninfo(proxy, through), settings);
	pg_proxy_wait(proxy, STEP_MS);
	extra_workers_kill(&hired);
	pg_proxy_stop(proxy);
}

static void kill_after_claim(struct fixture *f)
{
	struct pg_proxy proxy;

	pg_proxy_hold_answer(&proxy, instance()->database, "claim");
	kill_at(f, "claimed", &proxy);
	cr_assert_eq(fixture_claimed(f), COUNT);
	cr_assert_eq(recording_processor_calls(&recording_processor, f->prefix), 0);
}

static void kill_during_call(struct fixture *f)
{
	struct hired hired;

	recording_processor_hold(&recording_processor);
	fixture_post(f, "called", COUNT, 0);
	extra_workers_hire(&hired, instance()->database, settings);
	recording_processor_wait(&recording_processor, f->prefix, COUNT, STEP_MS);
	extra_workers_kill(&hired);
	recording_processor_release(&recording_processor);
	cr_assert_eq(fixture_processed(f), 0);
}

static void kill_before_settle(struct fixture *f)
{
	struct pg_proxy proxy;

	pg_proxy_hold_question(&proxy, instance()->database, "settle");
	kill_at(f, "answered", &proxy);
	cr_assert_eq(fixture_processed(f), 0);
}

/* The settlement is committed, and the worker dies without the answer.  Some of the jobs may belong to the next
 * settlement, which is not sent. */
static void kill_after_settle(struct fixture *f)
{
	struct pg_proxy proxy;

	pg_proxy_hold_answer(&proxy, instance()->database, "settle");
	kill_at(f, "settled", &proxy);
	cr_assert(fixture_processed(f) > 0);
}

/* The server executes the settlement, which waits for a row that the test has locked. */
static void kill_in_settle(struct fixture *f)
{
	struct hired hired;
	const char *waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
	const char *none_works = "SELECT (count(*) = 0)::int FROM pg_stat_activity"
				 " WHERE application_name LIKE 'payhook-worker%'";

	fixture_post(f, "settling", COUNT, 0);
	database_number("BEGIN");
	database_number_of("SELECT count(*) FROM (SELECT FROM payhook.transactions"
			   " WHERE starts_with(transaction_id, $1 || '-') FOR UPDATE) x",
		f->prefix);
	extra_workers_hire(&hired, instance()->database, settings);
	cr_assert_geq(database_wait(waiting, NULL, 1, STEP_MS), 1, "no settlement waits");
	extra_workers_kill(&hired);
	database_number("ROLLBACK");
	cr_assert_eq(database_wait(none_works, NULL, 1, STEP_MS), 1, "the server still works for the dead");
	cr_assert(fixture_processed(f) > 0);
}

Test(crash, killed_at_any_point_of_a_job_loses_nothing_and_repeats_only_what_it_must)
{
	struct fixture after_claim, called, before_settle, after_settle, in_settle;
	struct hired survivor;

	recording_processor_open(&recording_processor, 0);
	kill_after_claim(&after_claim);
	kill_during_call(&called);
	kill_before_settle(&before_settle);
	kill_after_settle(&after_settle);
	kill_in_settle(&in_settle);
	long settled_after = fixture_processed(&after_settle), settled_in = fixture_processed(&in_settle);

	/* A worker that starts later notices that all of them are dead. */
	extra_workers_hire(&survivor, instance()->database, settings);
	fixture_wait_processed(&after_claim, RESCUE_MS);
	fixture_wait_processed(&called, STEP_MS);
	fixture_wait_processed(&before_settle, STEP_MS);
	fixture_wait_processed(&after_settle, STEP_MS);
	fixture_wait_processed(&in_settle, STEP_MS);
	expect_calls(&after_claim, 1, "killed before the calls");
	expect_calls(&called, 2, "killed during the calls");
	expect_calls(&before_settle, 2, "killed before the settlement");
	cr_assert_eq(recording_processor_called(&recording_processor, after_settle.prefix, COUNT, 1), settled_after,
		"settled ones called again");
	cr_assert_eq(
		recording_processor_called(&recording_processor, after_settle.prefix, COUNT, 2), COUNT - settled_after);
	cr_assert_eq(recording_processor_called(&recording_processor, in_settle.prefix, COUNT, 1), settled_in,
		"settled ones called again");
	cr_assert_eq(recording_processor_called(&recording_processor, in_settle.prefix, COUNT, 2), COUNT - settled_in);
	cr_assert_geq(extra_workers_logged(&survivor, "jobs of a dead worker freed"), 5);
	extra_workers_dismiss(&survivor);
	recording_processor_close(&recording_processor);
}

Test(crash, responder_killed_between_commit_and_notify_has_its_jobs_processed)
{
	struct instance second;
	struct fixture f;
	struct pg_proxy proxy;
	char through[256], database[300], trouble[4096];

	recording_processor_open(&recording_processor, 0);
	pg_proxy_hold_question(&proxy, instance()->database, "notify");
	snprintf(database, sizeof(database), "DATABASE_URL=%s", pg_proxy_conninfo(&proxy, through));
	const char *its[] = {database, "RESPONDERS=1", settings[0], settings[1], NULL};
	cr_assert(instance_prepare(&second, trouble, sizeof(trouble)), "%s", trouble);
	snprintf(second.database, sizeof(second.database), "%s", through);
	bool is_up = instance_run(&second, (const char *const[]){"up", "-d", NULL}, its, UP_MS);
	instance_log(&second, trouble, sizeof(trouble));
	cr_assert(is_up, "%s", trouble);
	/* No worker claims the jobs before the responder is dead. */
	pid_t worker = instance_first(&second, "payhook-worker");
	cr_assert(worker > 0 && kill(worker, SIGSTOP) == 0);
	fixture_post(&f, "notify", COUNT, second.port);
	pg_proxy_wait(&proxy, STEP_MS);
	struct pids responders;
	instance_parts(&second, "payhook-app", &responders);
	cr_assert(responders.count > 0);
	process_signal(&responders, SIGKILL);
	cr_assert_eq(fixture_jobs(&f), COUNT);
	kill(worker, SIGCONT);
	fixture_wait_processed(&f, STEP_MS);
	expect_calls(&f, 1, "notified by nobody");
	cr_assert(instance_stop(&second, trouble, sizeof(trouble)), "%s", trouble);
	pg_proxy_stop(&proxy);
	recording_processor_close(&recording_processor);
}

/* Jobs of a lost claim are freed before the next claim, and none of them has been called. */
Test(crash, connection_cut_between_a_claims_commit_and_its_answer_repeats_no_call)
{
	struct hired hired;
	struct fixture f;
	struct pg_proxy proxy;
	char through[256];

	recording_processor_open(&recording_processor, 0);
	pg_proxy_start(&proxy, instance()->database, "claim", 3);
	fixture_post(&f, "cut", 200, 0);
	extra_workers_hire(&hired, pg_proxy_conninfo(&proxy, through), settings);
	fixture_wait_processed(&f, STEP_MS);
	cr_assert_eq(pg_proxy_deeds(&proxy), 3);
	expect_calls(&f, 1, "claims cut");
	cr_assert_geq(extra_workers_logged(&hired, "jobs of a lost claim released"), 1);
	extra_workers_dismiss(&hired);
	pg_proxy_stop(&proxy);
	recording_processor_close(&recording_processor);
}

/* Calls that end while the database is down are settled when it is back.  Jobs that are called then are called for the
 * first time. */
Test(crash, postgresql_stopped_for_30_s_under_two_busy_workers_repeats_no_call)
{
	enum { MANY = 1000 };
	struct hired one, two;
	struct fixture f;
	char owners[256];
	const char *numbers = "SELECT string_agg(owner::text, ' ' ORDER BY owner) FROM payhook.workers";

	recording_processor_open(&recording_processor, 1000);
	settings[3] = "WORKER_SLOTS=50";
	extra_workers_hire(&one, instance()->database, settings);
	extra_workers_hire(&two, instance()->database, settings);
	cr_assert_eq(database_wait("SELECT count(*) FROM payhook.workers", NULL, 2, STEP_MS), 2);
	snprintf(owners, sizeof(owners), "%s", database_text_of(numbers, NULL));
	fixture_post(&f, "outage", MANY, 0);
	recording_processor_wait(&recording_processor, f.prefix, 150, STEP_MS);
	break_stop_database();
	long long until = now_ms() + OUTAGE_MS;
	int before = recording_processor_calls(&recording_processor, f.prefix);
	cr_assert(before < MANY, "too late: they are all called already");
	while (now_ms() < until)
		pause_a_little();
	mend_all();
	mend_wait_database(RESCUE_MS);
	/* The instance's own worker releases what it has claimed, without a call. */
	extra_workers_dismiss_own();
	fixture_wait_processed(&f, RESCUE_MS);
	expect_calls(&f, 1, "the database was away");
	const char *now = database_text_of(numbers, NULL);
	cr_assert_str_eq(now, owners, "a worker was declared dead: \"%s\" has become \"%s\"", owners, now);
	const struct hired *both[] = {&one, &two};
	for (int n = 0; n < 2; n++) {
		cr_assert_geq(extra_workers_logged(both[n], "database unreachable"), 1);
		cr_assert_eq(extra_workers_logged(both[n], "jobs of a dead worker freed"), 0);
		cr_assert_eq(extra_workers_logged(both[n], "declared dead"), 0);
		cr_assert_eq(extra_workers_logged(both[n], "of unregistered workers"), 0);
	}
	extra_workers_dismiss(&one);
	extra_workers_dismiss(&two);
	recording_processor_close(&recording_processor);
}

/* The late results arrive while the second calls are in progress: the jobs exist and could be settled by the wrong
 * worker. */
Test(crash, frozen_beyond_its_death_settles_late_and_changes_nothing)
{
	struct hired frozen, other;
	struct fixture f, later;
	char jobs[64], owner[32];
	const char *state = "SELECT md5(string_agg(j::text, ',' ORDER BY id)) FROM payhook.jobs j"
			    " WHERE starts_with(transaction_id, $1 || '-')";
	const char *attempts = "SELECT count(*) FROM payhook.job_attempts WHERE starts_with(transaction_id, $1 || '-')";

	recording_processor_open(&recording_processor, 0);
	recording_processor_hold(&recording_processor);
	fixture_post(&f, "frozen", COUNT, 0);
	extra_workers_hire(&frozen, instance()->database, settings);
	recording_processor_wait(&recording_processor, f.prefix, COUNT, STEP_MS);
	kill(frozen.pid, SIGSTOP);
	/* The answers to the frozen worker wait in its sockets; the next calls get no answer yet. */
	recording_processor_release(&recording_processor);
	recording_processor_hold(&recording_processor);
	extra_workers_hire(&other, instance()->database, settings);
	recording_processor_wait(&recording_processor, f.prefix, 2 * COUNT, RESCUE_MS);
	snprintf(owner, sizeof(owner), "%s", database_text_of("SELECT owner FROM payhook.jobs LIMIT 1", NULL));
	snprintf(jobs, sizeof(jobs), "%s", database_text_of(state, f.prefix));

	/* That of the frozen worker, which has no known end. */
	cr_assert_eq(database_number_of(attempts, f.prefix), COUNT);

	kill(frozen.pid, SIGCONT);
	cr_assert_eq(database_wait("SELECT count(*) FROM payhook.workers", NULL, 2, STEP_MS), 2, "it is not back");
	long long deadline = calm_ms() + STEP_MS;
	while (extra_workers_logged(&frozen, "stale settlements changed nothing") == 0) {
		cr_assert_eq(fixture_processed(&f), 0, "a late result counts");
		cr_assert(calm_ms() < deadline, "it has not settled late");
		pause_a_little();
	}
	cr_assert_eq(fixture_processed(&f), 0);
	cr_assert_eq(database_number_of(attempts, f.prefix), COUNT);
	cr_assert_str_eq(database_text_of(state, f.prefix), jobs);

	recording_processor_release(&recording_processor);
	fixture_wait_processed(&f, STEP_MS);
	expect_calls(&f, 2, "once by each");
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.job_attempts WHERE worker = $1::bigint", owner),
		COUNT, "not all settled by the one that has them");
	/* The worker that was declared dead works again. */
	extra_workers_dismiss(&other);
	fixture_post(&later, "thawed", COUNT, 0);
	fixture_wait_processed(&later, STEP_MS);
	expect_calls(&later, 1, "after the thaw");
	extra_workers_dismiss(&frozen);
	recording_processor_close(&recording_processor);
}
