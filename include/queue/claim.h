#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"
#include "queue/inflight.h"

/* The claim: the statement with which a worker takes jobs, in two forms. */

/* What a processor that needs no more than the identity is given; and the transaction beside it. */
extern const struct statement CLAIM;
extern const struct statement CLAIM_WHOLE;

/* How connections that claim and settle are set: plans by decree.  The queue's statistics are always of another time: a
 * plan made for them sorts the whole table to claim a thousand rows, or reads it all to settle them.  What is wanted is
 * known: walk an index, row by row.  And planned for each call, since a release's list of ids is only hashed when the
 * planner sees it. */
#define CLAIM_OPTIONS                                                                         \
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_bitmapscan=off" \
	" -c enable_hashjoin=off -c enable_mergejoin=off"

/* Their parameters: jobs after that id, so many at most, for that owner. */
void claim_params(struct db_params *p, int64_t after, int limit, int64_t owner);

/* A row of CLAIM, or of CLAIM_WHOLE (whole).  The texts are borrowed from the result. */
void claim_read(const struct pg_result *r, int row, int64_t owner, bool whole, struct job *ret);
