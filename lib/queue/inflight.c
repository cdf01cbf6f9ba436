/* inflight.c - a hash table of jobs by id and identity, hashed by the id and chained through the jobs themselves.
 *
 * Adding needs no memory, so a claimed job can always be recorded.  The table never grows: its size is chosen once, for
 * the slots of the worker, which bound the jobs in flight. */

#include "queue/inflight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool inflight_init(struct inflight *inflight, int expected)
{
	size_t buckets = 64;
	while (buckets < (size_t)expected)
		buckets *= 2;
	*inflight = (struct inflight){.buckets = calloc(buckets, sizeof(struct job *)), .mask = buckets - 1};
	return inflight->buckets != NULL;
}

void inflight_finish(struct inflight *inflight)
{
	free(inflight->buckets);
	*inflight = (struct inflight){0};
}

static struct job **bucket_of(const struct inflight *inflight, int64_t id)
{
	return &inflight->buckets[(size_t)id & inflight->mask];
}

struct job *inflight_find(const struct inflight *inflight, const struct job *row)
{
	struct job *j = *bucket_of(inflight, row->id);
	while (j && (j->id != row->id || strcmp(j->transaction_id, row->transaction_id) != 0 ||
			    strcmp(j->source, row->source) != 0))
		j = j->same_bucket;
	return j;
}

void inflight_add(struct inflight *inflight, struct job *j)
{
	struct job **bucket = bucket_of(inflight, j->id);
	j->same_bucket = *bucket;
	*bucket = j;
	inflight->count++;
	inflight->body_bytes += j->body_len;
}

void inflight_remove(struct inflight *inflight, struct job *j)
{
	struct job **at = bucket_of(inflight, j->id);
	while (*at != j) {
		assert(*at != NULL);
		at = &(*at)->same_bucket;
	}
	*at = j->same_bucket;
	inflight->count--;
	inflight->body_bytes -= j->body_len;
}

void inflight_each(struct inflight *inflight, void (*visit)(void *ctx, struct job *j), void *ctx)
{
	for (size_t i = 0; inflight->buckets && i <= inflight->mask; i++) {
		for (struct job *j = inflight->buckets[i], *following; j; j = following) {
			following = j->same_bucket;
			visit(ctx, j);
		}
	}
}
