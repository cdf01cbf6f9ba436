#pragma once

#include <stdbool.h>

#include "held.h"

/* Jobs whose calls have ended, and the batches in which they are settled.
 *
 * A batch stays until it is known what became of it: after a lost answer the same one is sent again.  When the server
 * refuses a batch for the data of one job, each of it goes alone; who is refused alone is put aside and tried again
 * later.  Its call was made, so it is kept, and not given to another call. */

#define RESULTS_BATCH_MAX 1000

enum settled {
	SETTLED_NOW,   /* what came of its call is on record */
	SETTLED_STALE, /* it is not ours any more; nothing was changed */
	SETTLED_DOUBT, /* it was gone at a second try, after a first whose answer was lost: most likely settled by that */
};

struct results {
	struct job_list waiting;
	int waiting_count;
	struct job *batch[RESULTS_BATCH_MAX]; /* of the settlement under way, or to be sent again */
	int batch_count;
	bool batch_doubt; /* it was sent before, and the answer was lost */
	struct job_list refused;
};

void results_init(struct results *r);
void results_add(struct results *r, struct job *j);

/* Makes a batch of those that wait, unless there is one. */
void results_fill(struct results *r);

/* What became of a member of the batch, after job.settled was set for each that the server named. */
enum settled results_end(const struct results *r, const struct job *j);

/* Everyone of the batch has been told. */
void results_clear(struct results *r);

/* The server refused the batch for the data of one. */
void results_refuse(struct results *r);

/* Those put aside wait again. */
void results_retry(struct results *r);
