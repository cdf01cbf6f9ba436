#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes: started with a deadline, found as /proc shows them. */

#define PIDS_MAX 1024 /* an instance has some dozens, PostgreSQL's children among them */

struct pids {
	int count;
	pid_t list[PIDS_MAX];
};

/* Whether it runs or could; a zombie does not. */
bool process_lives(pid_t pid);

/* 0: there is no such process. */
pid_t process_parent(pid_t pid);

/* The name that /proc gives: at most 15 bytes, of a script that of its file.  Empty when there is no such process. */
void process_name(pid_t pid, char ret[32]);

/* Its processor time so far, in the kernel's ticks of 10 ms; 0 when there is no such process. */
long long process_cpu_ms(pid_t pid);

/* The most resident memory it ever had; 0 when there is no such process. */
long process_memory_most_kb(pid_t pid);

/* Whether something that is named so, or in part, is mapped into it; false when there is no such process. */
bool process_maps(pid_t pid, const char *name);

/* A variable of the environment it was started with.  False: not there, or no such process. */
bool process_variable(pid_t pid, const char *name, char *ret, size_t size);

/* All descendants of root, children before grandchildren; zombies are left out. */
void process_tree(pid_t root, struct pids *ret);

/* Every process whose name is this and whose first environment holds this variable with this value. */
void process_find(const char *name, const char *variable, const char *value, struct pids *ret);

/* Every process whose arguments hold this text. */
void process_mention(const char *text, struct pids *ret);

/* Those of a list that have this name. */
void process_pick(const struct pids *from, const char *name, struct pids *ret);

bool process_in(const struct pids *list, pid_t pid);
void process_signal(const struct pids *list, int signal);

/* Waits until none of the list lives.  False: at the deadline one still did. */
bool process_wait_gone(const struct pids *list, int timeout_ms);

/* Starts a program in a process group of its own, with these variables ("NAME=value", NULL ends) over ours; one without
 * a "=" is taken away.  Its output is added to the file log.  Returns -1 when it could not be forked. */
pid_t process_start(const char *const argv[], const char *const variables[], const char *log);

/* Waits for a child.  False: it still runs at the deadline; it is then killed with its group and reaped. */
bool process_wait(pid_t pid, int timeout_ms, int *ret_status);

/* Milliseconds of the monotonic clock. */
long long now_ms(void);

/* Lets the machine work for a few milliseconds, between two looks at a condition that has a deadline. */
void pause_a_little(void);
