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
