#pragma once

#include <sys/types.h>

/* Workers beside the instance's own, started by a test with settings and a way to the database of their own. */

struct hired {
	pid_t pid;
	char log[128];
};

/* The instance's own worker, which the supervisor may just be starting. */
pid_t extra_workers_own(void);

/* The same, when it has its row in the database. */
pid_t extra_workers_wait_own(void);

/* It leaves, and does not come back until mend_all(). */
void extra_workers_dismiss_own(void);

/* Settings: "NAME=value", NULL ends.  It ends with the test. */
void extra_workers_hire(struct hired *h, const char *database, const char *const settings[]);

/* Asks it to end, and waits until it has. */
void extra_workers_dismiss(struct hired *h);

/* kill -9, and waits until it is gone. */
void extra_workers_kill(struct hired *h);

/* How many lines of its log hold this text. */
int extra_workers_logged(const struct hired *h, const char *text);
