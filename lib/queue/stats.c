/* stats.c - one query over the whole queue, every part of which is bounded.
 *
 * The query runs only when /metrics is requested.  Requests that arrive while it runs share its result.  If it fails,
 * all of them get no result, and never an old one: a monitor must see that the database does not answer. */

#include "queue/stats.h"

#include <stdlib.h>

#include "base/clock.h"

#define ANSWER_MS 2000 /* for the query; if it takes longer, requests get no result */

/* Reads in one snapshot, locks nothing, and reads at most 10,001 rows in each of its parts.
 *
 * No index separates ready from claimed jobs: every claim would have to change it, so no claim could be a HOT update.
 * But jobs are claimed in the order of their ids, and a job that is enqueued again has a new id, so the ready jobs are
 * the newest; they are counted among the newest 10,001.  A worker may have claimed a hundred thousand jobs, so claimed
 * jobs are not counted: the numbers in the workers' rows are added up.  The oldest job may be a retry with a new id, so
 * the age is the greatest among the first job, the jobs that wait, and the newest jobs.  Held and parked jobs have
 * none: they may wait for days, and the first of a payment that is not held is among the others.
 *
 * A standby that has replayed everything has a null replay_lag, which counts as 0.  Without the right to see a standby,
 * only its pid is shown, and its state is null. */
const struct statement STATS = {"stats",
	"WITH newest AS MATERIALIZED ("
	"  SELECT owner IS NULL AND run_at IS NULL AS ready, enqueued_at, run_at FROM payhook.jobs"
	"  ORDER BY id DESC LIMIT 10001"
	"), waiting AS MATERIALIZED ("
	"  SELECT enqueued_at FROM payhook.jobs WHERE run_at < 'infinity' ORDER BY run_at LIMIT 10001"
	"), first AS MATERIALIZED ("
	"  SELECT enqueued_at FROM (SELECT enqueued_at, run_at FROM payhook.jobs ORDER BY id LIMIT 10001) j"
	"  WHERE run_at IS DISTINCT FROM 'infinity' LIMIT 1"
	"), ages AS ("
	"  SELECT enqueued_at FROM first UNION ALL SELECT enqueued_at FROM waiting UNION ALL SELECT enqueued_at FROM newest"
	"  WHERE run_at IS DISTINCT FROM 'infinity'"
	") SELECT (SELECT count(*) FROM newest WHERE ready), (SELECT count(*) FROM waiting),"
	"  (SELECT coalesce(sum(in_flight), 0) FROM payhook.workers),"
	"  (SELECT coalesce(greatest(extract(epoch FROM now() - min(enqueued_at)) * 1000000, 0), 0)::bigint FROM ages),"
	"  (SELECT count(*) FROM (SELECT FROM payhook.pauses LIMIT 1) p),"
	"  (SELECT count(*) FROM (SELECT FROM payhook.dead_jobs LIMIT 10001) d),"
	"  (SELECT count(*) FROM payhook.workers WHERE beat_at > now() - interval '20 s'),"
	"  (SELECT count(*) FROM (SELECT FROM payhook.transaction_conflicts LIMIT 10001) c),"
	"  (SELECT max(coalesce(extract(epoch FROM replay_lag) * 1000000, 0))::bigint FROM pg_stat_replication"
	"    WHERE state IS NOT NULL),"
	"  (SELECT count(*) FROM (SELECT FROM payhook.jobs WHERE run_at = 'infinity' LIMIT 10001) h),"
	"  (SELECT count(*) FROM (SELECT FROM payhook.parked_jobs LIMIT 10001) p)"};

/* Every part walks an index and stops at its limit, whatever the statistics of the queue are: see CLAIM_OPTIONS.  A
 * sort would read the whole table before its first row. */
const char STATS_OPTIONS[] =
	"-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off";

struct stats {
	struct connection *connection;
	TAILQ_HEAD(, stats_request) requests;
	int64_t next_ms; /* when the next query may be sent */
	bool under_way;
	bool answered; /* the last query succeeded, so seen is valid */
	struct queue_stats seen;
};

static void stats_answer(struct stats *s)
{
	struct stats_request *request;
	while ((request = TAILQ_FIRST(&s->requests))) {
		TAILQ_REMOVE(&s->requests, request, waiting);
		request->done(request, s->answered ? &s->seen : NULL);
	}
}

static void stats_on_seen(void *ctx, const struct pg_result *r, const struct fault *f)
{
	(void)f;
	struct stats *s = ctx;
	s->under_way = false;
	s->answered = r != NULL;
	if (r) {
		int64_t *fields[] = {&s->seen.ready, &s->seen.waiting, &s->seen.claimed, &s->seen.oldest_us,
			&s->seen.paused, &s->seen.dead, &s->seen.workers, &s->seen.conflicts, &s->seen.lag_us,
			&s->seen.held, &s->seen.parked};
		for (int i = 0; i < (int)COUNT_OF(fields); i++)
			*fields[i] = db_int8(r, 0, i);
		if (db_null(r, 0, 8))
			s->seen.lag_us = STATS_NO_LAG;
	}
	stats_answer(s);
}

static void stats_send(struct stats *s)
{
	struct db_params none = {0};
	s->under_way = true;
	s->next_ms = clock_ms() + STATS_EVERY_MS;
	connection_send(s->connection, &STATS, &none, stats_on_seen);
}

static void stats_on_ready(void *ctx)
{
	struct stats *s = ctx;
	if (!TAILQ_EMPTY(&s->requests) && !s->under_way)
		stats_send(s);
}

static void stats_on_down(void *ctx, const struct fault *why)
{
	(void)why;
	struct stats *s = ctx;
	s->answered = false;
	s->next_ms = 0;
	if (!connection_is_reachable(s->connection))
		stats_answer(s);
}

static const struct statement *const STATEMENTS[] = {&STATS};

static const struct connection_plan PLAN = {
	.name = "payhook-worker stats",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = STATS_OPTIONS,
	.answer_ms = ANSWER_MS,
	.ready = stats_on_ready,
	.down = stats_on_down,
};

struct stats *stats_create(struct connect_state *connect_state)
{
	struct stats *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	TAILQ_INIT(&s->requests);
	s->connection = connection_create(connect_state, &PLAN, s);
	if (s->connection)
		return s;
	free(s);
	return NULL;
}

void stats_destroy(struct stats *s)
{
	if (!s)
		return;
	connection_destroy(s->connection);
	free(s);
}

void stats_ask(struct stats *s, struct stats_request *request)
{
	bool fresh = clock_ms() < s->next_ms && !s->under_way;
	if (fresh || !connection_is_reachable(s->connection)) {
		request->done(request, s->answered ? &s->seen : NULL);
		return;
	}
	TAILQ_INSERT_TAIL(&s->requests, request, waiting);
	if (connection_is_ready(s->connection))
		stats_send(s);
}

void stats_withdraw(struct stats *s, struct stats_request *request)
{
	TAILQ_REMOVE(&s->requests, request, waiting);
}
