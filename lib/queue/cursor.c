/* cursor.c - where the next look for jobs begins: one wanted position, and a ring of positions of the last ticks.
 *
 * Nothing is stored: a new worker begins at 0, and a wrong position delays a job until the next sweep at most. */

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

int64_t cursor_look(struct cursor *c)
{
	c->wanted = false;
	return c->from;
}

void cursor_found(struct cursor *c, int64_t highest, bool full)
{
	if (highest > c->last)
		c->last = highest;
	if (full)
		cursor_want_from(c, highest);
}

void cursor_tick(struct cursor *c)
{
	/* The ring's oldest entry is the position CURSOR_BEHIND ticks ago; the current one takes its place. */
	int64_t *oldest = &c->past[c->ticks % CURSOR_BEHIND];
	int64_t behind = *oldest;
	*oldest = c->last;
	c->ticks++;
	if (c->ticks % CURSOR_SWEEP == 0)
		cursor_want_all(c);
	else
		cursor_want_from(c, behind);
}
