#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/fault.h"

/* Processes as the supervisor starts and finds them. */

struct child_spec {
	char **command;     /* searched for in the PATH of its environment; ends with NULL */
	char **environment; /* "VARIABLE=VALUE", all of it; ends with NULL.  NULL: it is empty */
	const char *user;   /* NULL: the supervisor's user */
	int output;         /* becomes stdout and stderr; -1: both are inherited */
	int death_signal;   /* sent by the kernel to the process when the supervisor dies, however that happens */
};

/* Starts a process in a session of its own, so the terminal's Ctrl-C does not reach it, with no descriptors but the
 * first three, default signal handlers, and /dev/null as stdin.
 *
 * If the supervisor dies between the fork and the request for death_signal, the process notices and ends.  A failure
 * after the fork is reported on the process's stderr; its status is 127 then.  False: FAULT_BUSY or FAULT_INPUT. */
MUST_USE bool child_start(const struct child_spec *spec, pid_t *ret, struct fault *f);

#define CHILD_LIST_MAX 1024 /* children of one process; more are found when the first have ended */

struct child_list {
	pid_t pids[CHILD_LIST_MAX];
	int count;
};

/* Sends a signal to a process that child_start() has started and to its process group.  The process takes it however short
 * the time since its start is. */
void child_signal_group(pid_t pid, int signal);

/* The children of a process, from /proc.  Empty if the process is gone. */
void child_list_of(pid_t pid, struct child_list *ret);

/* Sends a signal to all descendants of a process, children before grandchildren, but not to the process itself. */
void child_signal_descendants(pid_t pid, int signal);

/* The start time of a process in clock ticks since boot, field 22 of /proc/PID/stat: with it, a pid names one process
 * only.  0: there is no such process. */
unsigned long long child_start_ticks(pid_t pid);

/* "status 1" or "killed by SIGKILL", from a status of waitpid(). */
#define CHILD_END_MAX 40
const char *child_end_text(int status, char ret[CHILD_END_MAX]);
