#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"
#include "call_options.h"
#include "worker_metrics.h"

/* The worker: it claims jobs, passes them to the processor, settles them, and at its end releases those without a
 * result. */

struct event_base;
struct worker;
struct connect_state;

/* Creates the worker; it connects and claims as soon as the event loop runs.  All arguments but f must outlive it.
 * NULL, and FAULT_BUSY with the part that failed: memory cannot be allocated, or curl cannot start. */
MUST_USE struct worker *worker_create(
	struct event_base *base, const struct call_options *o, struct worker_metrics *worker_metrics, struct fault *f);

/* Frees the worker without touching the database: jobs that are still claimed are freed by other workers.  NULL is
 * fine. */
void worker_destroy(struct worker *worker);

/* Starts an orderly stop; must not be called twice.  The worker claims no more jobs; it settles the jobs whose calls
 * end within WORKER_GRACE_MS, cancels the other calls, releases their jobs, removes its row, and ends the event loop.
 * The loop ends at the latest 5 s after WORKER_GRACE_MS, even if the database does not answer. */
void worker_stop(struct worker *worker);

/* Sends the worker's state to the service manager as STATUS=. */
void worker_report(const struct worker *worker);

/* The name of its processor, as in PROCESSOR. */
const char *worker_processor(const struct worker *worker);

/* The worker's state, for its metrics. */
struct worker_metrics_now worker_now(const struct worker *worker);

/* What all database connections of this process share; valid as long as the worker. */
struct connect_state *worker_connect_state(struct worker *worker);
