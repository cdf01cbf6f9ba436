/* child.c - starts processes, and finds their children in /proc. */

#define _GNU_SOURCE /* close_range(), sigabbrev_np() */

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEPTH_MOST 16 /* generations below a part; a part has three */

static void child_fails(const char *what)
{
	dprintf(STDERR_FILENO, "payhook: %s: %s\n", what, strerror(errno));
	_exit(127);
}

static void child_reset_signals(void)
{
	sigset_t none;
	for (int n = 1; n < NSIG; n++)
		signal(n, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The user must be changed before the death signal is requested, as the kernel cancels the request when the user
 * changes. */
static void child_run(const struct child_spec *spec, const struct passwd *user, pid_t supervisor)
{
	child_reset_signals();
	setsid();
	int nowhere = open("/dev/null", O_RDONLY);
	if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0)
		child_fails("/dev/null");
	if (spec->output >= 0 && (dup2(spec->output, STDOUT_FILENO) < 0 || dup2(spec->output, STDERR_FILENO) < 0))
		_exit(127);
	if (close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		child_fails("close_range");
	if (user && (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
			    setuid(user->pw_uid) != 0))
		child_fails(spec->user);
	if (prctl(PR_SET_PDEATHSIG, spec->death_signal) != 0)
		child_fails("prctl");
	if (getppid() != supervisor)
		_exit(127);
	environ = spec->environment;
	execvp(*spec->command, spec->command);
	child_fails(*spec->command);
}

bool child_start(const struct child_spec *spec, pid_t *ret, struct fault *f)
{
	const struct passwd *user = NULL;
	if (spec->user && !(user = getpwnam(spec->user)))
		return fault_set(f, FAULT_INPUT, "there is no user %s", spec->user);
	pid_t supervisor = getpid();
	/* A signal for the new process must not be handled there by the supervisor's own handler, which would report it to the
	 * supervisor: it is blocked until child_reset_signals(). */
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid_t pid = fork();
	int error = errno;
	if (pid == 0)
		child_run(spec, user, supervisor);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return fault_set(f, FAULT_BUSY, "no process can be started: %s", strerror(error));
	*ret = pid;
	return true;
}

/* Before setsid() there is no such group. */
void child_signal_group(pid_t pid, int number)
{
	if (kill(-pid, number) != 0)
		kill(pid, number);
}

void child_list_of(pid_t pid, struct child_list *ret)
{
	char path[64];
	ret->count = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	char *number = NULL;
	size_t size = 0;
	while (ret->count < CHILD_LIST_MAX && getdelim(&number, &size, ' ', file) > 0)
		ret->pids[ret->count++] = (pid_t)strtol(number, NULL, 10);
	free(number);
	fclose(file);
}

static void signal_below(pid_t pid, int number, int depth)
{
	struct child_list list;
	child_list_of(pid, &list);
	for (int n = 0; n < list.count; n++) {
		kill(list.pids[n], number);
		if (depth > 0)
			signal_below(list.pids[n], number, depth - 1);
	}
}

void child_signal_descendants(pid_t pid, int number)
{
	signal_below(pid, number, DEPTH_MOST);
}

unsigned long long child_start_ticks(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long ticks = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	/* The name, field 2, may contain spaces and parentheses; field 3 follows the last parenthesis. */
	char *at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		ticks = strtoull(at + 1, NULL, 10);
	return ticks;
}

const char *child_end_text(int status, char ret[CHILD_END_MAX])
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		snprintf(ret, CHILD_END_MAX, "killed by SIG%s", name ? name : "?");
	} else {
		snprintf(ret, CHILD_END_MAX, "status %d", WEXITSTATUS(status));
	}
	return ret;
}
