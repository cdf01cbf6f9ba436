/* row_stored.c - accepting with millions of transactions stored, and on empty tables, in turns.
 *
 * An index on random ids gets slower when it no longer fits in memory; the ratio shows by how much. */

#include <pthread.h>
#include <stdlib.h>

#include "fill.h"
#include "rows.h"

/* Loads before the measured one.  After a checkpoint, the first change of each page is logged as the whole page
 * (full_page_writes).  In operation this phase is
 * a small part of the time between two checkpoints, so it must be over before the measured load. */
#define SETTLE_ROUNDS 6

static long rows_of(const struct bench *b)
{
	return b->quick ? 200 * THOUSAND : 10 * MILLION;
}

static bool settle(struct bench *b, struct stage *s, struct fault *f)
{
	double rate = 0;
	for (int i = 0; i < (b->quick ? 1 : SETTLE_ROUNDS); i++) {
		if (!bench_rate(b, s->instance.port, 64, (struct request_plan){.kind = REQUEST_UNIQUE}, &rate, f))
			return false;
		bench_print(b, "after the checkpoint: %.0f/s", rate);
	}
	return true;
}

static bool prepare(struct bench *b, struct fault *f)
{
	static const char *const SETTINGS[] = {BENCH_RESTING, NULL};
	struct stage *s;
	if (!bench_own_stage(b, STAGE_OWN, SETTINGS, &s, f))
		return false;
	bench_print(b, "storing %ld transactions", rows_of(b));
	if (!fill_stored(s->owner, rows_of(b), f))
		return false;
	bench_print(b, "vacuum, and a checkpoint");
	return pg_run(s->superuser, "VACUUM ANALYZE payhook.transactions", f) &&
	       pg_run(s->superuser, "CHECKPOINT", f) && settle(b, s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	const struct request_plan unique = {.kind = REQUEST_UNIQUE};
	struct stage *full = &b->stages[STAGE_OWN], *empty;
	struct best without, with;
	char name[64];
	if (!bench_stage(b, STAGE_RESTING, &empty, f) ||
		!bench_best(b, empty, empty->instance.port, unique, &without, f) ||
		!bench_best(b, NULL, full->instance.port, unique, &with, f))
		return false;
	snprintf(name, sizeof name, "accepted with %ld stored", rows_of(b));
	bench_add_rate(b, "accepted on empty tables", without.rate);
	bench_add_rate(b, name, with.rate);
	report_add_for(&b->report, "with what is stored / empty", "x", with.rate / without.rate, TARGET_LEAST, 0.85);
	return stage_clean(empty, f);
}

const struct row ROW_STORED = {
	.name = "stored",
	.asks = "whether accepting slows down with ten million transactions stored",
	.prepare = prepare,
	.measure = measure,
};
