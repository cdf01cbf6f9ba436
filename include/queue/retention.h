#pragma once

#include "pg/db.h"

/* The statement that deletes expired transactions, a batch at a time. */

#define RETENTION_PLACE_MAX 64 /* bytes of a time as the server prints it, with its NUL */

/* Server settings of its connection: whatever the statistics are, rows are found by the BRIN index on created_at, and
 * the rows to delete by their keys. */
#define RETENTION_OPTIONS \
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"

/* Advances the clock by which ages are reckoned.  Parameter: the milliseconds, by clock_ms(), since this worker
 * advanced it before; 0: it has not.  Returns how far the server's clock was ahead of it before and is ahead after, in
 * milliseconds, and the clock as a text. */
extern const struct statement RETENTION_CLOCK;

/* Returns one row: how many transactions were deleted; how many the batch looked at, which is the limit unless there
 * are no more, and where the next batch begins: at the latest created_at of these; null if there were none. */
extern const struct statement RETENTION;

/* Adds the parameters: look at limit transactions older than this many days, of which 31 is the least, and accepted at
 * or after past; delete them, and of payments all events or none.  past is "-infinity" for the first batch, then the
 * time that the batch before returned; it and clock, which RETENTION_CLOCK returned, are borrowed until
 * connection_send() returns. */
void retention_params(struct db_params *p, int days, const char *past, int limit, const char *clock);
