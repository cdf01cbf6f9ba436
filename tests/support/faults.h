#pragma once

#include "support/process.h"

/* Faults of the shared instance and their repair.  A "part" is named by its process: "nginx", "payhook-app",
 * "payhook-worker", "postgres". */

/* Sends SIGSTOP to all processes of a part. */
void break_freeze(const char *name);

/* Sends SIGCONT to all processes, including the supervisor. */
void mend_all(void);

/* mend_all(), then waits until webhooks are accepted.  The .init of suites that cause faults. */
void mend_and_wait(void);

/* Freezes the supervisor, so that it restarts nothing until mend_all(). */
void break_supervisor(void);

/* Shuts PostgreSQL down and ends its connections.  It stays down until mend_all(). */
void break_stop_database(void);

/* Waits until PostgreSQL accepts connections. */
void mend_wait_database(int timeout_ms);

/* Sends SIGKILL to the nth process of a part.  Returns its pid. */
pid_t break_kill(const char *name, int nth);

/* Waits until a part consists of this number of processes, none of which is in gone.  Returns false if that is not so
 * by the deadline. */
bool mend_wait_parts(const char *name, int count, const struct pids *gone, int timeout_ms);

/* Runs ./payhook reload with these settings, and waits until all responders have been replaced and payhook_responders
 * has reached the given number. */
void mend_reload(const char *const settings[], int responders, const char *authorization);
