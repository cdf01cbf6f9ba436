#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "histogram.h"

/* Ceiling S: pgbench, PostgreSQL's own load program, with bench/insert.sql, which stores the rows of one webhook in
 * a transaction of their own.  This is what a receiver without batches could reach. */

struct pgbench_plan {
	const char *conninfo;
	const char *script;
	const char *folder; /* for its output and logs */
	int clients, threads, seconds;
};

/* Returns the transactions per second, without the time for connecting. */
MUST_USE bool pgbench_rate(const struct pgbench_plan *plan, double *ret, struct fault *f);

/* Adds the duration of each transaction to *ret, in nanoseconds. */
MUST_USE bool pgbench_latency(const struct pgbench_plan *plan, struct histogram *ret, struct fault *f);
