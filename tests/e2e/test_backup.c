/* test_backup.c - a backup of a running payhook is restored into another one, which continues from the state in the
 * file. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/faults.h"
#include "support/fixture.h"
#include "support/instance.h"
#include "support/instance_database.h"

#define STEP_MS 30000
#define UP_MS 120000
#define COUNT 50

TestSuite(backup, .init = fixture_begin, .fini = mend_all, .timeout = 240);

static void run(const struct instance *i, const char *const arguments[], const char *const settings[], int timeout_ms)
{
	char log[16 * 1024];
	bool ok = instance_run(i, arguments, settings, timeout_ms);

	instance_log(i, log, sizeof(log));
	cr_assert(ok, "%s: %s", arguments[0], log);
}

/* The status of "<prefix>-<n>" as an instance reports it; empty if the transaction is unknown there. */
static void state_of(const struct instance *i, const char *prefix, int n, char ret[32])
{
	char target[128];
	struct answer a;

	snprintf(target, sizeof(target), "/v1/transactions/%s-%d", prefix, n);
	call_send(&(struct call){.target = target, .port = i->port}, &a);
	const char *status = a.status == 200 ? strstr(a.body, "\"status\":\"") : NULL;
	ret[0] = '\0';
	if (status)
		sscanf(status, "\"status\":\"%31[A-Z]", ret);
	answer_finish(&a);
}

static int in_state(const struct instance *i, const struct fixture *f, const char *state)
{
	char now[32];
	int count = 0;

	for (int n = 0; n < f->count; n++) {
		state_of(i, f->prefix, n, now);
		count += strcmp(now, state) == 0;
	}
	return count;
}

/* PROCESSOR_DELAY_MS is a day, so the instance's own worker still holds all that it has claimed when the backup is
 * made. */
Test(backup, a_restored_payhook_processes_what_was_processing)
{
	static const char *const settings[] = {"PROCESSOR_DELAY_MS=0", NULL};
	struct instance second;
	struct fixture kept, later;
	char file[128], trouble[512];

	fixture_post(&kept, "kept", COUNT, 0);
	fixture_wait_claimed(&kept, STEP_MS);
	snprintf(file, sizeof(file), "%s/backup", instance()->folder);
	run(instance(), (const char *const[]){"backup", file, NULL}, instance_settings, STEP_MS);
	fixture_post(&later, "later", COUNT, 0);

	cr_assert(instance_prepare(&second, trouble, sizeof(trouble)), "%s", trouble);
	run(&second, (const char *const[]){"up", "-d", NULL}, settings, UP_MS);
	run(&second, (const char *const[]){"restore", file, NULL}, settings, STEP_MS);
	cr_assert_eq(in_state(&second, &kept, "PROCESSING"), COUNT, "not as they were, or not paused");
	cr_assert_eq(in_state(&second, &later, ""), COUNT, "accepted after the backup, and yet there");
	run(&second, (const char *const[]){"psql", "-c", "select resume()", NULL}, settings, STEP_MS);
	for (long long deadline = calm_ms() + STEP_MS; in_state(&second, &kept, "PROCESSED") < COUNT; pause_a_little())
		cr_assert(calm_ms() < deadline, "%d of %d", in_state(&second, &kept, "PROCESSED"), COUNT);
	/* A webhook that was accepted after the backup is new to the second instance when it is sent again. */
	fixture_post(&later, "again", COUNT, second.port);
	for (long long deadline = calm_ms() + STEP_MS; in_state(&second, &later, "PROCESSED") < COUNT; pause_a_little())
		cr_assert(calm_ms() < deadline, "%d of %d", in_state(&second, &later, "PROCESSED"), COUNT);
	cr_assert(instance_stop(&second, trouble, sizeof(trouble)), "%s", trouble);
	database_number("WITH gone AS (DELETE FROM payhook.jobs) DELETE FROM payhook.transactions");
}
