/* row_retention.c - whether senders notice that old days are dropped.
 *
 * Ten days of payloads and attempts are made, and under an open loop the workers' own function, keep_partitions(),
 * removes them: one step at a time, as a worker calls it once an hour.  The same load without it runs in turns. */

#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "beside.h"
#include "queue/retention.h"
#include "rows.h"
#include "stop.h"

#define DAYS 10
#define STEPS (4 * DAYS) /* two tables, each of which is detached and then dropped */

/* Rows a day as $1. */
static const char MAKE[] =
	"DO $$"
	" DECLARE day date; name text;"
	" BEGIN"
	"  FOR day IN SELECT current_date - n FROM generate_series(2, 11) n LOOP"
	"   FOREACH name IN ARRAY ARRAY['payloads', 'job_attempts'] LOOP"
	"    EXECUTE format('CREATE TABLE payhook.%I PARTITION OF payhook.%I FOR VALUES FROM (%L) TO (%L)',"
	"     name || to_char(day, '_YYYYMMDD'), name, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');"
	"   END LOOP;"
	"  END LOOP;"
	" END $$";
static const char FILL_PAYLOADS[] =
	"INSERT INTO payhook.payloads (received_at, source, content_type, headers, body)"
	" SELECT (current_date - d)::timestamp AT TIME ZONE 'UTC' + interval '1 hour', 'transactions', 'application/json',"
	"  '{}', convert_to(repeat(md5(n::text), 20), 'UTF8')"
	" FROM generate_series(2, 11) d, generate_series(1, $1::bigint) n";
static const char FILL_ATTEMPTS[] =
	"INSERT INTO payhook.job_attempts (transaction_id, source, attempt, started_at, finished_at, outcome, worker)"
	" SELECT 'txn_' || md5(n::text), 'transactions', 1, at, at, 'processed', 1"
	" FROM generate_series(2, 11) d, generate_series(1, $1::bigint) n,"
	"  LATERAL (SELECT (current_date - d)::timestamp AT TIME ZONE 'UTC' + interval '1 hour' AS at) a";

static bool make_days(struct bench *b, struct stage *s, struct fault *f)
{
	long rows = b->quick ? 1000 : 50 * THOUSAND;
	return pg_run(s->owner, "SET TIME ZONE 'UTC'", f) && pg_run(s->owner, MAKE, f) &&
	       pg_run_for(s->owner, FILL_PAYLOADS, rows, f) && pg_run_for(s->owner, FILL_ATTEMPTS, rows, f) &&
	       pg_run(s->superuser, "CHECKPOINT", f);
}

static bool step(PGconn *worker, double *longest_ms, struct fault *f)
{
	int64_t began_us = clock_us();
	bool ok = pg_run(worker, "SELECT payhook.keep_partitions(1, 1)", f);
	*longest_ms = fmax(*longest_ms, (double)(clock_us() - began_us) / 1e3);
	return ok;
}

/* Steps evenly spread over the time of the load; then each is tried again, as one that a settlement was in the way of is
 * in a worker's next round. */
static bool make_steps(struct bench *b, PGconn *worker, int run_ms, struct fault *f)
{
	double longest_ms = 0;
	if (!wait_ms(b->warm_ms))
		return fault_set(f, FAULT_BUSY, "asked to stop");
	for (int i = 0; i < 2 * STEPS; i++) {
		if (!step(worker, &longest_ms, f))
			return false;
		if (i < STEPS && !wait_ms(run_ms / (STEPS + 1)))
			return fault_set(f, FAULT_BUSY, "asked to stop");
	}
	report_add(&b->report, "the longest step", "ms", longest_ms);
	return true;
}

/* On a connection as a worker has. */
static bool drop_days(struct bench *b, struct stage *s, int run_ms, struct fault *f)
{
	PGconn *worker;
	double left;
	if (!pg_open(s->instance.database, RETENTION_OPTIONS, &worker, f))
		return false;
	bool ok = make_steps(b, worker, run_ms, f);
	PQfinish(worker);
	return ok &&
	       pg_number(s->owner,
		       "SELECT count(*) FROM pg_class WHERE relnamespace = 'payhook'::regnamespace AND relkind = 'r'"
		       " AND relname ~ '\\d{8}$' AND right(relname, 8) < to_char(current_date - 1, 'YYYYMMDD')",
		       &left, f) &&
	       (left == 0 || fault_set(f, FAULT_BUSY, "%.0f of %d tables of old days are left", left, 2 * DAYS));
}

static bool under_load(
	struct bench *b, struct stage *s, double rate, bool dropping, struct beside *load, struct fault *f)
{
	const struct generator_plan plan = bench_open_loop(b, s, rate);
	struct fault other;
	if (!stage_clean(s, f) || (dropping && !make_days(b, s, f)) || !beside_begin(load, plan, f))
		return false;
	bool ok = !dropping || drop_days(b, s, plan.run_ms, f);
	bool ended = beside_end(load, ok ? f : &other);
	bench_count_wrong(b, &load->result);
	return ok && ended;
}

static bool measure_with(struct bench *b, struct stage *s, struct beside *with, struct beside *without, struct fault *f)
{
	struct best best;
	struct report *r = &b->report;
	bool first = b->round % 2 == 0; /* the order changes from round to round */
	if (!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_UNIQUE}, &best, f) ||
		!under_load(b, s, best.rate / 2, first, first ? with : without, f) ||
		!under_load(b, s, best.rate / 2, !first, first ? without : with, f))
		return false;
	bench_add_rate(b, "open loop, accepted and processed", with->result.rate);
	report_add(r, "nothing is dropped, p50", "ms", histogram_ms_at(&without->result.latency_ns, 0.5));
	report_add(r, "ten days are dropped, p50", "ms", histogram_ms_at(&with->result.latency_ns, 0.5));
	report_add(r, "nothing is dropped, p99", "ms", histogram_ms_at(&without->result.latency_ns, 0.99));
	report_add(r, "ten days are dropped, p99", "ms", histogram_ms_at(&with->result.latency_ns, 0.99));
	report_add(r, "ten days are dropped, most", "ms", (double)with->result.latency_ns.most / 1e6);
	report_add(r, "ten days are dropped, not answered 202", "", (double)with->result.wrong);
	report_add_for(r, "p99 while days are dropped / p99 without", "x",
		histogram_ms_at(&with->result.latency_ns, 0.99) / histogram_ms_at(&without->result.latency_ns, 0.99),
		TARGET_MOST, 1.25);
	return stage_clean(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct beside *loads = calloc(2, sizeof *loads);
	bool ok = loads || fault_set(f, FAULT_BUSY, "out of memory");
	ok = ok && bench_stage(b, STAGE_WORKING, &s, f) && measure_with(b, s, &loads[0], &loads[1], f);
	free(loads);
	return ok;
}

const struct row ROW_RETENTION = {
	.name = "retention",
	.asks = "whether senders notice that ten old days of payloads and attempts are dropped",
	.measure = measure,
};
