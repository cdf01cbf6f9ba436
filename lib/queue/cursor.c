/* cursor.c - where the next look for jobs begins: the lowest id that was asked for, and a ring with the positions of
 * the cursor at the last ticks.
 *
 * Nothing is stored in the database: a new worker begins at 0.  A wrong position delays a job at most until the next
 * look from 0 (CURSOR_SWEEP). */

#include "queue/cursor.h"

void cursor_want_from(struct cursor *c, int64_t id)
{
	if (!c->wanted || id < c->from)
		c->from = id;
	c->wanted = true;
}

void cursor_want(struct cursor *c)
{
	cursor_want_from(c, c->last);
}

void cursor_want_all(struct cursor *c)
{
	cursor_want_from(c, 0);
}

void cursor_restart(struct cursor *c)
{
	*c = (struct cursor){.ticks = c->ticks};
	cursor_want_all(c);
}

int64_t cursor_look(struct cursor *c)
{
	c->wanted = false;
	c->looked = c->from;
	return c->from;
}

/* A pooler may change servers behind a connection that stands, so a whole look may lower the cursor too: had a job with
 * a higher id been ready, it would have been found. */
void cursor_found(struct cursor *c, int64_t highest, bool full)
{
	bool whole = c->looked == 0 && highest > 0 && !full;
	if (highest > c->last || whole)
		c->last = highest;
	if (full)
		cursor_want_from(c, highest);
}

void cursor_tick(struct cursor *c)
{
	/* The oldest entry of the ring is the position of the cursor CURSOR_BEHIND ticks ago.  The current position
	 * replaces it. */
	int64_t *oldest = &c->past[c->ticks % CURSOR_BEHIND];
	int64_t behind = *oldest;
	*oldest = c->last;
	c->ticks++;
	if (c->ticks % CURSOR_SWEEP == 0)
		cursor_want_all(c);
	else
		cursor_want_from(c, behind);
}
