#pragma once

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "service.h"
#include "source/source.h"

/* The counters of each source: how many webhooks were accepted, refused and not verified, and when the last was accepted.
 *
 * They are apart from the other counters (counters.h), in a file of their own, since their labels are the sources: with
 * another list of sources they begin anew, and the others go on.  The list is the operator's, so no sender can add a series. */

struct source_counters;

/* Opens them in the folder that all responders share; if it cannot be used, this process counts for itself, and they are not
 * rendered.  sources must outlive them.  NULL: out of memory. */
MUST_USE struct source_counters *source_counters_create(const char *folder, const struct sources *sources);

/* NULL is allowed. */
void source_counters_destroy(struct source_counters *c);

/* Counts an answered request, by its source, its status and whether it is verified; one without a source is not counted. */
void source_counters_end(struct source_counters *c, const struct request *rq);

/* Appends the sums of all responders to *ret.  False: out of memory, or they are not shared; nothing is appended. */
MUST_USE bool source_counters_render(const struct source_counters *c, struct buf *ret);
