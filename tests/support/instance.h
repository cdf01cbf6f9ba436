#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "support/process.h"

/* A complete payhook for the tests, run by ./payhook: nginx, responders, PostgreSQL and a worker, with its own port and
 * state directory.
 *
 * All tests of a binary share one instance.  main() starts it; the tests run in processes of their own and read its
 * parameters from the environment.  A guard process beside the starting process stops the instance if that process
 * dies. */

#define WEBHOOKS "/v1/webhooks/transactions"

struct instance {
	char folder[64];    /* temporary; its state/ is PAYHOOK_VAR, its log contains the output of ./payhook */
	int port;           /* a free port above 20000 */
	int metrics_port;   /* of the instance's own worker */
	char database[256]; /* conninfo, as the database's owner */
	int guard; /* closing it makes the guard process stop the instance; -1: another process started the instance */
	pid_t watcher;
};

/* The settings of the shared instance of this binary: "NAME=value", ended by NULL. */
extern const char *const instance_settings[];

/* The shared instance. */
const struct instance *instance(void);

/* Creates the directory, chooses a port and starts the instance.  On failure returns false with the reason in *trouble,
 * and leaves nothing behind. */
bool instance_start(struct instance *i, const char *const settings[], char *trouble, size_t size);

/* Only the directory, the port and the guard process.  The caller starts payhook with instance_begin(); once it runs,
 * instance_find_database() sets database. */
bool instance_prepare(struct instance *i, char *trouble, size_t size);
bool instance_find_database(struct instance *i);

/* Stops the instance and removes its directory.  Returns false if processes were left, with the reason in *trouble. */
bool instance_stop(struct instance *i, char *trouble, size_t size);

/* Makes it the instance that instance() returns, in this process and its children. */
void instance_share(const struct instance *i);

/* Runs ./payhook with these arguments (ended by NULL), in the instance's environment and with these settings. */
pid_t instance_begin(const struct instance *i, const char *const arguments[], const char *const settings[]);
bool instance_run(
	const struct instance *i, const char *const arguments[], const char *const settings[], int timeout_ms);

/* The end of the output of ./payhook, for the message of a failing test. */
void instance_log(const struct instance *i, char *ret, size_t size);

/* The supervisor: it starts all other processes, restarts those that die, and ends by "down". 0: there is none. */
pid_t instance_supervisor(const struct instance *i);

/* The instance's processes with this name: "nginx", "payhook-app", "payhook-worker", "postgres" or "multiwatch". */
void instance_parts(const struct instance *i, const char *name, struct pids *ret);

/* The one of them that the supervisor started; 0 if there is none. */
pid_t instance_first(const struct instance *i, const char *name);
