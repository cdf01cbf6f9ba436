/* pgbench.c - running pgbench and reading its output. */

#include "pgbench.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

#define ARGUMENTS_MAX 24
#define OVER_MS 20000 /* beyond its time: for connecting, and for a slow flush at the end */

static bool run(const struct pgbench_plan *plan, const char *log, const char *prefix, struct fault *f)
{
	char clients[16], threads[16], seconds[16], prefix_option[256];
	const char *argv[ARGUMENTS_MAX] = {
		"pgbench", "-n", "-M", "prepared", "-c", clients, "-j", threads, "-T", seconds, "-f", plan->script};
	int count = 12;
	int jobs = plan->clients < plan->threads ? plan->clients : plan->threads;

	snprintf(clients, sizeof clients, "%d", plan->clients);
	snprintf(threads, sizeof threads, "%d", jobs);
	snprintf(seconds, sizeof seconds, "%d", plan->seconds);
	if (prefix) {
		snprintf(prefix_option, sizeof prefix_option, "--log-prefix=%s", prefix);
		argv[count++] = "--log";
		argv[count++] = prefix_option;
	}
	argv[count++] = plan->conninfo;
	unlink(log);
	return child_run(argv, log, plan->seconds * 1000 + OVER_MS, f);
}

bool pgbench_rate(const struct pgbench_plan *plan, double *ret, struct fault *f)
{
	char log[256];
	snprintf(log, sizeof log, "%s/pgbench.log", plan->folder);
	return run(plan, log, NULL, f) && child_output_number(log, "tps = ", ret, f);
}

/* Reads a file of pgbench --log; each line has: client id, transaction number, microseconds, ... */
static bool read_log(const char *path, struct histogram *ret)
{
	char line[256];
	unsigned long us;
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "%*d %*d %lu", &us) == 1)
			histogram_add(ret, us * 1000);
	}
	if (file)
		fclose(file);
	unlink(path);
	return ret->count > 0;
}

bool pgbench_latency(const struct pgbench_plan *plan, struct histogram *ret, struct fault *f)
{
	char log[256], prefix[256], pattern[300];
	glob_t files;
	bool any = false;

	snprintf(log, sizeof log, "%s/pgbench.log", plan->folder);
	snprintf(prefix, sizeof prefix, "%s/transactions", plan->folder);
	snprintf(pattern, sizeof pattern, "%s.*", prefix);
	if (!run(plan, log, prefix, f))
		return false;
	if (glob(pattern, 0, NULL, &files) == 0) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			any = read_log(files.gl_pathv[i], ret) || any;
		globfree(&files);
	}
	return any || fault_set(f, FAULT_BUSY, "pgbench left no log of its transactions");
}
