#pragma once

#include <sys/types.h>

/* Processor time and memory of processes, read from /proc. */

/* Processor time, user and system, of a process and its descendants, in seconds.  It includes descendants that have
 * ended and been waited for. */
double footprint_cpu_s(pid_t root);

/* Resident memory in megabytes (1,000,000 bytes); 0 if there is no such process. */
double footprint_mb(pid_t pid);
