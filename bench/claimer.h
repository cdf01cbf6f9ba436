#pragma once

#include "base/base.h"
#include "base/fault.h"

/* Ceiling Q: claiming and settling alone, by the worker's own statements (lib/queue/claim.c, lib/queue/settle.c),
 * one after the other over libpq.
 *
 * Not by pgbench: a settlement takes arrays of what the claim before it returned, and pgbench's variables hold
 * single values.  A statement rewritten for pgbench would no longer be the worker's. */

#define CLAIMER_JOBS 200 /* jobs of one claim, and of one settlement */

/* Claims and settles until no job is left, on up to 8 connections with a thread each.  Returns the jobs per second. */
MUST_USE bool claimer_rate(const char *conninfo, int connections, double *ret, struct fault *f);
