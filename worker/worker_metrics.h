#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "processor.h"
#include "queue/inflight.h"
#include "queue/stats.h"

/* What a worker counts, and shows beside what it sees in the database. */

struct worker_metrics;

/* How the worker stands when it is asked. */
struct worker_metrics_now {
	int inflight, slots;
	bool circuit_open;
	int64_t late, released, stale; /* since the start */
};

/* NULL: out of memory. */
MUST_USE struct worker_metrics *worker_metrics_create(void);
void worker_metrics_destroy(struct worker_metrics *t);

/* A call ended so, after so many microseconds. */
void worker_metrics_call(struct worker_metrics *t, enum call_result result, int64_t us);

/* A job is settled with its end, so many microseconds after it was accepted; -1: that is not known. */
void worker_metrics_settled(struct worker_metrics *t, enum job_outcome outcome, int64_t age_us);

/* Jobs of workers that are gone were freed. */
void worker_metrics_rescued(struct worker_metrics *t, int64_t jobs);

/* Adds everything to a text for Prometheus.  seen NULL: the database does not answer. */
void worker_metrics_render(struct worker_metrics *t, const struct worker_metrics_now *now,
	const struct queue_stats *seen, struct buf *ret);
