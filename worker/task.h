#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "processor.h"
#include "queue/inflight.h"

/* A job in this worker together with its call.  Its texts lie behind it in the same allocation, because a worker may
 * have a hundred thousand tasks. */
struct task {
	struct job job;
	struct call call;
	bool calling; /* the call is under way; else it has ended, and the job waits for its settlement */
	bool probe;   /* the call is a probe of an open circuit */
	char *error;  /* memory of job.error; NULL: the call has not failed, or memory is exhausted */
	char texts[];
};

/* Copies a claimed row with all its texts.  NULL: out of memory. */
MUST_USE struct task *task_create(const struct job *row);
void task_destroy(struct task *t);

/* The task that contains this job, or this call. */
struct task *task_of(struct job *j);
struct task *task_of_call(struct call *c);

/* Stores the reason of a failed call, made fit for the database, in job.error. */
void task_set_error(struct task *t, const char *why);
