#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "runtime/settings.h"
#include "worker_metrics.h"

/* The jobs of this worker: claimed, given to the processor, settled; and in the end handed back. */

struct event_base;
struct worker;
struct connect_state;

/* NULL: out of memory.  The settings and the tally must outlive it. */
MUST_USE struct worker *worker_create(
	struct event_base *base, const struct settings *s, struct worker_metrics *worker_metrics);
void worker_destroy(struct worker *js);

/* Begins to end: no more claims; calls that end within the grace time are settled, the others cancelled and handed
 * back.  Then the loop is left. */
void worker_stop(struct worker *js);

/* Says to the service manager what this worker does just now. */
void worker_report(const struct worker *js);

/* How it stands, for the metrics; and the lanes of this process. */
struct worker_metrics_now worker_now(const struct worker *js);
struct connect_state *worker_connect_state(struct worker *js);
