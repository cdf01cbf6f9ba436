#pragma once

#include <sys/types.h>

/* Workers besides the instance's own, started by a test with their own settings and connection string. */

struct hired {
	pid_t pid;
	char log[128];
};

/* The pid of the instance's own worker.  Waits for it if the supervisor is just starting it. */
pid_t extra_workers_own(void);

/* The same, after the worker has registered in the database. */
pid_t extra_workers_wait_own(void);

/* Ends the instance's own worker; it is not restarted until mend_all(). */
void extra_workers_dismiss_own(void);

/* Starts a worker.  settings: "NAME=value", ended by NULL.  The worker is killed when the test ends. */
void extra_workers_hire(struct hired *h, const char *database, const char *const settings[]);

/* Sends SIGTERM and waits until the worker has ended. */
void extra_workers_dismiss(struct hired *h);

/* Sends SIGKILL and waits until the worker is gone. */
void extra_workers_kill(struct hired *h);

/* The number of lines in the worker's log that contain this text. */
int extra_workers_logged(const struct hired *h, const char *text);
