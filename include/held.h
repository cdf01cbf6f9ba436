#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base.h"

/* The jobs that this process has claimed and not yet seen the end of, found by their ids.
 *
 * What the database calls ours and is not in here was claimed without our ever hearing of it, and must be freed; what
 * is claimed a second time (the server lost the first claim in a crash) is in here already and is not begun again. */

/* A claimed job: the memory of whoever took it, until it is told the end. */
struct job {
	int64_t id;                 /* the receipt: fresh at every enqueue */
	int64_t owner;              /* the number it was claimed under */
	const char *transaction_id; /* as long as the job */
	const char *source;         /* as long as the job */
	int attempt;                /* this call's number, from 1 */

	/* The queue's own. */
	bool settled;            /* the settlement under way has ended it */
	bool alone;              /* the server refused a settlement it was in: it goes by itself */
	struct job *same_bucket; /* held.c's */
	STAILQ_ENTRY(job) next;  /* of those that wait for their settlement */
};

STAILQ_HEAD(job_list, job);

struct held {
	struct job **buckets;
	size_t mask; /* buckets - 1; a power of two, since ids come one after the other */
	int count;
};

/* For about that many.  False: out of memory. */
MUST_USE bool held_init(struct held *h, int expected);
void held_finish(struct held *h);

/* NULL: it is not held. */
struct job *held_find(const struct held *h, int64_t id);

/* No job of the same id is held. */
void held_add(struct held *h, struct job *j);

/* It is held. */
void held_remove(struct held *h, struct job *j);

/* Visits each, in no order; the visited one may be removed. */
void held_each(struct held *h, void (*visit)(void *ctx, struct job *j), void *ctx);
