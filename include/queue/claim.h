#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"
#include "queue/inflight.h"

/* The claim: the statement with which a worker takes jobs, in two forms.  It commits at once, so nothing is locked or
 * open in the database while the processor is called. */

/* CLAIM returns the identity, the attempt and the trace of each job.  CLAIM_WHOLE returns the transaction as well, for
 * a processor that needs its accounts, amount and currency. */
extern const struct statement CLAIM;
extern const struct statement CLAIM_WHOLE;

/* Server settings of a connection that claims and settles.  They leave the planner one plan: walk an index, row by row.
 * The statistics of a queue always describe another time, and a plan made for them sorts the whole table to claim a
 * thousand rows, or reads all of it to settle them.  Each call is planned anew, because PostgreSQL hashes the list of
 * ids of a release only if the planner sees it as a constant. */
#define CLAIM_OPTIONS                                                                         \
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_bitmapscan=off" \
	" -c enable_hashjoin=off -c enable_mergejoin=off"

/* Adds the parameters of either form: claim at most limit jobs whose ids are greater than after, for this owner. */
void claim_params(struct db_params *p, int64_t after, int limit, int64_t owner);

/* Reads a row of CLAIM_WHOLE if whole is set, otherwise of CLAIM, into *ret.  Its texts are borrowed from the
 * result. */
void claim_read(const struct pg_result *r, int row, int64_t owner, bool whole, struct job *ret);
