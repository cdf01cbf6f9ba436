#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "queue/job.h"

/* The jobs in flight: those that this process has claimed and not yet settled, found by id and identity.
 *
 * The id alone is not enough.  When a standby that lacks the last transactions is promoted, ids are assigned again: a
 * new job may have the id of one in flight that has lost its row.
 *
 * The table decides two questions after a failure.  A job that the database assigns to this worker and that is not in
 * the table was claimed by a statement whose answer was lost; it must be released.  A job that is claimed although it
 * is in the table was claimed before, and a crash of the server undid that; its call is under way and is not started
 * again. */

/* The jobs belong to the caller; the table only links them. */
struct inflight {
	struct job **buckets;
	size_t mask;       /* buckets - 1; their number is a power of two, which spreads consecutive ids evenly */
	int count;         /* jobs in the table */
	size_t body_bytes; /* of the bodies of these jobs */
};

/* expected: about how many jobs there will be; more are possible, and slower to find.  Returns false if out of memory;
 * inflight_finish() is allowed then too. */
MUST_USE bool inflight_init(struct inflight *inflight, int expected);
void inflight_finish(struct inflight *inflight);

/* Returns NULL if no job with the id, transaction_id and source of *row is in flight. */
struct job *inflight_find(const struct inflight *inflight, const struct job *row);

/* No job with the same id and identity may be in flight.  j must stay where it is until it is removed. */
void inflight_add(struct inflight *inflight, struct job *j);

/* j must be in flight. */
void inflight_remove(struct inflight *inflight, struct job *j);

/* Calls visit for each job, in no particular order.  visit may remove the job it is called with, and no other. */
void inflight_each(struct inflight *inflight, void (*visit)(void *ctx, struct job *j), void *ctx);
