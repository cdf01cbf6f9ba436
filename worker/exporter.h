#pragma once

#include "base/base.h"
#include "runtime/settings.h"
#include "worker.h"
#include "worker_metrics.h"

/* GET /metrics on a port of the worker's own: what it has counted, and what it sees in the database.  The door of evhttp.
 *
 * A worker works without it: a port that is taken, as by another worker of the host, is tried again until it is free. */

struct event_base;
struct exporter;

/* NULL: out of memory.  Everything given must outlive it.  With the port 0 it does nothing. */
MUST_USE struct exporter *exporter_create(struct event_base *base, const struct settings *s, struct worker *worker,
	struct worker_metrics *worker_metrics);
void exporter_destroy(struct exporter *e);
