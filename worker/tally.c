/* tally.c - the worker's table of metrics. */

#include "tally.h"

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
	HELD,
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
static const char *const ENDS[] = {[END_PROCESSED] = "processed",
	[END_RETRIED] = "retried",
	[END_FAILED] = "failed",
	[END_PROBED] = "probed",
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
	[JOBS] = {"payhook_jobs_total", "Calls that are settled, by what became of their jobs", METRIC_COUNTER,
		.labels = {{"outcome", ENDS}}},
	[END_TO_END] = {"payhook_end_to_end_seconds", "From a webhook's acceptance to its transaction processed",
		METRIC_HISTOGRAM, METRIC_SECONDS, .bounds = AGE_BOUNDS},
	[CALLS] = {"payhook_processor_duration_seconds",
		"Calls of the processor: failed may succeed when called again, refused never will", METRIC_HISTOGRAM,
		METRIC_SECONDS, .labels = {{"outcome", VERDICTS}}, .bounds = CALL_BOUNDS},
	[STALE] = {"payhook_stale_results_total",
		"Results that changed nothing, since this worker was taken for dead and another had the job",
		METRIC_COUNTER, .unit = METRIC_ONES},
	[LATE] = {"payhook_latecomers_total", "Claimed jobs whose ids were committed behind the cursor", METRIC_COUNTER,
		.unit = METRIC_ONES},
	[RELEASED] = {"payhook_released_claims_total", "Jobs handed back, and those whose claim was lost on its way",
		METRIC_COUNTER, .unit = METRIC_ONES},
	[RESCUED] = {"payhook_rescued_jobs_total", "Jobs of dead workers that this one freed", METRIC_COUNTER,
		.unit = METRIC_ONES},
	[HELD] = {"payhook_worker_jobs_held", "Jobs in this worker's hands", METRIC_GAUGE, .unit = METRIC_ONES},
	[SLOTS] = {"payhook_worker_slots", "Jobs that it holds at most", METRIC_GAUGE, .unit = METRIC_ONES},
	[CIRCUIT] = {"payhook_circuit_open", "1 while it takes its processor for down", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[UP] = {"payhook_database_up", "1 when the database has answered; else what it would tell is left out",
		METRIC_GAUGE, .unit = METRIC_ONES},
	[QUEUE] = {"payhook_queue_jobs",
		"Jobs by state" BOUNDED ", ready among the newest so many; claimed by the workers' last beats",
		METRIC_GAUGE, .labels = {{"state", STATES}}},
	[OLDEST] = {"payhook_queue_oldest_age_seconds", "Age of the oldest job since its webhook was accepted; 0: none",
		METRIC_GAUGE, .unit = METRIC_SECONDS},
	[PAUSED] = {"payhook_queue_paused", "1 while the workers are told to claim nothing", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[DEAD] = {"payhook_dead_jobs", "Dead jobs, whose transactions are FAILED" BOUNDED, METRIC_GAUGE,
		.unit = METRIC_ONES},
	[WORKERS] = {"payhook_workers_alive", "Workers that have beaten within the last 20 s", METRIC_GAUGE,
		.unit = METRIC_ONES},
	[CONFLICTS] = {"payhook_transaction_conflicts", "Other payloads kept under known ids" BOUNDED, METRIC_GAUGE,
		.unit = METRIC_ONES},
	[LAG] = {"payhook_replication_lag_seconds",
		"Largest replay lag of a standby; left out without standbys, or without the right to see them",
		METRIC_GAUGE, .unit = METRIC_SECONDS},
};

struct tally {
	struct metrics metrics;
	_Atomic int64_t *cells;
};

struct tally *tally_create(void)
{
	struct tally *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	metrics_lay_out(&t->metrics, TABLE, COUNT_OF(TABLE));
	t->cells = calloc((size_t)t->metrics.cells, sizeof *t->cells);
	if (t->cells)
		return t;
	free(t);
	return NULL;
}

void tally_destroy(struct tally *t)
{
	if (!t)
		return;
	free(t->cells);
	free(t);
}

void tally_call(struct tally *t, enum verdict verdict, int64_t us)
{
	metric_observe(&t->metrics, t->cells, CALLS, (int)verdict, us);
}

void tally_settled(struct tally *t, enum end end, int64_t age_us)
{
	metric_add(&t->metrics, t->cells, JOBS, (int)end, 1);
	if (end == END_PROCESSED && age_us >= 0)
		metric_observe(&t->metrics, t->cells, END_TO_END, 0, age_us);
}

void tally_rescued(struct tally *t, int64_t jobs)
{
	metric_add(&t->metrics, t->cells, RESCUED, 0, jobs);
}

static void set(struct tally *t, int metric, int64_t value)
{
	metric_set(&t->metrics, t->cells, metric, 0, value);
}

static void set_seen(struct tally *t, const struct survey_seen *seen)
{
	static const struct survey_seen NOTHING = {METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT, METRIC_ABSENT,
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

void tally_render(struct tally *t, const struct tally_now *now, const struct survey_seen *seen, struct buf *ret)
{
	set(t, BUILD, 1);
	set(t, STALE, now->stale);
	set(t, LATE, now->late);
	set(t, RELEASED, now->released);
	set(t, HELD, now->held);
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
