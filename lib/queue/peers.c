/* peers.c - the observation of other workers: each look merges the list of the previous look with the rows just read.
 *
 * Both are sorted by owner, so a look costs one pass.  A worker found dead here is only suspected to be dead.  The
 * statement RESCUE_DEAD in rescue.c decides: it deletes the worker's row only if the heartbeat in it is still
 * the one that was observed. */

#include "queue/peers.h"

#include <stdlib.h>
#include <string.h>

void peers_finish(struct peers *p)
{
	free(p->list);
	free(p->old);
	*p = (struct peers){0};
}

void peers_forget(struct peers *p)
{
	p->count = 0;
	p->old_count = 0;
	p->looked_ms = 0;
}

/* The current list becomes the old one, and the memory of the old one is used for the new list. */
void peers_begin(struct peers *p, int64_t now_ms)
{
	if (p->looked_ms && now_ms - p->looked_ms > PEER_GAP_MS)
		peers_forget(p);
	struct peer *memory = p->old;
	int capacity = p->old_capacity;
	p->old = p->list;
	p->old_count = p->count;
	p->old_capacity = p->capacity;
	p->old_next = 0;
	p->list = memory;
	p->count = 0;
	p->capacity = capacity;
	p->looked_ms = now_ms;
}

static bool make_room(struct peers *p)
{
	if (p->count < p->capacity)
		return true;
	int capacity = p->capacity ? p->capacity * 2 : 16;
	struct peer *list = realloc(p->list, (size_t)capacity * sizeof *list);
	if (!list)
		return false;
	p->list = list;
	p->capacity = capacity;
	return true;
}

bool peers_see(struct peers *p, int64_t owner, int64_t beat, int in_flight, int64_t now_ms)
{
	while (p->old_next < p->old_count && p->old[p->old_next].owner < owner)
		p->old_next++;
	const struct peer *before = p->old_next < p->old_count ? &p->old[p->old_next] : NULL;
	bool unchanged = before && before->owner == owner && before->beat == beat;
	if (!make_room(p))
		return false;
	p->list[p->count++] = (struct peer){owner, beat, in_flight, unchanged ? before->since_ms : now_ms};
	return true;
}

const struct peer *peers_dead(const struct peers *p, int64_t now_ms)
{
	for (int i = 0; i < p->count; i++) {
		if (now_ms - p->list[i].since_ms >= PEER_DEAD_MS)
			return &p->list[i];
	}
	return NULL;
}

void peers_remove(struct peers *p, int64_t owner)
{
	for (int i = 0; i < p->count; i++) {
		if (p->list[i].owner != owner)
			continue;
		p->count--;
		memmove(&p->list[i], &p->list[i + 1], (size_t)(p->count - i) * sizeof *p->list);
		return;
	}
}
