#pragma once

#include <sys/types.h>

/* What processes take, as /proc tells. */

/* Processor time of a process, all its descendants, and those of them that have ended; in seconds. */
double footprint_cpu_s(pid_t root);

/* Resident memory, in millions of bytes; 0: there is no such process. */
double footprint_mb(pid_t pid);
