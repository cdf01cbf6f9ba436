/* faults.c - faults of the shared instance: killed, frozen and stopped processes, and their repair. */

#include "support/faults.h"

#include <signal.h>

#include <criterion/criterion.h>
#include <libpq-fe.h>

#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"

void break_freeze(const char *name)
{
	struct pids parts;

	/* Twice, to include processes that were forked meanwhile. */
	for (int n = 0; n < 2; n++) {
		instance_parts(instance(), name, &parts);
		process_signal(&parts, SIGSTOP);
	}
	cr_assert(parts.count > 0, "no %s", name);
}

void mend_all(void)
{
	struct pids all;
	pid_t top = instance_supervisor(instance());

	process_tree(top, &all);
	process_signal(&all, SIGCONT);
	if (top > 0)
		kill(top, SIGCONT);
}

void mend_and_wait(void)
{
	mend_all();
	expect_recovery(20000);
}

void break_supervisor(void)
{
	pid_t top = instance_supervisor(instance());

	cr_assert(top > 0 && kill(top, SIGSTOP) == 0);
}

void break_stop_database(void)
{
	struct pids parts;
	pid_t first = instance_first(instance(), "postgres");

	break_supervisor();
	instance_parts(instance(), "postgres", &parts);
	cr_assert(first > 0 && kill(first, SIGINT) == 0);
	cr_assert(process_wait_gone(&parts, 10000), "PostgreSQL does not stop");
}

void mend_wait_database(int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	while (PQping(instance()->database) != PQPING_OK) {
		cr_assert(calm_ms() < deadline, "PostgreSQL did not return in %d ms", timeout_ms);
		pause_a_little();
	}
}

pid_t break_kill(const char *name, int nth)
{
	struct pids parts;

	instance_parts(instance(), name, &parts);
	cr_assert(parts.count > 0, "no %s", name);
	pid_t pid = parts.list[nth % parts.count];
	cr_assert_eq(kill(pid, SIGKILL), 0);
	return pid;
}

bool mend_wait_parts(const char *name, int count, const struct pids *gone, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	for (;;) {
		struct pids parts;
		bool all_new = true;
		instance_parts(instance(), name, &parts);
		for (int n = 0; n < parts.count; n++)
			all_new = all_new && !process_in(gone, parts.list[n]);
		if (all_new && parts.count == count)
			return true;
		if (calm_ms() > deadline)
			return false;
		pause_a_little();
	}
}

void mend_reload(const char *const settings[], int responders, const char *authorization)
{
	struct pids before;
	char log[4096];

	instance_parts(instance(), "payhook-app", &before);
	bool reloaded = instance_run(instance(), (const char *const[]){"reload", NULL}, settings, 60000);
	instance_log(instance(), log, sizeof log);
	cr_assert(reloaded, "%s", log);
	cr_assert(mend_wait_parts("payhook-app", responders, &before, 10000), "the responders are still the same");
	expect_responders(responders, authorization);
}
