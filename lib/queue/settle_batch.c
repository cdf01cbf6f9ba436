/* settle_batch.c - what is settled together. */

#include "queue/settle_batch.h"

void settle_batch_init(struct settle_batch *r)
{
	*r = (struct settle_batch){0};
	STAILQ_INIT(&r->waiting);
	STAILQ_INIT(&r->refused);
}

void settle_batch_add(struct settle_batch *r, struct job *j)
{
	j->alone = false;
	STAILQ_INSERT_TAIL(&r->waiting, j, next);
	r->waiting_count++;
}

void settle_batch_fill(struct settle_batch *r)
{
	struct job *j;
	bool full = r->batch_count > 0;
	while (!full && (j = STAILQ_FIRST(&r->waiting))) {
		if (j->alone && r->batch_count > 0)
			return;
		STAILQ_REMOVE_HEAD(&r->waiting, next);
		r->waiting_count--;
		j->settled = false;
		r->batch[r->batch_count++] = j;
		full = j->alone || r->batch_count == SETTLE_BATCH_BATCH_MAX;
	}
}

enum settled settle_batch_end(const struct settle_batch *r, const struct job *j)
{
	if (j->settled)
		return SETTLED_NOW;
	return r->batch_unknown ? SETTLED_UNKNOWN : SETTLED_STALE;
}

void settle_batch_clear(struct settle_batch *r)
{
	r->batch_count = 0;
	r->batch_unknown = false;
}

void settle_batch_refuse(struct settle_batch *r)
{
	if (r->batch_count == 1) {
		STAILQ_INSERT_TAIL(&r->refused, r->batch[0], next);
		settle_batch_clear(r);
		return;
	}
	while (r->batch_count > 0) {
		struct job *j = r->batch[--r->batch_count];
		j->alone = true;
		STAILQ_INSERT_HEAD(&r->waiting, j, next);
		r->waiting_count++;
	}
	settle_batch_clear(r);
}

void settle_batch_retry(struct settle_batch *r)
{
	struct job *j;
	while ((j = STAILQ_FIRST(&r->refused))) {
		STAILQ_REMOVE_HEAD(&r->refused, next);
		settle_batch_add(r, j);
		j->alone = true;
	}
}
