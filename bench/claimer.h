#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Claiming and settling alone: the worker's own statements (lib/queue/claim.c, lib/queue/settle.c), one after the other, over libpq.
 *
 * Not pgbench: a settlement takes arrays of what the claim before it returned, and pgbench's variables hold single
 * values; a statement rewritten for it would not be the worker's any more. */

#define CLAIMER_JOBS 200 /* of a claim, and of a settlement */

/* Jobs a second, until none is left. */
MUST_USE bool claimer_rate(const char *conninfo, int connections, double *ret, struct fault *f);
