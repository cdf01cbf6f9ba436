#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "processor.h"
#include "queue/inflight.h"

/* A job in this worker, and its call. */

/* With its texts behind it: one piece of memory each, as there may be a hundred thousand. */
struct task {
	struct job job;
	struct call call;
	bool calling; /* else the call has ended, and the job waits for its settlement */
	bool probe;   /* the call is one while the circuit is open */
	char *error;  /* job.error's memory; NULL: the call has not failed */
	char texts[];
};

/* A copy of a claimed row, texts and all.  NULL: out of memory. */
MUST_USE struct task *task_create(const struct job *row);
void task_destroy(struct task *w);

struct task *task_of(struct job *j);
struct task *task_of_call(struct call *c);

/* Keeps why its call failed. */
void task_set_error(struct task *w, const char *why);
