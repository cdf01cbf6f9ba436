#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "runtime/metric.h"

/* Metric cells of all processes of a program on one host, in a file that they share.  A scrape that reaches any of
 * the processes returns the numbers of all.
 *
 * Each process owns a slot of the file through a lock that the kernel releases when the process ends, however it
 * ends.  A process that takes over the slot of a dead one continues its counters.  So sums never fall when processes
 * come and go, and nothing is ever moved or cleaned up.
 *
 * Of a gauge with is_latest the highest of all slots counts.  Other gauges are summed too.  A process in which a gauge is METRIC_ABSENT adds nothing to it; the sum is METRIC_ABSENT if
 * it is absent in every live process. */

#define SCOREBOARD_SLOTS 128 /* live processes at a time */

struct scoreboard;

/* Opens the file of this program and table in the folder, creates it if necessary, and takes a free slot.  *m must
 * outlive the scoreboard.  A process must not open the same scoreboard twice, since every slot taken counts as one live
 * process.  Faults: FAULT_INPUT if the path is too long, else FAULT_BUSY: the file cannot be created or mapped, all
 * slots are taken, or memory is exhausted. */
MUST_USE bool scoreboard_open(
	const char *folder, const char *program, const struct metrics *m, struct scoreboard **ret, struct fault *f);

/* Releases the slot; its counters stay in the file. */
void scoreboard_close(struct scoreboard *sb);

/* The cells of the own slot, which only this process writes; valid until scoreboard_close(). */
_Atomic int64_t *scoreboard_cells(const struct scoreboard *sb);

/* Sums each cell into ret, which has room for all cells of the table: counters and histograms over all slots, gauges
 * over the slots of live processes; of a gauge with is_latest the highest of all slots.  Returns the number of live processes. */
int scoreboard_sum(const struct scoreboard *sb, int64_t *ret);
