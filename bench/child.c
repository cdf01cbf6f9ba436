/* child.c - running pgbench and gnuplot, and reading a number from their output. */

#include "child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "stop.h"
#include "support/process.h"

bool child_run(const char *const argv[], const char *log, int timeout_ms, struct fault *f)
{
	int status;
	int64_t until = now_ns() + timeout_ms * INT64_C(1000000);
	pid_t pid = process_start(argv, NULL, log);
	if (pid < 0)
		return fault_set(f, FAULT_BUSY, "%s cannot be started", argv[0]);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (wait_ms(10) && now_ns() < until)
			continue;
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		return fault_set(f, FAULT_BUSY, "%s was ended", argv[0]);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return fault_set(f, FAULT_BUSY, "%s failed; see %s", argv[0], log);
}

bool child_output_number(const char *log, const char *text, double *ret, struct fault *f)
{
	char line[512];
	bool found = false;
	FILE *file = fopen(log, "r");
	while (file && fgets(line, sizeof line, file)) {
		const char *at = strstr(line, text);
		if (at) {
			*ret = strtod(at + strlen(text), NULL);
			found = true;
		}
	}
	if (file)
		fclose(file);
	return found || fault_set(f, FAULT_BUSY, "\"%s\" is not in %s", text, log);
}
