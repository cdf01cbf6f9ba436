#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "support/process.h"

/* A whole payhook of the tests' own, run by ./payhook: nginx, pool, PostgreSQL and worker, with its own port and
 * state folder.
 *
 * One is shared by all tests of a binary: main() starts it, and its tests, which are processes of their own, find its
 * few parameters in the environment.  Whatever happens to the process that started an instance, a watcher that it
 * leaves beside it takes the instance down. */

#define WEBHOOKS "/v1/webhooks/transactions"

struct instance {
	char folder[64];    /* temporary, of its own: state/ is PAYHOOK_VAR, log holds what payhook printed */
	int port;           /* a free one, above 20000 */
	int metrics_port;   /* of its own worker */
	char database[256]; /* conninfo of its owner */
	int guard;          /* its watcher takes it down when this closes; -1: another process's instance */
	pid_t watcher;
};

/* What this binary's shared instance is started with: "NAME=value", NULL ends. */
extern const char *const instance_settings[];

/* The shared instance. */
const struct instance *instance(void);

/* Makes folder and port, and starts it.  False: *trouble says why, nothing is left. */
bool instance_start(struct instance *i, const char *const settings[], char *trouble, size_t size);

/* Folder, port and watcher only; instance_begin() does the rest, and when it runs instance_find_database() fills in how
 * its database is reached. */
bool instance_prepare(struct instance *i, char *trouble, size_t size);
bool instance_find_database(struct instance *i);

/* Stops it and removes its folder.  False: *trouble says what it left behind. */
bool instance_stop(struct instance *i, char *trouble, size_t size);

/* Makes it what instance() returns, in this process and in those it starts. */
void instance_share(const struct instance *i);

/* Runs ./payhook with these arguments (NULL ends) in the instance's environment and with these settings. */
pid_t instance_begin(const struct instance *i, const char *const arguments[], const char *const settings[]);
bool instance_run(
	const struct instance *i, const char *const arguments[], const char *const settings[], int timeout_ms);

/* The end of what payhook printed, for a failing test's message. */
void instance_log(const struct instance *i, char *ret, size_t size);

/* The process that holds all others: restarts what dies, ends with "down".  0: there is none. */
pid_t instance_supervisor(const struct instance *i);

/* Its parts by process name: "nginx", "payhook-app", "payhook-worker", "postgres", "multiwatch". */
void instance_parts(const struct instance *i, const char *name, struct pids *ret);

/* The one among them that the supervisor started; 0 when there is none. */
pid_t instance_first(const struct instance *i, const char *name);
