/* extra_workers.c - starts, stops and kills additional workers, and stops the instance's own. */

#include "support/extra_workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/calm.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"

#define SETTINGS_MAX 16
#define START_MS 30000
#define END_MS 30000

pid_t extra_workers_own(void)
{
	long long deadline = calm_ms() + START_MS;
	pid_t pid;

	while ((pid = instance_first(instance(), "payhook-worker")) == 0) {
		cr_assert(calm_ms() < deadline, "no worker");
		pause_a_little();
	}
	return pid;
}

pid_t extra_workers_wait_own(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)extra_workers_own());
	cr_assert_eq(database_wait("SELECT count(*) FROM payhook.workers WHERE pid = $1::int", pid, 1, START_MS), 1,
		"the worker does not register");
	return (pid_t)strtol(pid, NULL, 10);
}

/* Waits for the worker's registration first: a worker that receives SIGTERM before its registration is confirmed leaves
 * its row behind for the others to remove. */
void extra_workers_dismiss_own(void)
{
	struct pids one = {1, {extra_workers_wait_own()}};

	break_supervisor();
	process_signal(&one, SIGTERM);
	cr_assert(process_wait_gone(&one, END_MS), "the worker does not end");
}

void extra_workers_hire(struct hired *h, const char *database, const char *const settings[])
{
	static int count;
	char program[96], url[256];
	const char *variables[SETTINGS_MAX + 3] = {url, "WORKER_METRICS_PORT=0"};

	snprintf(program, sizeof(program), "%s/state/bin/payhook-worker", instance()->folder);
	snprintf(h->log, sizeof(h->log), "%s/hired-%d-%d.log", instance()->folder, (int)getpid(), ++count);
	snprintf(url, sizeof(url), "DATABASE_URL=%s", database);
	for (size_t n = 0; settings[n] != NULL; n++) {
		cr_assert(n < SETTINGS_MAX);
		variables[n + 2] = settings[n];
	}
	h->pid = process_start((const char *const[]){program, NULL}, variables, h->log);
	cr_assert(h->pid > 0);
}

void extra_workers_dismiss(struct hired *h)
{
	int status;

	kill(h->pid, SIGTERM);
	cr_assert(process_wait(h->pid, END_MS, &status), "a worker does not end");
}

void extra_workers_kill(struct hired *h)
{
	int status;

	cr_assert(process_lives(h->pid), "it has ended before it could be killed");
	kill(h->pid, SIGKILL);
	cr_assert(process_wait(h->pid, END_MS, &status));
}

int extra_workers_logged(const struct hired *h, const char *text)
{
	char *line = NULL;
	size_t size = 0;
	int count = 0;
	FILE *f = fopen(h->log, "r");

	while (f != NULL && getline(&line, &size, f) > 0)
		count += strstr(line, text) != NULL;
	free(line);
	if (f != NULL)
		fclose(f);
	return count;
}
