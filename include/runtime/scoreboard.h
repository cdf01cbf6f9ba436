#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "runtime/metric.h"

/* The cells of a program's processes on one host, in a file that they share: what one of them is asked, all have
 * counted.
 *
 * Each process has a slot, held by a lock that ends with the process, however that ends.  Who gets a dead one's slot goes
 * on counting from its numbers: so sums never fall when processes come and go, and nothing has to be moved. */

#define SCOREBOARD_SLOTS 128 /* processes that live at a time */

struct scoreboard;

/* Takes a slot of the folder's file for this program and table.  A process opens one page once. */
MUST_USE bool scoreboard_open(
	const char *folder, const char *program, const struct metrics *m, struct scoreboard **ret, struct fault *f);
void scoreboard_close(struct scoreboard *p);

/* The slot's cells, to be written by us alone. */
_Atomic int64_t *scoreboard_cells(const struct scoreboard *p);

/* The sum of each cell: counters and histograms of all who ever counted here, gauges of those who live.  Returns how
 * many live. */
int scoreboard_sum(const struct scoreboard *p, int64_t *ret);
