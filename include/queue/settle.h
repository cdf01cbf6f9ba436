#pragma once

#include <stdint.h>

#include "pg/db.h"
#include "queue/inflight.h"

/* The settlement of a batch of results: one fenced statement, whatever came of each. */

#define SETTLE_ARRAYS 9

/* Returns a row for each job that it settled, of those that were still ours: its id, and the microseconds since its
 * webhook was accepted. */
extern const struct statement SETTLE;

/* Its parameters, for these jobs at that time (clock_ms()).  The arrays must live as long as the parameters. */
void settle_params(struct db_params *p, struct db_array arrays[SETTLE_ARRAYS], struct job *const *batch, int count,
	int64_t now_ms);
