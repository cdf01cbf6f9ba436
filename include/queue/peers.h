#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* The heartbeats of the other workers as this worker has observed them, and the decision which of them are dead.
 *
 * Only the observer's clock counts.  A heartbeat is a value that must change; the time that it represents is not
 * compared with any clock, so the clocks of two machines may differ.
 *
 * Time counts only while the observer looks without a break.  During a break (its connection was lost, the database was
 * unreachable, the process was stopped by a signal) it cannot know whether the others were alive, so its observation
 * begins anew.  An outage of the database therefore makes no worker dead. */

#define PEER_DEAD_MS 20000 /* a heartbeat unchanged for so long: the worker is dead; four heartbeats */
#define PEER_GAP_MS 6000   /* between two looks; a longer gap is a break */

struct peer {
	int64_t owner;    /* the worker's number */
	int64_t beat;     /* its last heartbeat, in microseconds of the database's clock */
	int in_flight;    /* jobs, as the last heartbeat reported them */
	int64_t since_ms; /* clock_ms() of this observer when it first saw that value */
};

/* All zero: nothing observed. */
struct peers {
	struct peer *list; /* ascending by owner */
	int count;
	int capacity;
	int64_t looked_ms; /* clock_ms() of the last look; 0: none since the last break */
	/* Of the look under way: the list of the look before, and the position reached in it. */
	struct peer *old;
	int old_count, old_capacity, old_next;
};

void peers_finish(struct peers *p);

/* Records a break: every observation begins anew. */
void peers_forget(struct peers *p);

/* Begins a look; peers_see() follows for each worker, ascending by owner.  A worker without such a call is
 * forgotten. */
void peers_begin(struct peers *p, int64_t now_ms);

/* Returns false if out of memory; this worker is then not observed. */
bool peers_see(struct peers *p, int64_t owner, int64_t beat, int in_flight, int64_t now_ms);

/* Returns a worker whose heartbeat has been unchanged for PEER_DEAD_MS, or NULL; valid until the next call that changes
 * *p. */
const struct peer *peers_dead(const struct peers *p, int64_t now_ms);

/* Forgets a worker whose death was handled.  If it is seen again, its observation begins anew. */
void peers_remove(struct peers *p, int64_t owner);
