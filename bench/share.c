/* share.c - compares two readings of /proc/PID/stat, /proc/PID/schedstat and /proc/stat. */

#include "share.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "stop.h"

struct share_process {
	pid_t pid, parent;
	unsigned long long began; /* with pid: names a process for ever */
	double used_s;            /* its own, and that of its children that have ended, in ticks of 10 ms */
	double exact_s;           /* its own, of its first thread */
	bool is_kernel;
};

/* Parses /proc/PID/stat.  The second word, the name, may contain blanks and brackets. */
static bool parse(const char *line, pid_t pid, struct share_process *ret)
{
	unsigned long long user, kernel, memory;
	long long user_children, kernel_children;
	int parent;
	const char *after = strrchr(line, ')');
	if (!after ||
		sscanf(after + 1,
			" %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %*d %*d %llu %llu",
			&parent, &user, &kernel, &user_children, &kernel_children, &ret->began, &memory) != 7)
		return false;
	ret->pid = pid;
	ret->parent = parent;
	/* The first process adopts what others leave behind, the bench's own among it. */
	double children = pid == 1 ? 0 : (double)(user_children + kernel_children);
	ret->used_s = ((double)(user + kernel) + children) / (double)sysconf(_SC_CLK_TCK);
	ret->is_kernel = memory == 0;
	return true;
}

static bool read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t len = fread(ret, 1, size - 1, file);
	ret[len] = '\0';
	fclose(file);
	return len > 0;
}

/* What runs for less than a tick at a time may never be seen by the clock of stat. */
static double exact_s(pid_t pid)
{
	char path[48], text[128];
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	return read_file(path, text, sizeof text) ? strtod(text, NULL) / 1e9 : 0;
}

/* A process that has ended meanwhile is left out. */
static bool add(struct share_reading *r, pid_t pid, int *room)
{
	char path[48], line[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (!read_file(path, line, sizeof line))
		return true;
	if (r->count == *room) {
		*room = *room ? 2 * *room : 256;
		struct share_process *more = realloc(r->list, (size_t)*room * sizeof *more);
		if (!more)
			return false;
		r->list = more;
	}
	r->list[r->count] = (struct share_process){0};
	if (parse(line, pid, &r->list[r->count]))
		r->list[r->count++].exact_s = exact_s(pid);
	return true;
}

static double load_s(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double stolen_s(void)
{
	char text[512];
	unsigned long long steal = 0;
	if (!read_file("/proc/stat", text, sizeof text) ||
		sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &steal) != 1)
		return 0;
	return (double)steal / (double)sysconf(_SC_CLK_TCK);
}

bool share_read(struct share_reading *ret, struct fault *f)
{
	int room = 0;
	bool ok = true;
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	if (!proc)
		return fault_set(f, FAULT_BUSY, "/proc: %s", strerror(errno));
	*ret = (struct share_reading){.at_ns = now_ns(), .load_s = load_s(), .stolen_s = stolen_s()};
	while (ok && (entry = readdir(proc))) {
		long pid = strtol(entry->d_name, NULL, 10);
		ok = pid <= 0 || add(ret, (pid_t)pid, &room);
	}
	closedir(proc);
	if (!ok)
		share_finish(ret);
	return ok || fault_set(f, FAULT_BUSY, "out of memory");
}

void share_finish(struct share_reading *r)
{
	free(r->list);
	*r = (struct share_reading){0};
}

static const struct share_process *find(const struct share_reading *r, pid_t pid)
{
	for (int i = 0; i < r->count; i++) {
		if (r->list[i].pid == pid)
			return &r->list[i];
	}
	return NULL;
}

static bool is_root(pid_t pid, const pid_t *roots, int root_count)
{
	bool is = pid == getpid();
	for (int i = 0; !is && i < root_count; i++)
		is = pid == roots[i];
	return is;
}

/* Whether the process or one of its ancestors is a root. */
static bool is_own(const struct share_reading *r, const struct share_process *p, const pid_t *roots, int root_count)
{
	for (int depth = 0; p && depth < 64; depth++) {
		if (is_root(p->pid, roots, root_count))
			return true;
		p = find(r, p->parent);
	}
	return false;
}

struct shares share_between(
	const struct share_reading *from, const struct share_reading *to, const pid_t *roots, int root_count)
{
	double cores_s = (double)(to->at_ns - from->at_ns) / 1e9 * get_nprocs(), foreign_s = 0, own_s = 0;
	for (int i = 0; i < to->count; i++) {
		const struct share_process *now = &to->list[i], *before = find(from, now->pid);
		bool is_known = before && before->began == now->began;
		if (now->is_kernel || now->pid == getpid())
			continue;
		if (is_own(to, now, roots, root_count))
			own_s += now->exact_s - (is_known ? before->exact_s : 0);
		else
			foreign_s += now->used_s - (is_known ? before->used_s : 0);
	}
	if (cores_s <= 0)
		return (struct shares){0};
	return (struct shares){.load = (to->load_s - from->load_s) / cores_s,
		.own = own_s / cores_s,
		.foreign = foreign_s / cores_s,
		.stolen = (to->stolen_s - from->stolen_s) / cores_s};
}
