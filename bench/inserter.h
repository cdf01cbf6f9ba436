#pragma once

#include "base/base.h"
#include "base/fault.h"

/* The batch insert alone: the very statement of lib/ingest/ingest.c, over libpq, with nothing before or behind it. */

#define INSERTER_ROWS 100 /* a transaction */

/* Rows a second, over so many connections. */
MUST_USE bool inserter_rate(const char *conninfo, int connections, int run_ms, double *ret, struct fault *f);
