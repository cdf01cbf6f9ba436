#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"
#include "queue/inflight.h"

/* The claim: the statement with which a worker takes jobs, in three forms.  It commits at once, so nothing is locked or
 * open in the database while the processor is called. */

enum claim_form {
	CLAIM_IDENTITY,    /* CLAIM: the identity, the attempt, the trace and the lane of each job */
	CLAIM_TRANSACTION, /* CLAIM_WHOLE: the transaction as well, for a processor that needs its members */
	CLAIM_REQUEST,     /* CLAIM_ORIGINAL: the kept request as well, for a processor that is sent its body */
};

extern const struct statement CLAIM;
extern const struct statement CLAIM_WHOLE;
extern const struct statement CLAIM_ORIGINAL;

/* Server settings of a connection that claims and settles.  They leave the planner one plan: walk an index, row by row.
 * The statistics of a queue always describe another time, and a plan made for them sorts the whole table to claim a
 * thousand rows, or reads all of it to settle them.  Each call is planned anew, because PostgreSQL hashes the list of
 * ids of a release only if the planner sees it as a constant. */
#define CLAIM_OPTIONS                                                                         \
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_bitmapscan=off" \
	" -c enable_hashjoin=off -c enable_mergejoin=off"

/* Adds the parameters that all forms have: claim at most limit jobs whose ids are greater than after, for this
 * owner. */
void claim_params(struct db_params *p, int64_t after, int limit, int64_t owner);

/* Returns the statement of a form, and adds the parameter that it has beyond those: of CLAIM_ORIGINAL a number of
 * bytes.  No job is claimed once the bodies of those before it have as many, so the claim exceeds it by one body at
 * most. */
const struct statement *claim_statement(enum claim_form form, int64_t bodies, struct db_params *p);

/* Reads a row of CLAIM, or with whole of CLAIM_WHOLE or CLAIM_ORIGINAL, into *ret.  Its texts are borrowed from the
 * result. */
void claim_read(const struct pg_result *r, int row, int64_t owner, bool whole, struct job *ret);

#define CLAIM_IN_FLIGHT_MAX (32 * 1024 * 1024) /* bytes of bodies of the jobs in flight; then no more are claimed */
#define CLAIM_BODIES_MAX (8 * 1024 * 1024)     /* bytes of bodies of one claim, which arrive as twice as many digits */

/* The bytes that a claim may bring, with bodies of this many bytes in flight; 0 or less: it is not to be sent. */
int64_t claim_bodies(size_t in_flight);

/* Whether the result of CLAIM_ORIGINAL has as many bytes of bodies as it was allowed, so that there may be more
 * jobs. */
bool claim_is_full(const struct pg_result *r, int64_t bodies);

/* Reads the request in a row of CLAIM_ORIGINAL into *ret; its members stay NULL if the row has none.  The body is
 * borrowed from *body, which is overwritten.  Returns false if there is no memory. */
MUST_USE bool claim_read_request(const struct pg_result *r, int row, struct buf *body, struct job *ret);
