#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "histogram.h"

/* PostgreSQL's own client, inserting what one webhook makes, one webhook a transaction: bench/insert.sql. */

struct pgbench_plan {
	const char *conninfo;
	const char *script;
	const char *folder; /* for what it prints */
	int clients, threads, seconds;
};

/* Transactions a second. */
MUST_USE bool pgbench_rate(const struct pgbench_plan *plan, double *ret, struct fault *f);

/* How long each took, in nanoseconds, added to what is there. */
MUST_USE bool pgbench_latency(const struct pgbench_plan *plan, struct histogram *ret, struct fault *f);
