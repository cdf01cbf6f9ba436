/* row_drain.c - a worker without delay on a backlog; beside ceiling Q, and under a held snapshot.
 *
 * An open transaction with an old snapshot keeps VACUUM and HOT pruning from removing dead rows.  A queue in a table
 * is known to collapse under this; the row shows whether the claim's cursor avoids it. */

#include <string.h>

#include "claimer.h"
#include "drained.h"
#include "fill.h"
#include "rows.h"

struct drain {
	double rate;                       /* jobs per second */
	double hot_jobs, hot_transactions; /* share of HOT updates, 0 to 1 */
	double wal_bytes, commits;         /* per job */
};

static long jobs_of(const struct bench *b)
{
	return b->quick ? 20 * THOUSAND : 500 * THOUSAND;
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* Measures from the end of the pause to the last settlement.  Both times are by the server's clock. */
static bool drain(struct bench *b, struct stage *s, struct drain *ret, struct fault *f)
{
	long jobs = jobs_of(b);
	char since[64];
	struct table_stats before, after;
	struct stage_writes begun, done;
	double seconds;
	if (!stage_clean(s, f) || !pg_run(s->owner, "SELECT payhook.pause()", f) || !fill_backlog(s->owner, jobs, f) ||
		!table_stats_read(s, &before, f) || !stage_writes_read(s, &begun, f) ||
		!pg_text(s->owner, "SELECT clock_timestamp()", since, sizeof since, f) ||
		!pg_run(s->owner, "SELECT payhook.resume()", f) || !drained_wait(s, &before, (double)jobs, &after, f) ||
		!stage_writes_read(s, &done, f) ||
		!pg_number_for(s->owner,
			"SELECT extract(epoch FROM max(processed_at) - $1::timestamptz) FROM payhook.transactions",
			since, &seconds, f))
		return false;
	*ret = (struct drain){
		.rate = (double)jobs / seconds,
		.hot_jobs = share(after.jobs_hot - before.jobs_hot, after.jobs_changed - before.jobs_changed),
		.hot_transactions = share(after.transactions_hot - before.transactions_hot,
			after.transactions_changed - before.transactions_changed),
		.wal_bytes = (done.wal_bytes - begun.wal_bytes) / (double)jobs,
		.commits = (done.commits - begun.commits) / (double)jobs,
	};
	return true;
}

static bool drain_with_snapshot(struct bench *b, struct stage *s, struct drain *ret, struct fault *f)
{
	PGconn *holder;
	if (!stage_clean(s, f) || !pg_open(s->instance.database, NULL, &holder, f))
		return false;
	/* BEGIN takes no snapshot; the first statement that reads does, and holds it until the end. */
	bool ok = pg_run(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class", f);
	ok = ok && drain(b, s, ret, f);
	PQfinish(holder);
	return ok;
}

static bool ceiling(struct bench *b, int connections, double *ret, struct fault *f)
{
	struct stage *s;
	char name[64];
	if (!bench_stage(b, STAGE_RESTING, &s, f) || !stage_clean(s, f) || !fill_backlog(s->owner, jobs_of(b), f) ||
		!claimer_rate(s->instance.database, connections, ret, f))
		return false;
	snprintf(name, sizeof name, "Q: %d jobs a time, %d connection%s", CLAIMER_JOBS, connections,
		connections > 1 ? "s" : "");
	bench_add_rate(b, name, *ret);
	return stage_clean(s, f);
}

static void add(struct bench *b, const struct drain *plain, const struct drain *under_snapshot, double q)
{
	struct report *r = &b->report;
	report_add_for(r, "worker / Q of one connection", "x", plain->rate / q, TARGET_LEAST, 0.8);
	report_add_for(r, "worker under a held snapshot / without", "x", under_snapshot->rate / plain->rate,
		TARGET_LEAST, 0.8);
	report_add(r, "HOT share, jobs", "x", plain->hot_jobs);
	report_add(r, "HOT share, transactions", "x", plain->hot_transactions);
	report_add_for(r, "HOT share under the snapshot, jobs", "x", under_snapshot->hot_jobs, TARGET_LEAST, 0.95);
	report_add_for(r, "HOT share under the snapshot, transactions", "x", under_snapshot->hot_transactions,
		TARGET_LEAST, 0.95);
	report_add(r, "WAL per processed job", "bytes", plain->wal_bytes);
	report_add(r, "commits per processed job", "", plain->commits);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct drain plain, under_snapshot;
	double q, more;
	char name[64];
	if (!bench_stage(b, STAGE_WORKING, &s, f) || !drain(b, s, &plain, f))
		return false;
	snprintf(name, sizeof name, "worker, delay 0, a backlog of %ld", jobs_of(b));
	bench_add_rate(b, name, plain.rate);
	if (!ceiling(b, 1, &q, f) || (!b->quick && !ceiling(b, 2, &more, f)) ||
		!drain_with_snapshot(b, s, &under_snapshot, f))
		return false;
	bench_add_rate(b, "worker, a snapshot held all the while", under_snapshot.rate);
	add(b, &plain, &under_snapshot, q);
	return stage_clean(s, f);
}

const struct row ROW_DRAIN = {
	.name = "drain",
	.asks = "how fast the worker processes a backlog, beside Q and under a held snapshot",
	.measure = measure,
};
