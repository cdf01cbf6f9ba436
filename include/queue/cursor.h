#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The cursor of a worker: the id after which its next look for jobs begins.  A look is one claim.
 *
 * Jobs are claimed in the order of their ids, so the next look begins after the highest id claimed.  The rows before it
 * are dead, and a look from 0 would walk through them.  The cursor is a hint: losing it costs that walk and no job.
 *
 * Ids commit out of order: a job may become visible before the cursor after the cursor has passed its id.  Therefore
 * every CURSOR_TICK_MS a look begins where the cursor stood about 5 s ago, since an accepting statement takes 3 s at
 * most.  About every 10 s a look begins at 0.  These looks also find jobs whose notification was lost; there is no
 * other poll. */

#define CURSOR_TICK_MS 500 /* from one tick to the next, on average */
#define CURSOR_BEHIND 10   /* ticks: how old the position is at which a look for late commits begins */
#define CURSOR_SWEEP 20    /* ticks from one look at the whole queue to the next */

/* All zero: at the beginning of the queue. */
struct cursor {
	int64_t last;                /* the highest id claimed */
	int64_t past[CURSOR_BEHIND]; /* a ring: last, as it was at each of the latest ticks */
	unsigned ticks;              /* since the start */
	bool wanted;                 /* a look is wanted: there may be ready jobs after from */
	int64_t from;                /* the next look begins after this id */
	int64_t looked;              /* the last look began after this id */
};

/* Asks for a look: from the cursor, after this id, or from 0.  Of several requests the lowest id counts. */
void cursor_want(struct cursor *c);
void cursor_want_from(struct cursor *c, int64_t id);
void cursor_want_all(struct cursor *c);

/* Back to the beginning, with a look from 0: on a new connection, behind which a standby may have been promoted that
 * lacks the last ids and assigns them again. */
void cursor_restart(struct cursor *c);

/* Begins a look and returns the id after which it claims.  Requests made until now are fulfilled by it. */
int64_t cursor_look(struct cursor *c);

/* Ends a look that claimed ids up to highest, which is the look's beginning if it claimed none.  full: it claimed as many
 * jobs as its limit allowed, so there may be more, and another look is wanted. */
void cursor_found(struct cursor *c, int64_t highest, bool full);

/* To be called every CURSOR_TICK_MS: asks for a look at late commits, or at the whole queue. */
void cursor_tick(struct cursor *c);
