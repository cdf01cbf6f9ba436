/* held.c - a hash table of jobs by id, chained through the jobs themselves. */

#include "queue/held.h"

#include <assert.h>
#include <stdlib.h>

bool held_init(struct held *h, int expected)
{
	size_t buckets = 64;
	while (buckets < (size_t)expected)
		buckets *= 2;
	*h = (struct held){.buckets = calloc(buckets, sizeof(struct job *)), .mask = buckets - 1};
	return h->buckets != NULL;
}

void held_finish(struct held *h)
{
	free(h->buckets);
	*h = (struct held){0};
}

static struct job **bucket_of(const struct held *h, int64_t id)
{
	return &h->buckets[(size_t)id & h->mask];
}

struct job *held_find(const struct held *h, int64_t id)
{
	struct job *j = *bucket_of(h, id);
	while (j && j->id != id)
		j = j->same_bucket;
	return j;
}

void held_add(struct held *h, struct job *j)
{
	struct job **bucket = bucket_of(h, j->id);
	j->same_bucket = *bucket;
	*bucket = j;
	h->count++;
}

void held_remove(struct held *h, struct job *j)
{
	struct job **at = bucket_of(h, j->id);
	while (*at != j) {
		assert(*at != NULL);
		at = &(*at)->same_bucket;
	}
	*at = j->same_bucket;
	h->count--;
}

void held_each(struct held *h, void (*visit)(void *ctx, struct job *j), void *ctx)
{
	for (size_t i = 0; h->buckets && i <= h->mask; i++) {
		for (struct job *j = h->buckets[i], *following; j; j = following) {
			following = j->same_bucket;
			visit(ctx, j);
		}
	}
}
