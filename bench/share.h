#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/base.h"
#include "base/fault.h"

/* Which processes used the processor during a part of the bench, by /proc (proc(5)).
 *
 * A rate means little if other programs ran beside it, or if the host of a virtual machine gave its cores to others.
 * Threads of the kernel count for nobody: they write for PostgreSQL as well as for others. */

/* Parts of all cores during the whole time, from 0 to 1. */
struct shares {
	double load;    /* the bench itself, which sends the requests */
	double own;     /* what it has started */
	double foreign; /* processes that are neither the bench nor started by it */
	double stolen;  /* by the host, for other virtual machines */
};

struct share_process;

/* The processor time of all processes at one moment.  All zero: nothing read. */
struct share_reading {
	int64_t at_ns;
	double load_s, stolen_s;
	struct share_process *list;
	int count;
};

MUST_USE bool share_read(struct share_reading *ret, struct fault *f);
void share_finish(struct share_reading *r);

/* The shares of the time from one reading to a later one.  roots: processes that, with all their descendants, are the
 * bench's own, beside itself.  A process that began and ended meanwhile counts as its parent's. */
struct shares share_between(
	const struct share_reading *from, const struct share_reading *to, const pid_t *roots, int root_count);
