/* drained.c - the end of a backlog. */

#include "drained.h"

#include <stdlib.h>

#include "stop.h"

#define PATIENCE_NS INT64_C(180000000000)
#define LATE_MS 1700 /* more than counters are late */

static const char COUNTERS[] =
	"SELECT j.n_tup_del, j.n_tup_upd, j.n_tup_hot_upd, t.n_tup_upd, t.n_tup_hot_upd"
	" FROM pg_stat_user_tables j, pg_stat_user_tables t"
	" WHERE j.relid = 'payhook.jobs'::regclass AND t.relid = 'payhook.transactions'::regclass";

bool counters_read(struct stage *s, struct counters *ret, struct fault *f)
{
	PGresult *r;
	double *to[] = {&ret->jobs_gone, &ret->jobs_changed, &ret->jobs_hot, &ret->transactions_changed,
		&ret->transactions_hot};
	if (!pg_ask(s->owner, COUNTERS, NULL, &r, f))
		return false;
	for (size_t i = 0; i < COUNT_OF(to); i++)
		*to[i] = strtod(PQgetvalue(r, 0, (int)i), NULL);
	PQclear(r);
	return true;
}

bool drained(struct stage *s, const struct counters *since, double jobs, struct counters *ret, struct fault *f)
{
	double left = 1;
	int64_t until = now_ns() + PATIENCE_NS;
	do {
		if (!wait_ms(200))
			return fault_set(f, FAULT_BUSY, "asked to stop");
		if (!counters_read(s, ret, f))
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
	return wait_ms(LATE_MS) && counters_read(s, ret, f);
}
