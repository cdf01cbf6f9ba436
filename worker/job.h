#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "runtime/settings.h"
#include "tally.h"

/* The jobs of this worker: claimed, given to the processor, settled; and in the end handed back. */

struct event_base;
struct jobs;
struct lanes;

/* NULL: out of memory.  The settings and the tally must outlive it. */
MUST_USE struct jobs *jobs_create(struct event_base *base, const struct settings *s, struct tally *tally);
void jobs_destroy(struct jobs *js);

/* Begins to end: no more claims; calls that end within the grace time are settled, the others cancelled and handed
 * back.  Then the loop is left. */
void jobs_stop(struct jobs *js);

/* Says to the service manager what this worker does just now. */
void jobs_tell(const struct jobs *js);

/* How it stands, for the metrics; and the lanes of this process. */
struct tally_now jobs_now(const struct jobs *js);
struct lanes *jobs_lanes(struct jobs *js);
