#pragma once

#include "stage.h"

/* Waits until a worker has emptied the queue, by PostgreSQL's table statistics.  Reading them costs the server nothing.
 * Counting the jobs would walk over all dead rows of the queue and slow down what is measured. */

/* From pg_stat_user_tables, since the statistics were last reset. */
struct table_stats {
	double jobs_gone;              /* rows of jobs that were deleted */
	double jobs_changed, jobs_hot; /* rows of jobs that were updated; those of them that were HOT updates */
	double transactions_changed, transactions_hot; /* the same of transactions */
};

/* Reads the statistics, which lag behind by about a second. */
MUST_USE bool table_stats_read(struct stage *s, struct table_stats *ret, struct fault *f);

/* Waits, up to three minutes, until that many jobs have been deleted since the statistics *since and no job is left;
 * then until the statistics are complete, and writes them to *ret. */
MUST_USE bool drained_wait(
	struct stage *s, const struct table_stats *since, double jobs, struct table_stats *ret, struct fault *f);

struct drain {
	double rate;                       /* jobs per second */
	double hot_jobs, hot_transactions; /* share of HOT updates, 0 to 1 */
	double wal_bytes, commits;         /* per job */
};

/* Empties the tables, has fill() enqueue so many jobs while the workers are paused, and measures from the end of the
 * pause to the last settlement, both by the server's clock.  The second does so while an open transaction holds a
 * snapshot from before. */
MUST_USE bool drain(struct stage *s, bool (*fill)(PGconn *c, long count, struct fault *f), long jobs, struct drain *ret,
	struct fault *f);
MUST_USE bool drain_with_snapshot(struct stage *s, bool (*fill)(PGconn *c, long count, struct fault *f), long jobs,
	struct drain *ret, struct fault *f);

/* The same for so many jobs that are there, of paused workers. */
MUST_USE bool drain_paused(struct stage *s, long jobs, struct drain *ret, struct fault *f);
