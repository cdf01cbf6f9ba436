/* row_both.c - accepting and processing at the same time, and what both together write.
 *
 * A webhook counts as processed by the server's own time, processed_at, so nothing has to poll during the load.  The
 * cost is read only when the queue is empty, when each webhook has been written completely. */

#include <stdlib.h>

#include "drained.h"
#include "rows.h"

/* The rate of transactions whose processed_at lies within the measured time of the load. */
static bool processed_within(struct stage *s, const struct generator_result *load, double *ret, struct fault *f)
{
	static const char COUNT[] =
		"SELECT count(*) FROM payhook.transactions, string_to_array($1, ' ') AS g"
		" WHERE processed_at >= to_timestamp(g[1]::bigint / 1e6) AND processed_at < to_timestamp(g[2]::bigint / 1e6)";
	char times[64];
	snprintf(times, sizeof times, "%lld %lld", (long long)load->began_us, (long long)load->ended_us);
	if (!pg_number_for(s->owner, COUNT, times, ret, f))
		return false;
	*ret /= (double)(load->ended_us - load->began_us) / 1e6;
	return true;
}

static bool cost(struct bench *b, struct stage *s, const struct stage_writes *before, struct fault *f)
{
	struct stage_writes after;
	double rows;
	if (!stage_writes_read(s, &after, f) ||
		!pg_number(s->owner, "SELECT count(*) FROM payhook.transactions", &rows, f))
		return false;
	report_add_for(&b->report, "WAL per webhook, accepted and processed", "bytes",
		(after.wal_bytes - before->wal_bytes) / rows, TARGET_MOST, 1500);
	report_add(&b->report, "commits per webhook, accepted and processed", "",
		(after.commits - before->commits) / rows);
	return true;
}

static bool at_once(
	struct bench *b, struct stage *s, const struct best *alone, struct generator_result *load, struct fault *f)
{
	struct table_stats before, after;
	struct stage_writes writes;
	double processed, rows;
	if (!stage_clean(s, f) || !table_stats_read(s, &before, f) || !stage_writes_read(s, &writes, f) ||
		!bench_load(b, s->instance.port, alone->connections, (struct request_plan){.kind = REQUEST_UNIQUE},
			load, f) ||
		!pg_number(s->owner, "SELECT count(*) FROM payhook.transactions", &rows, f) ||
		!drained_wait(s, &before, rows, &after, f) || !processed_within(s, load, &processed, f))
		return false;
	bench_add_rate(b, "accepted while processing", load->rate);
	bench_add_rate(b, "processed while accepting", processed);
	report_add_for(
		&b->report, "accepted while processing / alone", "x", load->rate / alone->rate, TARGET_LEAST, 0.45);
	report_add_for(&b->report, "processed while accepting / accepted alone", "x", processed / alone->rate,
		TARGET_LEAST, 0.45);
	return cost(b, s, &writes, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *resting, *working;
	struct best alone;
	struct generator_result *load = malloc(sizeof *load);
	bool ok = load && bench_stage(b, STAGE_RESTING, &resting, f) && bench_stage(b, STAGE_WORKING, &working, f) &&
		  bench_best(b, resting, resting->instance.port, (struct request_plan){.kind = REQUEST_UNIQUE}, &alone,
			  f) &&
		  stage_clean(resting, f);
	if (ok)
		bench_add_rate(b, "accepted alone", alone.rate);
	ok = ok && at_once(b, working, &alone, load, f) && stage_clean(working, f);
	free(load);
	return ok;
}

const struct row ROW_BOTH = {
	.name = "both",
	.asks = "what accepting and processing reach at the same time, and what they write",
	.measure = measure,
};
