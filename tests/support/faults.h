#pragma once

#include "support/process.h"

/* Ways to break the shared instance, and to mend it. */

/* SIGSTOP to all processes of a part. */
void break_freeze(const char *name);

/* SIGCONT to everything, the supervisor included. */
void mend_all(void);

/* mend_all(), and waits until webhooks are accepted: what each test of a breaking suite begins with. */
void mend_and_wait(void);

/* Keeps the supervisor from starting again what ends, until mend_all(). */
void break_supervisor(void);

/* PostgreSQL shut down, its connections ended; it stays down until mend_all(). */
void break_stop_database(void);

/* Waits until PostgreSQL takes connections. */
void mend_wait_database(int timeout_ms);

/* kill -9 of the nth process of a part; returns its pid. */
pid_t break_kill(const char *name, int nth);

/* Waits until a part consists of so many processes, none of them gone ones.  False: not by the deadline. */
bool mend_wait_parts(const char *name, int count, const struct pids *gone, int timeout_ms);

/* ./payhook reload with these settings; waits until all responders are others, and count. */
void mend_reload(const char *const settings[], int responders, const char *authorization);
