/* settle_batch.c - which jobs are settled together.
 *
 * A job is in one place: waiting, in the batch, or put aside.  It leaves only by a result from the server, so no
 * outcome of a call is lost while this process lives.  No database is needed here; queue.c sends the batches. */

#include "queue/settle_batch.h"

void settle_batch_init(struct settle_batch *b)
{
	*b = (struct settle_batch){0};
	STAILQ_INIT(&b->waiting);
	STAILQ_INIT(&b->refused);
}

void settle_batch_add(struct settle_batch *b, struct job *j)
{
	j->alone = false;
	STAILQ_INSERT_TAIL(&b->waiting, j, next);
	b->waiting_count++;
}

void settle_batch_fill(struct settle_batch *b)
{
	struct job *j;
	bool full = b->batch_count > 0;
	while (!full && (j = STAILQ_FIRST(&b->waiting))) {
		if (j->alone && b->batch_count > 0)
			return;
		STAILQ_REMOVE_HEAD(&b->waiting, next);
		b->waiting_count--;
		j->settled = false;
		b->batch[b->batch_count++] = j;
		full = j->alone || b->batch_count == SETTLE_BATCH_MAX;
	}
}

enum settled settle_batch_end(const struct settle_batch *b, const struct job *j)
{
	if (j->settled)
		return SETTLED_NOW;
	return b->batch_unknown ? SETTLED_UNKNOWN : SETTLED_STALE;
}

void settle_batch_clear(struct settle_batch *b)
{
	b->batch_count = 0;
	b->batch_unknown = false;
}

void settle_batch_refuse(struct settle_batch *b)
{
	if (b->batch_count == 1) {
		STAILQ_INSERT_TAIL(&b->refused, b->batch[0], next);
		settle_batch_clear(b);
		return;
	}
	/* From the last to the first, each to the head: the order stays. */
	while (b->batch_count > 0) {
		struct job *j = b->batch[--b->batch_count];
		j->alone = true;
		STAILQ_INSERT_HEAD(&b->waiting, j, next);
		b->waiting_count++;
	}
	settle_batch_clear(b);
}

void settle_batch_retry(struct settle_batch *b)
{
	struct job *j;
	while ((j = STAILQ_FIRST(&b->refused))) {
		STAILQ_REMOVE_HEAD(&b->refused, next);
		settle_batch_add(b, j);
		j->alone = true;
	}
}
