#pragma once

#include <stdbool.h>

#include "queue/inflight.h"

/* Jobs whose calls have ended, and the batches in which they are settled.
 *
 * A batch stays until it is known what became of it: after a lost answer the same one is sent again.  When the server
 * refuses a batch for the data of one job, each of it goes alone; who is refused alone is put aside and tried again
 * later.  Its call was made, so it is kept, and not given to another call. */

#define SETTLE_BATCH_BATCH_MAX 1000

enum settled {
	SETTLED_NOW,   /* what came of its call is on record */
	SETTLED_STALE, /* it is not ours any more; nothing was changed */
	SETTLED_UNKNOWN, /* it was gone at a second try, after a first whose answer was lost: most likely settled by that */
};

struct settle_batch {
	struct job_list waiting;
	int waiting_count;
	struct job *batch[SETTLE_BATCH_BATCH_MAX]; /* of the settlement under way, or to be sent again */
	int batch_count;
	bool batch_unknown; /* it was sent before, and the answer was lost */
	struct job_list refused;
};

void settle_batch_init(struct settle_batch *r);
void settle_batch_add(struct settle_batch *r, struct job *j);

/* Makes a batch of those that wait, unless there is one. */
void settle_batch_fill(struct settle_batch *r);

/* What became of a member of the batch, after job.settled was set for each that the server named. */
enum settled settle_batch_end(const struct settle_batch *r, const struct job *j);

/* Everyone of the batch has been told. */
void settle_batch_clear(struct settle_batch *r);

/* The server refused the batch for the data of one. */
void settle_batch_refuse(struct settle_batch *r);

/* Those put aside wait again. */
void settle_batch_retry(struct settle_batch *r);
