/* worker_metrics.c - the worker's table of metrics. */

#include "worker_metrics.h"

#include <stdlib.h>

#include "runtime/metric.h"

/* The database's from UP on. */
enum {
	BUILD,
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
};

static const char *const VERSIONS[] = {PAYHOOK_VERSION, NULL};
static const char *const ENDS[] = {[JOB_PROCESSED] = "processed",
	[JOB_RETRIED] = "retried",
	[JOB_FAILED] = "failed",
	[JOB_PROBED] = "probed",
	NULL};
static const char *const VERDICTS[] = {
	[CALL_DONE] = "succeeded", [CALL_AGAIN] = "failed", [CALL_GIVE_UP] = "refused", NULL};
static const char *const STATES[] = {"ready", "waiting", "claimed", NULL};

/* Microseconds.  A call takes what the processor takes; a job its call, and its retries up to hours. */
static const int64_t CALL_BOUNDS[] = {
	5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 60000000, 0};
static const int64_t AGE_BOUNDS[] = {100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000, 32000000,
	40000000, 60000000, 120000000, 300000000, 1800000000, 7200000000, 0};

#define BOUNDED "; counted up to 10001"

static const struct metric TABLE[] = {
	[BUILD] = {"payhook_build_info", "The version of this worker; always 1", METRIC_GAUGE,
		.labels = {{"version", VERSIONS}}},
	[JOBS] = {"payhook_jobs_total", "Settled calls, by the outcome of their jobs", METRIC_COUNTER,
		.labels = {{"outcome", ENDS}}},
	[END_TO_END] = {"payhook_end_to_end_seconds", "From a webhook's acceptance to its transaction processed",
		METRIC_HISTOGRAM, METRIC_SECONDS, .bounds = AGE_BOUNDS},
	[CALLS] = {"payhook_processor_duration_seconds",
		"Calls of the processor: failed may succeed when repeated, refused never will", METRIC_HISTOGRAM,
		METRIC_SECONDS, .labels = {{"outcome", VERDICTS}}, .bounds = CALL_BOUNDS},
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
};

struct worker_metrics {
	struct metrics metrics;
	_Atomic int64_t *cells;
};

struct worker_metrics *worker_metrics_create(void)
{
	struct worker_metrics *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	metrics_lay_out(&t->metrics, TABLE, COUNT_OF(TABLE));
	t->cells = calloc((size_t)t->metrics.cells, sizeof *t->cells);
	if (t->cells)
		return t;
	free(t);
	return NULL;
}

void worker_metrics_destroy(struct worker_metrics *t)
{
	if (!t)
		return;
	free(t->cells);
	free(t);
}

void worker_metrics_call(struct worker_metrics *t, enum call_result result, int64_t us)
{
	metric_observe(&t->metrics, t->cells, CALLS, (int)result, us);
}

void worker_metrics_settled(struct worker_metrics *t, enum job_outcome outcome, int64_t age_us)
{
	metric_add(&t->metrics, t->cells, JOBS, (int)outcome, 1);
	if (outcome == JOB_PROCESSED && age_us >= 0)
		metric_observe(&t->metrics, t->cells, END_TO_END, 0, age_us);
}

void worker_metrics_rescued(struct worker_metrics *t, int64_t jobs)
{
	metric_add(&t->metrics, t->cells, RESCUED, 0, jobs);
}

static void set(struct worker_metrics *t, int metric, int64_t value)
{
	metric_set(&t->metrics, t->cells, metric, 0, value);
}

static void set_seen(struct worker_metrics *t, const struct queue_stats *seen)
{
	static const struct queue_stats NOTHING = {METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT,
		METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT};
	set(t, UP, seen != NULL);
	if (!seen)
		seen = &NOTHING;
	metric_set(&t->metrics, t->cells, QUEUE, 0, seen->ready);
	metric_set(&t->metrics, t->cells, QUEUE, 1, seen->waiting);
	metric_set(&t->metrics, t->cells, QUEUE, 2, seen->claimed);
	set(t, OLDEST, seen->oldest_us);
	set(t, PAUSED, seen->paused);
	set(t, DEAD, seen->dead);
	set(t, WORKERS, seen->workers);
	set(t, CONFLICTS, seen->conflicts);
	set(t, LAG, seen->lag_us);
}

void worker_metrics_render(
	struct worker_metrics *t, const struct worker_metrics_now *now, const struct queue_stats *seen, struct buf *ret)
{
	set(t, BUILD, 1);
	set(t, STALE, now->stale);
	set(t, LATE, now->late);
	set(t, RELEASED, now->released);
	set(t, INFLIGHT, now->inflight);
	set(t, SLOTS, now->slots);
	set(t, CIRCUIT, now->circuit_open);
	set_seen(t, seen);
	int64_t *copy = calloc((size_t)t->metrics.cells, sizeof *copy);
	for (int i = 0; copy && i < t->metrics.cells; i++)
		copy[i] = atomic_load_explicit(&t->cells[i], memory_order_relaxed);
	if (copy)
		metrics_render(&t->metrics, copy, ret);
	free(copy);
}
