/* drained.c - waiting for the end of a backlog.
 *
 * Statistics are polled until the expected number of jobs has been deleted; only then, when the queue is short, are its
 * rows counted.  Statistics reach the server's shared memory late, so the last reading waits for them. */

#include "drained.h"

#include <stdlib.h>

#include "stop.h"

#define PATIENCE_NS INT64_C(180000000000)
#define LATE_MS 1700 /* longer than the delay of the statistics */

static const char TABLE_STATS[] =
	"SELECT j.n_tup_del, j.n_tup_upd, j.n_tup_hot_upd, t.n_tup_upd, t.n_tup_hot_upd"
	" FROM pg_stat_user_tables j, pg_stat_user_tables t"
	" WHERE j.relid = 'payhook.jobs'::regclass AND t.relid = 'payhook.transactions'::regclass";

bool table_stats_read(struct stage *s, struct table_stats *ret, struct fault *f)
{
	PGresult *r;
	double *to[] = {&ret->jobs_gone, &ret->jobs_changed, &ret->jobs_hot, &ret->transactions_changed,
		&ret->transactions_hot};
	if (!pg_ask(s->owner, TABLE_STATS, NULL, &r, f))
		return false;
	for (size_t i = 0; i < COUNT_OF(to); i++)
		*to[i] = strtod(PQgetvalue(r, 0, (int)i), NULL);
	PQclear(r);
	return true;
}

bool drained_wait(
	struct stage *s, const struct table_stats *since, double jobs, struct table_stats *ret, struct fault *f)
{
	double left = 1;
	int64_t until = now_ns() + PATIENCE_NS;
	do {
		if (!wait_ms(200))
			return fault_set(f, FAULT_BUSY, "asked to stop");
		if (!table_stats_read(s, ret, f))
			return false;
	} while (ret->jobs_gone - since->jobs_gone < jobs && now_ns() < until);
	while (left > 0 && now_ns() < until) {
		if (!wait_ms(100))
			return fault_set(f, FAULT_BUSY, "asked to stop");
		if (!pg_number(s->owner, "SELECT count(*) FROM payhook.jobs", &left, f))
			return false;
	}
	if (left > 0)
		return fault_set(f, FAULT_BUSY, "after %d s the worker has %.0f jobs left",
			(int)(PATIENCE_NS / 1000000000), left);
	return wait_ms(LATE_MS) && table_stats_read(s, ret, f);
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

bool drain_paused(struct stage *s, long jobs, struct drain *ret, struct fault *f)
{
	char since[64];
	struct table_stats before, after;
	struct stage_writes begun, done;
	double seconds;
	if (!table_stats_read(s, &before, f) || !stage_writes_read(s, &begun, f) ||
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

bool drain(struct stage *s, bool (*fill)(PGconn *c, long count, struct fault *f), long jobs, struct drain *ret,
	struct fault *f)
{
	return stage_clean(s, f) && pg_run(s->owner, "SELECT payhook.pause()", f) && fill(s->owner, jobs, f) &&
	       drain_paused(s, jobs, ret, f);
}

bool drain_with_snapshot(struct stage *s, bool (*fill)(PGconn *c, long count, struct fault *f), long jobs,
	struct drain *ret, struct fault *f)
{
	PGconn *holder;
	if (!stage_clean(s, f) || !pg_open(s->instance.database, NULL, &holder, f))
		return false;
	/* BEGIN takes no snapshot; the first statement that reads does, and holds it until the end. */
	bool ok = pg_run(holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class", f);
	ok = ok && drain(s, fill, jobs, ret, f);
	PQfinish(holder);
	return ok;
}
