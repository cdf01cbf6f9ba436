#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Where in the queue to look for work next.
 *
 * Jobs are claimed in the order of their ids, so the last id claimed is where the next look begins: what lies before
 * it are dead rows, which a look from 0 would walk through.  It is a hint, and losing it costs only that walk.
 *
 * Ids commit out of order: a job may appear before the cursor after the cursor has passed.  So every CURSOR_TICK_MS
 * the look begins where the cursor stood 5 s ago (an accepting statement lives 3 s at most), and every 10 s at 0.
 * These looks also find what nobody notified of: there is no other poll. */

#define CURSOR_TICK_MS 500
#define CURSOR_BEHIND 10 /* ticks: how old the place is where a latecomers' look begins */
#define CURSOR_SWEEP 20  /* ticks from one look at everything to the next */

/* All zero: at the beginning. */
struct cursor {
	int64_t last; /* the highest id claimed */
	int64_t past[CURSOR_BEHIND];
	unsigned ticks;
	bool wanted;  /* there may be work after from */
	int64_t from; /* the next look begins after this id */
};

/* Look again: from the cursor on; after that id; at everything.  The earliest place that was asked for counts. */
void cursor_want(struct cursor *c);
void cursor_want_from(struct cursor *c, int64_t id);
void cursor_want_all(struct cursor *c);

/* A look begins: returns the id after which. */
int64_t cursor_look(struct cursor *c);

/* The look that began at from claimed as far as highest; full: as many as it might, so there may be more. */
void cursor_found(struct cursor *c, int64_t highest, bool full);

/* CURSOR_TICK_MS have passed: latecomers are looked for, or everything. */
void cursor_tick(struct cursor *c);
