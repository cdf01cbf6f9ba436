#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* What this worker has seen of the others, and whom it takes for dead.
 *
 * Only the observer's own clock counts: a beat is a value that must change, and when it was written says nothing here.
 * Time counts only while the observer looks without a break: one that was itself away (its connection, the database,
 * the process stopped by a signal) knows nothing of the time in between, so it begins anew.  An outage of the database
 * therefore kills nobody. */

#define PEER_DEAD_MS 20000 /* a beat unchanged for so long; four beats */
#define PEER_GAP_MS 6000   /* between two looks; longer is a break */

struct peer {
	int64_t owner;
	int64_t beat;     /* when it beat last, in its database's microseconds */
	int64_t since_ms; /* when this value was first seen, by our clock */
};

/* All zero: nothing seen. */
struct peers {
	struct peer *list; /* by owner */
	int count;
	int capacity;
	int64_t looked_ms; /* the last look; 0: none without a break */
	/* The look under way. */
	struct peer *old;
	int old_count, old_capacity, old_next;
};

void peers_finish(struct peers *p);

/* A break: nothing is known any more. */
void peers_forget(struct peers *p);

/* One look: begin, see each worker in the order of their numbers.  What is not seen is gone. */
void peers_begin(struct peers *p, int64_t now_ms);

/* False: out of memory; this one is not observed. */
bool peers_see(struct peers *p, int64_t owner, int64_t beat, int64_t now_ms);

/* One whose beat has been unchanged for PEER_DEAD_MS, or NULL. */
const struct peer *peers_dead(const struct peers *p, int64_t now_ms);

/* It was dealt with: it is not named again unless it is seen anew. */
void peers_remove(struct peers *p, int64_t owner);
