/* footprint.c - processor time and memory of processes, from /proc (proc(5)). */

#include "footprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "support/process.h"
#include "text.h"

/* Clock ticks of a process and of the children that it has waited for, so that a process which ends between two
 * readings is not lost. */
static double ticks_of(pid_t pid)
{
	char path[64];
	struct fault f;
	unsigned long own_user, own_kernel;
	long user, kernel;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	char *text = text_read(path, &f);
	/* Fields 14 to 17: utime, stime, cutime, cstime.  Field 2, the name in parentheses, may contain blanks. */
	const char *after = text ? strrchr(text, ')') : NULL;
	int found = after ? sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld", &own_user,
				    &own_kernel, &user, &kernel)
			  : 0;
	free(text);
	return found == 4 ? (double)(own_user + own_kernel) + (double)(user + kernel) : 0;
}

double footprint_cpu_s(pid_t root)
{
	static struct pids all;
	double ticks = ticks_of(root);
	process_tree(root, &all);
	for (int i = 0; i < all.count; i++)
		ticks += ticks_of(all.list[i]);
	return ticks / (double)sysconf(_SC_CLK_TCK);
}

double footprint_mb(pid_t pid)
{
	char path[64];
	struct fault f;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	char *text = text_read(path, &f);
	const char *line = text ? strstr(text, "VmRSS:") : NULL;
	double kb = line ? strtod(line + strlen("VmRSS:"), NULL) : 0;
	free(text);
	return kb * 1024 / 1e6;
}
