#pragma once

#include <stdbool.h>

#include "queue/inflight.h"

/* Jobs whose calls have ended, and the batches in which they are settled.
 *
 * A batch stays until its result is known: if the answer is lost, the same batch is sent again.  If the server rejects
 * a batch because of the data of one job, its jobs are sent one by one.  A job that is rejected alone is put aside and
 * tried again later.  It stays in flight, because its call was made: no other worker may make it again. */

#define SETTLE_BATCH_MAX 1000 /* jobs of one batch */

enum settled {
	SETTLED_NOW,   /* the outcome is recorded */
	SETTLED_STALE, /* the job was not this worker's any more; nothing was changed */
	/* The answer to the batch was lost, and when it was sent again the job was gone: most likely the first settled
	 * it. */
	SETTLED_UNKNOWN,
};

/* The jobs belong to the worker; the lists only link them. */
struct settle_batch {
	struct job_list waiting;
	int waiting_count;
	struct job *batch[SETTLE_BATCH_MAX]; /* of the settlement under way, or to be sent again */
	int batch_count;
	bool batch_unknown;      /* the batch was sent before, and the answer was lost */
	struct job_list refused; /* rejected alone, and put aside */
};

void settle_batch_init(struct settle_batch *b);

/* j waits for its settlement, behind the others. */
void settle_batch_add(struct settle_batch *b, struct job *j);

/* Forms a batch from the head of the waiting jobs, unless there is a batch already. */
void settle_batch_fill(struct settle_batch *b);

/* Returns the result of one job of the batch.  Before, the caller sets settled in each job that the server returned. */
enum settled settle_batch_end(const struct settle_batch *b, const struct job *j);

/* Empties the batch, after its jobs have their results. */
void settle_batch_clear(struct settle_batch *b);

/* The server rejected the batch because of the data of one job: a single job is put aside, several wait again and are
 * sent one by one. */
void settle_batch_refuse(struct settle_batch *b);

/* The jobs put aside wait again, each for a batch of its own. */
void settle_batch_retry(struct settle_batch *b);
