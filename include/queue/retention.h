#pragma once

#include "pg/db.h"

/* The statement that deletes old transactions, a batch at a time. */

#define RETENTION_PLACE_MAX 64 /* bytes of a time as the server writes it, its NUL included */

/* How the connection must be set: the rows are found by the BRIN index, and looked up one by one by their keys, whatever
 * the statistics say. */
#define RETENTION_OPTIONS \
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

/* Returns one row: how many were deleted, and the time of the youngest of them, where the next batch begins. */
extern const struct statement RETENTION;

/* Transactions older than so many days (31 at least) that were accepted at that time or later: "-infinity", or what the
 * batch before returned.  past is borrowed until it is sent. */
void retention_params(struct db_params *p, int days, const char *past, int limit);
