/* worker_metrics.c - the worker's table of metrics.
 *
 * Counters and histograms are written as things happen; gauges and the counters of the queue are set at each scrape.
 * The cells belong to one process and are not shared through a scoreboard: each worker serves its own port.  Metrics
 * of the queue come from the database, so every worker exports the same ones. */

#include "worker_metrics.h"

#include <stdlib.h>

#include "runtime/metric.h"

/* Indexes of TABLE.  From UP on, the values come from the database. */
enum {
	BUILD,
	INFO,
	JOBS,
	END_TO_END,
	CALLS,
	STALE,
	LATE,
	RELEASED,
	RESCUED,
	INFLIGHT,
	SLOTS,
	CIRCUIT,
	UP,
	QUEUE,
	OLDEST,
	PAUSED,
	DEAD,
	WORKERS,
	CONFLICTS,
	LAG,
	HELD,
	PARKED,
};

/* In the order of enum processor_choice. */
static const char *const PROCESSORS[] = {"simulated", "http", NULL};
static const char *const VERSIONS[] = {PAYHOOK_VERSION, NULL};
/* In the order of enum job_outcome.  JOB_EXHAUSTED is counted as failed: its transaction is FAILED. */
static const char *const OUTCOMES[] = {[JOB_PROCESSED] = "processed",
	[JOB_RETRIED] = "retried",
	[JOB_FAILED] = "failed",
	[JOB_PROBED] = "probed",
	[JOB_POSTPONED] = "postponed",
	[JOB_UNKNOWN] = "unknown",
	NULL};
/* In the order of enum call_result.  The results after these are not of the processor, and not counted. */
static const char *const RESULTS[] = {[CALL_DONE] = "succeeded",
	[CALL_AGAIN] = "failed",
	[CALL_GIVE_UP] = "refused",
	[CALL_UNDER_WAY] = "under_way",
	NULL};
static const char *const STATES[] = {"ready", "waiting", "claimed", NULL};

/* Microseconds.  A call lasts up to the processor's time limit; the age of a job includes its retries, up to hours. */
static const int64_t CALL_BOUNDS[] = {
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 0};
static const int64_t AGE_BOUNDS[] = {100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 32000000,
	40000000, 60000000, 120000000, 300000000, 1800000000, 7200000000, 0};

/* The database counts at most STATS_MOST rows, so that a scrape costs the same for any length of the queue. */
#define BOUNDED "; counted up to 10001"

static const struct metric TABLE[] = {
	[BUILD] = {"payhook_build_info", "The version of this worker; always 1", METRIC_GAUGE,
		.labels = {{"version", VERSIONS}}},
	[INFO] = {"payhook_worker_info", "The processor of this worker; always 1", METRIC_GAUGE,
		.labels = {{"processor", PROCESSORS}}, .sparse = true},
	[JOBS] = {"payhook_jobs_total", "Settled calls, by the outcome of their jobs", METRIC_COUNTER,
		.labels = {{"outcome", OUTCOMES}}},
	[END_TO_END] = {"payhook_end_to_end_seconds", "From a webhook's acceptance to its transaction processed",
		METRIC_HISTOGRAM, METRIC_SECONDS, .bounds = AGE_BOUNDS},
	[CALLS] = {"payhook_processor_duration_seconds",
		"Calls of the processor: failed and under_way may succeed when repeated, refused never will",
		METRIC_HISTOGRAM, METRIC_SECONDS, .labels = {{"outcome", RESULTS}}, .bounds = CALL_BOUNDS},
	[STALE] = {"payhook_stale_settlements_total",
		"Settlements that changed nothing, because the job had been freed and was no longer this worker's",
		METRIC_COUNTER, .unit = METRIC_ONES, .former = "payhook_stale_results_total"},
	[LATE] = {"payhook_latecomers_total", "Claimed jobs whose ids were committed behind the cursor", METRIC_COUNTER,
		.unit = METRIC_ONES},
	[RELEASED] = {"payhook_released_claims_total",
		"Jobs that this worker released, and jobs of its claims whose answer was lost", METRIC_COUNTER,
		.unit = METRIC_ONES},
	[RESCUED] = {"payhook_rescued_jobs_total", "Jobs of dead workers that this worker freed", METRIC_COUNTER,
		.unit = METRIC_ONES},
	[INFLIGHT] = {"payhook_worker_jobs_inflight", "Jobs that this worker has claimed and not yet settled",
		METRIC_GAUGE, .unit = METRIC_ONES, .former = "payhook_worker_jobs_held"},
	[SLOTS] = {"payhook_worker_slots", "Jobs that this worker claims at most at a time", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[CIRCUIT] = {"payhook_circuit_open", "1 while this worker considers its processor down", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[UP] = {"payhook_database_up",
		"1 when the database has answered; otherwise the metrics of the queue are left out", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[QUEUE] = {"payhook_queue_jobs",
		"Jobs by state: ready among the newest 10001, waiting counted up to 10001, claimed by the workers' last heartbeats",
		METRIC_GAUGE, .labels = {{"state", STATES}}},
	[OLDEST] = {"payhook_queue_oldest_age_seconds", "Age of the oldest job since its webhook was accepted; 0: none",
		METRIC_GAUGE, .unit = METRIC_SECONDS},
	[PAUSED] = {"payhook_queue_paused", "1 while claiming is paused", METRIC_GAUGE, .unit = METRIC_ONES},
	[DEAD] = {"payhook_dead_jobs", "Dead jobs, whose transactions are FAILED" BOUNDED, METRIC_GAUGE,
		.unit = METRIC_ONES},
	[WORKERS] = {"payhook_workers_alive", "Workers with a heartbeat within the last 20 s", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[CONFLICTS] = {"payhook_transaction_conflicts", "Conflicting payloads kept under known ids" BOUNDED,
		METRIC_GAUGE, .unit = METRIC_ONES},
	[LAG] = {"payhook_replication_lag_seconds",
		"Largest replay lag of a standby; left out without standbys, or without the right to see them",
		METRIC_GAUGE, .unit = METRIC_SECONDS},
	[HELD] = {"payhook_queue_held", "Dead jobs that hold their payment until retry() or skip()" BOUNDED,
		METRIC_GAUGE, .unit = METRIC_ONES},
	[PARKED] = {"payhook_queue_parked",
		"Jobs that wait until the one before them in their payment has ended" BOUNDED, METRIC_GAUGE,
		.unit = METRIC_ONES},
};

struct worker_metrics {
	struct metrics metrics;
	_Atomic int64_t *cells;
};

struct worker_metrics *worker_metrics_create(void)
{
	struct worker_metrics *wm = calloc(1, sizeof *wm);
	if (!wm)
		return NULL;
	metrics_lay_out(&wm->metrics, TABLE, COUNT_OF(TABLE));
	wm->cells = calloc((size_t)wm->metrics.cells, sizeof *wm->cells);
	if (wm->cells)
		return wm;
	free(wm);
	return NULL;
}

void worker_metrics_destroy(struct worker_metrics *wm)
{
	if (!wm)
		return;
	free(wm->cells);
	free(wm);
}

void worker_metrics_call(struct worker_metrics *wm, enum call_result result, int64_t us)
{
	if (result < CALL_POSTPONED)
		metric_observe(&wm->metrics, wm->cells, CALLS, (int)result, us);
}

void worker_metrics_settled(struct worker_metrics *wm, enum job_outcome outcome, int64_t age_us)
{
	metric_add(&wm->metrics, wm->cells, JOBS, (int)(outcome == JOB_EXHAUSTED ? JOB_FAILED : outcome), 1);
	if (outcome == JOB_PROCESSED && age_us >= 0)
		metric_observe(&wm->metrics, wm->cells, END_TO_END, 0, age_us);
}

void worker_metrics_rescued(struct worker_metrics *wm, int64_t jobs)
{
	metric_add(&wm->metrics, wm->cells, RESCUED, 0, jobs);
}

static void set(struct worker_metrics *wm, int metric, int64_t value)
{
	metric_set(&wm->metrics, wm->cells, metric, 0, value);
}

/* Without an answer of the database its metrics are absent: a number that is no longer true would be worse than
 * none.  So is the lag where there is no standby. */
static void set_queue_stats(struct worker_metrics *wm, const struct queue_stats *stats)
{
	static const struct queue_stats NOTHING = {METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT,
		METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT,
		METRIC_ABSENT};
	set(wm, UP, stats != NULL);
	if (!stats)
		stats = &NOTHING;
	metric_set(&wm->metrics, wm->cells, QUEUE, 0, stats->ready);
	metric_set(&wm->metrics, wm->cells, QUEUE, 1, stats->waiting);
	metric_set(&wm->metrics, wm->cells, QUEUE, 2, stats->claimed);
	set(wm, OLDEST, stats->oldest_us);
	set(wm, PAUSED, stats->paused);
	set(wm, DEAD, stats->dead);
	set(wm, WORKERS, stats->workers);
	set(wm, CONFLICTS, stats->conflicts);
	set(wm, HELD, stats->held);
	set(wm, PARKED, stats->parked);
	set(wm, LAG, stats->lag_us == STATS_NO_LAG ? METRIC_ABSENT : stats->lag_us);
}

void worker_metrics_render(struct worker_metrics *wm, const struct worker_metrics_now *now,
	const struct queue_stats *stats, struct buf *ret)
{
	set(wm, BUILD, 1);
	metric_set(&wm->metrics, wm->cells, INFO, now->processor, 1);
	set(wm, STALE, now->stale);
	set(wm, LATE, now->late);
	set(wm, RELEASED, now->released);
	set(wm, INFLIGHT, now->inflight);
	set(wm, SLOTS, now->slots);
	set(wm, CIRCUIT, now->circuit_open);
	set_queue_stats(wm, stats);
	int64_t *copy = calloc((size_t)wm->metrics.cells, sizeof *copy);
	for (int i = 0; copy && i < wm->metrics.cells; i++)
		copy[i] = atomic_load_explicit(&wm->cells[i], memory_order_relaxed);
	if (copy)
		metrics_render(&wm->metrics, copy, ret);
	free(copy);
}
