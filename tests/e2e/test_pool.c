/* test_pool.c - responders are killed, frozen, replaced and stopped under load; no accepted webhook is lost. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/load.h"

#define RESPONDERS 3

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=100", "WORKER_GRACE_MS=200", "RESPONDERS=3", NULL};

TestSuite(pool, .init = mend_and_wait, .fini = mend_all);

#define STORED "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')"
#define DONE STORED " AND status = 'PROCESSED'"

static void all_are_processed(const char *prefix)
{
	long long stored = database_number_of(STORED, prefix);

	cr_assert_eq(database_wait(DONE, prefix, stored, 60000), stored);
}

Test(pool, a_killed_responder_loses_no_acknowledged_webhook)
{
	char prefix[64];
	struct load l = {.connections = 32};

	l.prefix = fresh_id("killed", prefix);
	load_open(&l);
	for (int n = 0; n < 6; n++) {
		load_step(&l, 150);
		/* Every second responder is killed while PostgreSQL is frozen, and so while it holds webhooks whose
		 * statement has not been sent. */
		if (n % 2 == 0)
			break_freeze("postgres");
		load_step(&l, 100);
		break_kill("payhook-app", n);
		mend_all();
	}
	load_step(&l, 300);
	cr_assert(load_end(&l, 10000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert(l.accepted > 500, "%ld accepted; %s", l.accepted, l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	all_are_processed(prefix);
	/* nginx sends a request to another responder if the first one dies.  If that one dies too, the request may fail
	 * and be sent again. */
	cr_assert(l.begun - l.accepted <= 32, "%ld of %ld failed: %s", l.begun - l.accepted, l.begun, l.trouble);
	cr_assert(mend_wait_parts("payhook-app", RESPONDERS, &(struct pids){0}, 3000));
	load_close(&l);
}

/* Runs ./payhook reload with these settings while the load continues. */
static void reload_under(struct load *l, const char *const settings[])
{
	struct pids before;
	char log[2048];
	int status = -1;

	instance_parts(instance(), "payhook-app", &before);
	pid_t pid = instance_begin(instance(), (const char *const[]){"reload", NULL}, settings);
	long long deadline = calm_ms() + 60000;
	while (waitpid(pid, &status, WNOHANG) == 0 && calm_ms() < deadline)
		load_step(l, 5);
	instance_log(instance(), log, sizeof(log));
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "reload: %s", log);
	while (!mend_wait_parts("payhook-app", RESPONDERS, &before, 0)) {
		cr_assert(calm_ms() < deadline, "the responders are still the same");
		load_step(l, 5);
	}
}

Test(pool, a_reload_under_load_fails_no_request, .timeout = 120)
{
	char prefix[64];
	struct load l = {.connections = 32};

	l.prefix = fresh_id("reload", prefix);
	load_open(&l);
	for (int n = 0; n < 5; n++) {
		load_step(&l, 100);
		reload_under(&l, instance_settings);
	}
	load_step(&l, 200);
	cr_assert(load_end(&l, 10000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert(l.begun > 1000, "%ld posts", l.begun);
	cr_assert_eq(l.accepted, l.begun, "%ld of %ld failed: %s", l.begun - l.accepted, l.begun, l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	all_are_processed(prefix);
	load_close(&l);
}

/* Copies the migrations and adds one of a future version, which does what the rule in CONTRIBUTING.md allows. */
static void migrations_of_the_next_version(char folder[128])
{
	char command[1024];
	const char *source = getenv("PAYHOOK_SOURCE");

	snprintf(folder, 128, "%s/next", instance()->folder);
	snprintf(command, sizeof(command),
		"mkdir '%s' && cp '%s'/schema/[0-9]*.sql '%s' && cat >'%s/9999_next.sql' <<'END'\n"
		"ALTER TABLE payhook.transactions ADD COLUMN next text, ADD COLUMN again int NOT NULL DEFAULT 1;\n"
		"ALTER TABLE payhook.jobs ADD COLUMN next text NOT NULL DEFAULT 'next';\n"
		"ALTER TABLE payhook.workers ADD COLUMN next text;\n"
		"ALTER TABLE payhook.transaction_conflicts ADD COLUMN next text;\n"
		"ALTER TABLE payhook.job_attempts ADD COLUMN next text;\n"
		"CREATE TABLE payhook.next (transaction_id text PRIMARY KEY);\nEND\n",
		folder, source ? source : ".", folder, folder);
	pid_t pid = process_start(
		(const char *const[]){"sh", "-c", command, NULL}, (const char *const[]){NULL}, "/dev/null");
	int status;
	cr_assert(process_wait(pid, 5000, &status) && status == 0, "%s", command);
}

/* The programs stay those of this version: they continue with the new schema, and start with it. */
Test(pool, a_migration_of_the_next_version_fails_no_request_of_this_one, .timeout = 120)
{
	char prefix[64], again[64], folder[128], schema[160];
	struct load l = {.connections = 32};

	migrations_of_the_next_version(folder);
	snprintf(schema, sizeof(schema), "PAYHOOK_SCHEMA=%s", folder);
	const char *settings[] = {instance_settings[0], instance_settings[1], instance_settings[2], schema, NULL};
	l.prefix = fresh_id("next", prefix);
	load_open(&l);
	load_step(&l, 300);
	reload_under(&l, settings);
	load_step(&l, 300);
	cr_assert_eq(database_number("SELECT max(version) FROM payhook.migrations"), 9999);
	cr_assert(load_end(&l, 10000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert_eq(l.accepted, l.begun, "%ld of %ld failed: %s", l.begun - l.accepted, l.begun, l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	all_are_processed(prefix);
	load_close(&l);

	char body[WEBHOOK_MAX];
	expect_accepted(webhook_simple(fresh_id("next-again", again), body));
	expect_accepted(body);
	*strstr(body, "acc_user") = 'b';
	expect_accepted(body);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.conflicts WHERE transaction_id = $1", again), 1);
}

Test(pool, responders_replaced_without_pause_fail_no_request)
{
	char prefix[64];
	struct load l = {.connections = 32};
	pid_t multiwatch = instance_first(instance(), "multiwatch");

	l.prefix = fresh_id("replaced", prefix);
	load_open(&l);
	for (int n = 0; n < 20; n++) {
		load_step(&l, 100);
		cr_assert_eq(kill(multiwatch, SIGUSR2), 0);
	}
	load_step(&l, 200);
	cr_assert(load_end(&l, 10000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert_eq(l.accepted, l.begun, "%ld of %ld failed: %s", l.begun - l.accepted, l.begun, l.trouble);
	cr_assert_eq(load_lost(&l), 0);
	load_close(&l);
}

/* A frozen responder accepts no connection, so only requests on connections that it had accepted before wait for it:
 * nginx repeats each after a second, on a new connection. */
Test(pool, a_frozen_responder_delays_only_the_requests_under_way, .timeout = 60)
{
	char prefix[64];
	struct load l = {.connections = 64};
	struct pids apps;

	l.prefix = fresh_id("one-frozen", prefix);
	load_open(&l);
	load_step(&l, 1000);
	long before = l.answered;
	instance_parts(instance(), "payhook-app", &apps);
	cr_assert_eq(apps.count, RESPONDERS);
	cr_assert_eq(kill(apps.list[0], SIGSTOP), 0);
	load_step(&l, 8000);
	cr_assert(load_end(&l, 10000), "%ld of %ld answered", l.answered, l.begun);
	cr_assert(l.answered > before + 1000, "%ld answered while one is frozen", l.answered - before);
	cr_assert_eq(l.accepted, l.begun, "%ld of %ld failed: %s", l.begun - l.accepted, l.begun, l.trouble);
	cr_assert(l.slowest < 1.5, "%.3f s", l.slowest);
	cr_assert(l.late <= l.connections, "%ld of %ld took over 0.5 s", l.late, l.begun);
	mend_all();
	cr_assert_eq(load_lost(&l), 0);
	all_are_processed(prefix);
	load_close(&l);
}

Test(pool, a_pool_that_is_away_is_a_bad_gateway_with_a_time_to_come_again)
{
	struct answer a;
	struct pids parts, apps;
	char body[WEBHOOK_MAX], id[64];

	break_supervisor();
	instance_parts(instance(), "multiwatch", &parts);
	instance_parts(instance(), "payhook-app", &apps);
	process_signal(&parts, SIGKILL);
	process_signal(&apps, SIGKILL);
	cr_assert(process_wait_gone(&apps, 5000));
	call_post(webhook_simple(fresh_id("away", id), body), &a);
	expect_retry_after(&a, "502");
	expect_problem_once(&a, 502, "the pool is away");
	call_get("/", &a);
	expect_problem_once(&a, 502, "the pool is away");
	mend_all();
	expect_recovery(5000);
	expect_accepted_within(body, 5000);
}

Test(pool, a_frozen_pool_is_a_gateway_timeout_with_a_time_to_come_again, .timeout = 90)
{
	struct answer a;
	char body[WEBHOOK_MAX], id[64];

	break_freeze("payhook-app");
	call_post(webhook_simple(fresh_id("frozen", id), body), &a);
	expect_retry_after(&a, "504");
	cr_assert(a.seconds < 4, "%.3f s", a.seconds);
	expect_problem_once(&a, 504, "the pool is frozen");
	mend_all();
	expect_recovery(5000);
	/* Requests that nginx had passed on may have been stored; even so each is one transaction. */
	expect_accepted_within(body, 5000);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 1);
	cr_assert_eq(
		database_number_of("SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1", id),
		0);
}
