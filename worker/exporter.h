#pragma once

#include "base/base.h"
#include "runtime/settings.h"
#include "worker.h"
#include "worker_metrics.h"

/* GET /metrics on a port of the worker: its own metrics, and those of the queue in the database.  The only user of
 * evhttp.
 *
 * The worker does not depend on it.  If the port is in use, for example by another worker of the host, the exporter
 * logs that once and tries again every 5 s. */

struct event_base;
struct exporter;

/* Starts to serve metrics; with WORKER_METRICS_PORT=0 the exporter does nothing.  All arguments must outlive it.
 * NULL: out of memory. */
MUST_USE struct exporter *exporter_create(struct event_base *base, const struct settings *s, struct worker *worker,
	struct worker_metrics *worker_metrics);

/* Closes the port and drops the requests that still wait.  e may be NULL. */
void exporter_destroy(struct exporter *e);
