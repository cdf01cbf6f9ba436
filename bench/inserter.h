#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Ceiling B: storing batches alone, by the statement of lib/ingest/statements.c, over libpq.  No HTTP comes before it,
 * and no processing after it. */

#define INSERTER_ROWS 100 /* rows of one batch, and so of one commit */

/* Stores batches for run_ms on up to 8 connections with a thread each.  Returns the rows per second. */
MUST_USE bool inserter_rate(const char *conninfo, int connections, int run_ms, double *ret, struct fault *f);
