#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"
#include "queue/inflight.h"
#include "queue/settle_batch.h"

/* The queue as a worker uses it: jobs are claimed, and later settled, on one connection of its own.
 *
 * Nothing is held open in the database while a job is processed: a claim commits at once, and what says whose a job is
 * are its id, fresh at every enqueue, and its owner.  Only who still matches both settles it.  A job is delivered at
 * least once, and settled once. */

#define QUEUE_CLAIM_MAX 1000    /* jobs of one claim, so that no worker takes all */
#define QUEUE_SETTLE_SOON 200   /* results that are worth a settlement at once */
#define QUEUE_SETTLE_MS 10      /* after a settlement, how long fewer wait for more; a lone result does not wait */
#define QUEUE_RELEASE_MAX 50000 /* jobs of one release */
#define QUEUE_AGAIN_MS 10000    /* after a release: the next, for the claim of a cut connection that commits late */

/* What one settlement came to. */
struct settlement {
	int now, stale, unknown;
};

/* Whom a queue asks and tells, from the event loop. */
struct queue_events {
	void (*up)(void *ctx);
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost */
	void (*trouble)(
		void *ctx, const char *doing, const struct fault *f); /* the server refused; it is tried again */

	/* How many more jobs may be claimed now; whether to claim at all is decided here.  queue_look() when it grows. */
	int (*room)(void *ctx);
	/* A job was claimed.  Its texts are borrowed for the call.  Returns a copy that lives until it is told the end,
	 * or NULL to refuse it: it is released, and the attempt does not count. */
	struct job *(*claimed)(void *ctx, const struct job *row);
	/* The end of a job that queue_settle() was called for; its memory is the callee's again. */
	void (*ended)(void *ctx, struct job *j, enum settled how);
	void (*settlement)(void *ctx, const struct settlement *s); /* after every ended() of it */
	/* Jobs that were ours and not held are free again; all: there are no more of them. */
	void (*released)(void *ctx, int64_t jobs, bool all);
};

/* Since the start. */
struct queue_counters {
	int64_t claimed;
	int64_t late; /* of them, those that a look behind the cursor found */
	int64_t settled, stale, unknown;
	int64_t released;
};

/* How what is ours and not held is freed; a test runs it by itself. */
extern const struct statement QUEUE_RELEASE;

struct queue;

/* slots: about how many jobs will be held; whole: their transactions are fetched too.  NULL: out of memory. */
MUST_USE struct queue *queue_create(
	struct connect_state *connect_state, int slots, bool whole, const struct queue_events *events, void *ctx);
void queue_destroy(struct queue *q);

/* The number to claim under from now on; 0: none, claim nothing.  What is held under another stays so. */
void queue_own(struct queue *q, int64_t owner);

/* There may be work, or there is room again. */
void queue_look(struct queue *q);

/* The job's call has ended, and its end is set: it is put on record, with others. */
void queue_settle(struct queue *q, struct job *j);

/* Forgets a job that queue_settle() was not called for; its memory is the caller's again.  It stays ours in the
 * database until the next release. */
void queue_drop(struct queue *q, struct job *j);

/* Frees what is owned by us and not held: at once, before the next claim. */
void queue_release(struct queue *q);

/* The jobs held, those that wait for their settlement included. */
const struct inflight *queue_inflight(const struct queue *q);
void queue_each(struct queue *q, void (*visit)(void *ctx, struct job *j), void *ctx);

const struct queue_counters *queue_counters(const struct queue *q);
