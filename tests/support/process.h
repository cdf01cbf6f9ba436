#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes: started with a deadline, and found in /proc. */

#define PIDS_MAX 1024 /* an instance has some dozens, including PostgreSQL's */

struct pids {
	int count;
	pid_t list[PIDS_MAX];
};

/* Whether the process exists and is not a zombie. */
bool process_lives(pid_t pid);

/* The parent's pid; 0 if there is no such process. */
pid_t process_parent(pid_t pid);

/* The name in /proc, at most 15 bytes; for a script the name of its file.  Empty if there is no such process. */
void process_name(pid_t pid, char ret[32]);

/* The processor time used so far, in kernel ticks of 10 ms; 0 if there is no such process. */
long long process_cpu_ms(pid_t pid);

/* The peak resident memory; 0 if there is no such process. */
long process_memory_most_kb(pid_t pid);

/* Whether a file whose name contains this text is mapped into the process; false if there is no such process. */
bool process_maps(pid_t pid, const char *name);

/* Copies the environment with which the process was started, at most size - 1 bytes, and ends it with a NUL byte.  Returns its
 * length; -1 if there is no such process, or if this user may not read it. */
ssize_t process_environment(pid_t pid, char *ret, size_t size);

/* Whether the function recognises something in the process's own writable memory, of which it gets pieces of 1 MB that
 * overlap.  What this user may not read is left out. */
bool process_memory_holds(pid_t pid, bool (*recognises)(const char *text, size_t len));

/* All descendants of root, children before grandchildren, without zombies. */
void process_tree(pid_t root, struct pids *ret);

/* Every process whose arguments contain this text. */
void process_mention(const char *text, struct pids *ret);

/* Those processes of a list that have this name. */
void process_pick(const struct pids *from, const char *name, struct pids *ret);

bool process_in(const struct pids *list, pid_t pid);
void process_signal(const struct pids *list, int signal);

/* Waits until no process of the list exists.  Returns false if one is left at the deadline. */
bool process_wait_gone(const struct pids *list, int timeout_ms);

/* Starts a program in a process group of its own.  variables ("NAME=value", ended by NULL) override the environment;
 * one without "=" is removed from it.  The output is appended to the file log.  Returns -1 if fork fails. */
pid_t process_start(const char *const argv[], const char *const variables[], const char *log);

/* Waits for a child.  Returns false if it still runs at the deadline; it is then killed with its group and reaped. */
bool process_wait(pid_t pid, int timeout_ms, int *ret_status);

/* Milliseconds of the monotonic clock. */
long long now_ms(void);

/* Pauses for a few milliseconds, for loops that wait for a condition with a deadline. */
void pause_a_little(void);
