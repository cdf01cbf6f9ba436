#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "processor.h"
#include "queue/inflight.h"
#include "queue/stats.h"

/* Metrics of a worker: its counters since the start, its present state, and the statistics of the queue. */

struct worker_metrics;

/* The state of the worker at a scrape. */
struct worker_metrics_now {
	int processor;       /* enum processor_choice */
	int inflight, slots; /* jobs claimed and not yet settled, and their upper limit */
	bool circuit_open;
	int64_t late, released, stale; /* jobs since the start, as in struct queue_counters */
};

/* NULL: out of memory. */
MUST_USE struct worker_metrics *worker_metrics_create(void);
void worker_metrics_destroy(struct worker_metrics *wm);

/* Counts a call that ended with this result after us microseconds, unless the result is not the processor's. */
void worker_metrics_call(struct worker_metrics *wm, enum call_result result, int64_t us);

/* Counts a job settled with this outcome.  age_us: microseconds since its webhook was accepted; -1: unknown. */
void worker_metrics_settled(struct worker_metrics *wm, enum job_outcome outcome, int64_t age_us);

/* Counts jobs of dead or unregistered workers that this worker freed. */
void worker_metrics_rescued(struct worker_metrics *wm, int64_t jobs);

/* Adds all metrics to a text for Prometheus; adds nothing if memory is exhausted.  stats NULL: the database does not
 * answer, and the metrics of the queue are left out. */
void worker_metrics_render(struct worker_metrics *wm, const struct worker_metrics_now *now,
	const struct queue_stats *stats, struct buf *ret);
