/* seen.c - two tables of hashes, by open addressing.
 *
 * An event that the reader may meet again was added after the recent table began, or after the one before it did: between
 * the two beginnings are more than SEEN_OVERLAP_US of the events' own times. */

#include "seen.h"

#include <stdlib.h>

#include "base/keyed_hash.h"

#define CAP_MIN 1024

/* The slot of a hash, or the free one where it would be.  The table has free ones. */
static uint64_t *slot_of(const struct seen_table *t, uint64_t hash)
{
	size_t at = (size_t)hash & (t->cap - 1);
	while (t->slot[at] && t->slot[at] != hash)
		at = (at + 1) & (t->cap - 1);
	return &t->slot[at];
}

static bool has(const struct seen_table *t, uint64_t hash)
{
	return t->cap > 0 && *slot_of(t, hash) == hash;
}

/* Half of the slots stay free. */
static bool grow(struct seen_table *t)
{
	struct seen_table larger = {.cap = t->cap ? 2 * t->cap : CAP_MIN, .count = t->count};
	if (2 * t->count < t->cap)
		return true;
	larger.slot = calloc(larger.cap, sizeof *larger.slot);
	if (!larger.slot)
		return false;
	for (size_t i = 0; i < t->cap; i++) {
		if (t->slot[i])
			*slot_of(&larger, t->slot[i]) = t->slot[i];
	}
	free(t->slot);
	*t = larger;
	return true;
}

/* Begins a new table, if what the one before has is not read again. */
static void turn(struct seen *s, int64_t time_us)
{
	if (time_us - s->since_us <= SEEN_OVERLAP_US)
		return;
	free(s->before.slot);
	s->before = s->recent;
	s->recent = (struct seen_table){0};
	s->since_us = time_us;
}

bool seen_add(struct seen *s, int64_t time_us, const char *text, size_t len, bool *is_new)
{
	uint64_t hash = keyed_hash((uint64_t)time_us, text, len);
	hash += hash == 0;
	turn(s, time_us);
	if (has(&s->recent, hash) || has(&s->before, hash)) {
		*is_new = false;
		return true;
	}
	if (!grow(&s->recent))
		return false;
	*slot_of(&s->recent, hash) = hash;
	s->recent.count++;
	*is_new = true;
	return true;
}

void seen_finish(struct seen *s)
{
	free(s->recent.slot);
	free(s->before.slot);
	*s = (struct seen){0};
}
