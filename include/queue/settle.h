#pragma once

#include <stdint.h>

#include "pg/db.h"
#include "queue/inflight.h"

/* The settlement: one fenced statement that records the outcomes of a batch of calls. */

#define SETTLE_ARRAYS 9 /* its parameters: one array for each column */

/* Returns a row for each job that it settled: its place in the batch, from 0, and the microseconds since its webhook was
 * accepted.  A job without a row was not this worker's any more. */
extern const struct statement SETTLE;

/* Adds the parameters for count jobs whose outcomes are set.  now_ms: clock_ms(), which makes began_ms an age.  The
 * arrays must live until connection_send() returns. */
void settle_params(struct db_params *p, struct db_array arrays[SETTLE_ARRAYS], struct job *const *batch, int count,
	int64_t now_ms);
