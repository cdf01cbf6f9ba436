/* row_drain.c - a worker without delay on a backlog; beside ceiling Q, and under a held snapshot.
 *
 * An open transaction with an old snapshot keeps VACUUM and HOT pruning from removing dead rows.  A queue in a table
 * is known to collapse under this; the row shows whether the claim's cursor avoids it. */

#include "claimer.h"
#include "drained.h"
#include "fill.h"
#include "rows.h"

static long jobs_of(const struct bench *b)
{
	return b->quick ? 20 * THOUSAND : 500 * THOUSAND;
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
	if (!bench_stage(b, STAGE_WORKING, &s, f) || !drain(s, fill_backlog, jobs_of(b), &plain, f))
		return false;
	snprintf(name, sizeof name, "worker, delay 0, a backlog of %ld", jobs_of(b));
	bench_add_rate(b, name, plain.rate);
	if (!ceiling(b, 1, &q, f) || (!b->quick && !ceiling(b, 2, &more, f)) ||
		!drain_with_snapshot(s, fill_backlog, jobs_of(b), &under_snapshot, f))
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
