#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "queue/job.h"

/* The jobs that this process has claimed and not yet seen the end of, found by their ids.
 *
 * What the database calls ours and is not in here was claimed without our ever hearing of it, and must be freed; what
 * is claimed a second time (the server lost the first claim in a crash) is in here already and is not begun again. */

struct inflight {
	struct job **buckets;
	size_t mask; /* buckets - 1; a power of two, since ids come one after the other */
	int count;
};

/* For about that many.  False: out of memory. */
MUST_USE bool inflight_init(struct inflight *h, int expected);
void inflight_finish(struct inflight *h);

/* NULL: it is not held. */
struct job *inflight_find(const struct inflight *h, int64_t id);

/* No job of the same id is held. */
void inflight_add(struct inflight *h, struct job *j);

/* It is held. */
void inflight_remove(struct inflight *h, struct job *j);

/* Visits each, in no order; the visited one may be removed. */
void inflight_each(struct inflight *h, void (*visit)(void *ctx, struct job *j), void *ctx);
