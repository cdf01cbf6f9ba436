/* inflight.c - a hash table of jobs by id, chained through the jobs themselves. */

#include "queue/inflight.h"

#include <assert.h>
#include <stdlib.h>

bool inflight_init(struct inflight *h, int expected)
{
	size_t buckets = 64;
	while (buckets < (size_t)expected)
		buckets *= 2;
	*h = (struct inflight){.buckets = calloc(buckets, sizeof(struct job *)), .mask = buckets - 1};
	return h->buckets != NULL;
}

void inflight_finish(struct inflight *h)
{
	free(h->buckets);
	*h = (struct inflight){0};
}

static struct job **bucket_of(const struct inflight *h, int64_t id)
{
	return &h->buckets[(size_t)id & h->mask];
}

struct job *inflight_find(const struct inflight *h, int64_t id)
{
	struct job *j = *bucket_of(h, id);
	while (j && j->id != id)
		j = j->same_bucket;
	return j;
}

void inflight_add(struct inflight *h, struct job *j)
{
	struct job **bucket = bucket_of(h, j->id);
	j->same_bucket = *bucket;
	*bucket = j;
	h->count++;
}

void inflight_remove(struct inflight *h, struct job *j)
{
	struct job **at = bucket_of(h, j->id);
	while (*at != j) {
		assert(*at != NULL);
		at = &(*at)->same_bucket;
	}
	*at = j->same_bucket;
	h->count--;
}

void inflight_each(struct inflight *h, void (*visit)(void *ctx, struct job *j), void *ctx)
{
	for (size_t i = 0; h->buckets && i <= h->mask; i++) {
		for (struct job *j = h->buckets[i], *following; j; j = following) {
			following = j->same_bucket;
			visit(ctx, j);
		}
	}
}
