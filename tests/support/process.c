/* process.c - finds the processes of an instance in /proc, and starts programs with a deadline. */

#include "support/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/calm.h"

long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

void pause_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 3 * 1000 * 1000}, NULL);
}

static ssize_t read_proc(pid_t pid, const char *file, char *ret, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t len = 0;
	ssize_t got;
	while (len < size - 1 && (got = read(fd, ret + len, size - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	ret[len] = '\0';
	return (ssize_t)len;
}

/* Reads the state and the parent from the line of stat.  Its second word is a name in parentheses, which may contain
 * anything. */
static bool read_stat(pid_t pid, char *ret_state, pid_t *ret_parent)
{
	char line[1024];
	char state;
	int parent;

	if (read_proc(pid, "stat", line, sizeof(line)) <= 0)
		return false;
	const char *after = strrchr(line, ')');
	if (after == NULL || sscanf(after + 1, " %c %d", &state, &parent) != 2)
		return false;
	*ret_state = state;
	*ret_parent = parent;
	return true;
}

bool process_lives(pid_t pid)
{
	char state;
	pid_t parent;

	return pid > 0 && read_stat(pid, &state, &parent) && state != 'Z' && state != 'X';
}

pid_t process_parent(pid_t pid)
{
	char state;
	pid_t parent;

	return read_stat(pid, &state, &parent) ? parent : 0;
}

void process_name(pid_t pid, char ret[32])
{
	ssize_t len = read_proc(pid, "comm", ret, 32);

	if (len <= 0)
		ret[0] = '\0';
	else
		ret[strcspn(ret, "\n")] = '\0';
}

long long process_cpu_ms(pid_t pid)
{
	char line[1024];
	unsigned long long user, kernel;

	if (read_proc(pid, "stat", line, sizeof(line)) <= 0)
		return 0;
	/* The sum of the 14th and 15th word.  The second word may contain spaces. */
	const char *after = strrchr(line, ')');
	if (after == NULL ||
		sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &kernel) != 2)
		return 0;
	return (long long)((user + kernel) * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
}

long process_memory_most_kb(pid_t pid)
{
	char text[4096];

	if (read_proc(pid, "status", text, sizeof(text)) <= 0)
		return 0;
	const char *line = strstr(text, "VmHWM:");
	return line == NULL ? 0 : strtol(line + strlen("VmHWM:"), NULL, 10);
}

bool process_maps(pid_t pid, const char *name)
{
	static char all[256 * 1024];

	return read_proc(pid, "maps", all, sizeof(all)) > 0 && strstr(all, name) != NULL;
}

ssize_t process_environment(pid_t pid, char *ret, size_t size)
{
	return read_proc(pid, "environ", ret, size);
}

static bool piece_holds(int memory, off_t begin, off_t end, bool (*recognises)(const char *text, size_t len))
{
	static char piece[1 << 20];
	const off_t overlap = 512;

	for (off_t at = begin; at < end; at += (off_t)sizeof(piece) - overlap) {
		size_t size = end - at < (off_t)sizeof(piece) ? (size_t)(end - at) : sizeof(piece);
		ssize_t len = pread(memory, piece, size, at);
		if (len > 0 && recognises(piece, (size_t)len))
			return true;
	}
	return false;
}

/* Bytes.  The shadow of the address sanitizer has terabytes, of which nearly nothing is used. */
#define SEARCHED_MAX (1UL << 30)

bool process_memory_holds(pid_t pid, bool (*recognises)(const char *text, size_t len))
{
	char path[64], line[512], mode[5];
	unsigned long begin, end;
	bool holds = false;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int memory = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	while (memory >= 0 && maps != NULL && !holds && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx %4s", &begin, &end, mode) == 3 && mode[1] == 'w' && mode[3] == 'p' &&
			end - begin < SEARCHED_MAX)
			holds = piece_holds(memory, (off_t)begin, (off_t)end, recognises);
	if (maps != NULL)
		fclose(maps);
	if (memory >= 0)
		close(memory);
	return holds;
}

static void each_process(void (*visit)(pid_t pid, void *arg), void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (proc == NULL)
		return;
	while ((entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			visit((pid_t)strtol(entry->d_name, NULL, 10), arg);
	closedir(proc);
}

bool process_in(const struct pids *list, pid_t pid)
{
	for (int i = 0; i < list->count; i++)
		if (list->list[i] == pid)
			return true;
	return false;
}

static void add(struct pids *list, pid_t pid)
{
	if (list->count < PIDS_MAX)
		list->list[list->count++] = pid;
}

struct growth {
	struct pids *family;
	pid_t root;
	bool grew;
};

static void join_family(pid_t pid, void *arg)
{
	struct growth *g = arg;
	char state;
	pid_t parent;

	if (pid == g->root || process_in(g->family, pid) || !read_stat(pid, &state, &parent) || state == 'Z')
		return;
	if (parent != g->root && !process_in(g->family, parent))
		return;
	add(g->family, pid);
	g->grew = true;
}

void process_tree(pid_t root, struct pids *ret)
{
	struct growth g = {.family = ret, .root = root, .grew = root > 0};

	ret->count = 0;
	while (g.grew) {
		g.grew = false;
		each_process(join_family, &g);
	}
}

struct search {
	struct pids *found;
	const char *value;
};

static void join_mentions(pid_t pid, void *arg)
{
	static char arguments[64 * 1024];
	const struct search *s = arg;
	ssize_t len = read_proc(pid, "cmdline", arguments, sizeof(arguments));

	if (len > 0 && memmem(arguments, (size_t)len, s->value, strlen(s->value)) != NULL && process_lives(pid))
		add(s->found, pid);
}

void process_mention(const char *text, struct pids *ret)
{
	struct search s = {.found = ret, .value = text};

	ret->count = 0;
	each_process(join_mentions, &s);
}

void process_pick(const struct pids *from, const char *name, struct pids *ret)
{
	char its[32];

	ret->count = 0;
	for (int i = 0; i < from->count; i++) {
		process_name(from->list[i], its);
		if (strcmp(its, name) == 0)
			add(ret, from->list[i]);
	}
}

void process_signal(const struct pids *list, int signal)
{
	for (int i = 0; i < list->count; i++)
		kill(list->list[i], signal);
}

bool process_wait_gone(const struct pids *list, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;

	for (int i = 0; i < list->count; i++) {
		while (process_lives(list->list[i])) {
			if (calm_ms() > deadline)
				return false;
			pause_a_little();
		}
	}
	return true;
}

static void become(const char *const argv[], const char *const variables[], const char *log)
{
	/* If the test is killed, its programs are killed too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setpgid(0, 0);
	for (int i = 0; variables != NULL && variables[i] != NULL; i++) {
		char name[64];
		const char *equals = strchr(variables[i], '=');
		size_t len = equals == NULL ? strlen(variables[i]) : (size_t)(equals - variables[i]);

		snprintf(name, sizeof(name), "%.*s", (int)len, variables[i]);
		if (equals == NULL)
			unsetenv(name);
		else
			setenv(name, equals + 1, 1);
	}
	int in = open("/dev/null", O_RDONLY);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	closefrom(3);
	/* exec takes char *const[] for historical reasons and does not modify the strings. */
	execvp(argv[0], (char *const *)(size_t)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t process_start(const char *const argv[], const char *const variables[], const char *log)
{
	pid_t pid = fork();

	if (pid == 0)
		become(argv, variables, log);
	if (pid > 0)
		setpgid(pid, pid);
	return pid;
}

bool process_wait(pid_t pid, int timeout_ms, int *ret_status)
{
	long long deadline = calm_ms() + timeout_ms;

	while (waitpid(pid, ret_status, WNOHANG) == 0) {
		if (calm_ms() > deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, ret_status, 0);
			return false;
		}
		pause_a_little();
	}
	return true;
}
