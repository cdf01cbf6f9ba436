/* results.c - what is settled together. */

#include "queue/results.h"

void results_init(struct results *r)
{
	*r = (struct results){0};
	STAILQ_INIT(&r->waiting);
	STAILQ_INIT(&r->refused);
}

void results_add(struct results *r, struct job *j)
{
	j->alone = false;
	STAILQ_INSERT_TAIL(&r->waiting, j, next);
	r->waiting_count++;
}

void results_fill(struct results *r)
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
		full = j->alone || r->batch_count == RESULTS_BATCH_MAX;
	}
}

enum settled results_end(const struct results *r, const struct job *j)
{
	if (j->settled)
		return SETTLED_NOW;
	return r->batch_doubt ? SETTLED_DOUBT : SETTLED_STALE;
}

void results_clear(struct results *r)
{
	r->batch_count = 0;
	r->batch_doubt = false;
}

void results_refuse(struct results *r)
{
	if (r->batch_count == 1) {
		STAILQ_INSERT_TAIL(&r->refused, r->batch[0], next);
		results_clear(r);
		return;
	}
	while (r->batch_count > 0) {
		struct job *j = r->batch[--r->batch_count];
		j->alone = true;
		STAILQ_INSERT_HEAD(&r->waiting, j, next);
		r->waiting_count++;
	}
	results_clear(r);
}

void results_retry(struct results *r)
{
	struct job *j;
	while ((j = STAILQ_FIRST(&r->refused))) {
		STAILQ_REMOVE_HEAD(&r->refused, next);
		results_add(r, j);
		j->alone = true;
	}
}
