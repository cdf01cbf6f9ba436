#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* Which events a reader by time has had, for as long as it may read them again.
 *
 * Transactions become visible in the order of their commits, and have the times of their beginnings: an event may appear
 * behind one that is later.  So the reader goes back by SEEN_OVERLAP_US each time, and leaves out what it has had.  Events
 * are kept as hashes of 64 bits, in two tables; the older one is dropped when the newest event is SEEN_OVERLAP_US behind it. */

#define SEEN_OVERLAP_US (INT64_C(10) * 1000 * 1000)

struct seen_table {
	uint64_t *slot; /* 0: free */
	size_t cap, count;
};

struct seen {
	struct seen_table recent, before;
	int64_t since_us; /* time of the newest event when recent began */
};

/* Adds an event, by its time and a text that identifies it.  *is_new: it was not there.  Returns false, and changes
 * nothing, if there is no memory. */
MUST_USE bool seen_add(struct seen *s, int64_t time_us, const char *text, size_t len, bool *is_new);

/* Frees the memory; the struct is empty then. */
void seen_finish(struct seen *s);
