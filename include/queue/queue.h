#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"
#include "queue/claim.h"
#include "queue/inflight.h"
#include "queue/settle_batch.h"

/* The queue as a worker uses it: jobs are claimed and later settled, on one connection of its own.
 *
 * No transaction is open in the database while a job is processed: a claim commits at once.  A job still belongs to
 * this worker if the id, which is new at every enqueue, its transaction and the owner are unchanged.  A settlement
 * changes only jobs that match all of them.  The processor is called at least once for each job, and a job is settled once. */

#define QUEUE_CLAIM_MAX 1000  /* jobs of one claim, so that one worker does not take the whole queue */
#define QUEUE_SETTLE_SOON 200 /* jobs waiting for settlement that are settled at once */
#define QUEUE_SETTLE_MS 10    /* fewer are settled this long after the settlement before, or at once if that is over */
#define QUEUE_RELEASE_MAX 50000 /* jobs of one release; the next one releases the rest */
#define QUEUE_AGAIN_MS 10000    /* from a release to a second one, for a lost claim that the server commits late */

/* How many jobs of one settlement have each result of enum settled. */
struct settlement {
	int now, stale, unknown;
};

/* Callbacks, all from the event loop. */
struct queue_events {
	void (*up)(void *ctx);                            /* connected */
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost */
	/* The server rejected a statement; doing names its purpose.  It is sent again. */
	void (*trouble)(void *ctx, const char *doing, const struct fault *f);

	/* Returns how many more jobs may be claimed now; 0 or less: none.  Call queue_look() when the number grows. */
	int (*room)(void *ctx);
	/* A job was claimed.  The texts of row are borrowed for the call.  Returns a copy that lives until ended() or
	 * queue_drop(), or NULL to decline the job: it is then released, and the attempt does not count. */
	struct job *(*claimed)(void *ctx, const struct job *row);
	/* The settlement of j has its result; the memory of j is the worker's again. */
	void (*ended)(void *ctx, struct job *j, enum settled how);
	/* Follows the last ended() of a settlement. */
	void (*settlement)(void *ctx, const struct settlement *s);
	/* A release has freed this many jobs.  all: there are no more to release. */
	void (*released)(void *ctx, int64_t jobs, bool all);
};

/* Jobs since the start. */
struct queue_counters {
	int64_t claimed;
	int64_t late;                    /* of these, jobs with an id at or before the cursor */
	int64_t settled, stale, unknown; /* by enum settled */
	int64_t released;
};

struct queue;

/* slots: about how many jobs will be in flight.  form: what a claim fetches.  connect_state, events and ctx must
 * outlive the queue.  Returns NULL if out of memory. */
MUST_USE struct queue *queue_create(struct connect_state *connect_state, int slots, enum claim_form form,
	const struct queue_events *events, void *ctx);

/* Accepts NULL.  Calls no callback: the caller frees the jobs in flight, by queue_each(), before. */
void queue_destroy(struct queue *q);

/* Sets the number under which jobs are claimed from now on; 0: none are claimed.  Jobs in flight keep their number. */
void queue_own(struct queue *q, int64_t owner);

/* Asks for a claim: there may be ready jobs, or room() has grown. */
void queue_look(struct queue *q);

/* To be called when the call of j has ended and its outcome is set.  j is settled together with other jobs, and ended()
 * is called with the result. */
void queue_settle(struct queue *q, struct job *j);

/* Removes from the jobs in flight a job that queue_settle() was not called for; its memory is the caller's again.  In
 * the database it keeps its owner until the next release. */
void queue_drop(struct queue *q, struct job *j);

/* Asks for a release: the statement RELEASE is sent before the next claim, and released() is called with its
 * result. */
void queue_release(struct queue *q);

/* The jobs in flight, including those that wait for their settlement.  queue_each() is inflight_each() over them. */
const struct inflight *queue_inflight(const struct queue *q);
void queue_each(struct queue *q, void (*visit)(void *ctx, struct job *j), void *ctx);

const struct queue_counters *queue_counters(const struct queue *q);
