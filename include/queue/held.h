#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"

/* The jobs that this process has claimed and not yet seen the end of, found by their ids.
 *
 * What the database calls ours and is not in here was claimed without our ever hearing of it, and must be freed; what
 * is claimed a second time (the server lost the first claim in a crash) is in here already and is not begun again. */

/* What came of a job's call, and so of the job. */
enum end {
	END_PROCESSED, /* it is done */
	END_RETRIED,   /* another call is made after a pause */
	END_FAILED,    /* no other call is made: a dead job, the transaction FAILED */
	END_PROBED,    /* as retried, but this call does not count: the processor is down */
};

/* A claimed job: the memory of whoever took it, until it is told the end. */
struct job {
	int64_t id;                 /* the receipt: fresh at every enqueue */
	int64_t owner;              /* the number it was claimed under */
	const char *transaction_id; /* as long as the job */
	const char *source;         /* as long as the job */
	int attempt;                /* this call's number, from 1 */
	const char *traceparent;    /* of the trace that its webhook belongs to, as long as the job; NULL: of none */

	/* Of its transaction, as long as the job; NULL: the claim did not fetch them.  The amount is a plain decimal with the
	 * digits that came in, created_at a date of RFC 3339. */
	const char *source_account, *destination_account, *amount, *currency, *created_at;

	/* Set before it is settled. */
	enum end end;
	int64_t began_ms;  /* clock_ms() at the beginning of the call */
	int64_t delay_ms;  /* END_RETRIED, END_PROBED: the pause */
	const char *error; /* not END_PROCESSED: why, a clause in UTF-8; as long as the job */

	int64_t age_us; /* since its webhook was accepted; set when it is settled */

	/* The queue's own. */
	bool settled;            /* the settlement under way has ended it */
	bool alone;              /* the server refused a settlement it was in: it goes by itself */
	struct job *same_bucket; /* held.c's */
	STAILQ_ENTRY(job) next;  /* of those that wait for their settlement */
};

STAILQ_HEAD(job_list, job);

struct held {
	struct job **buckets;
	size_t mask; /* buckets - 1; a power of two, since ids come one after the other */
	int count;
};

/* For about that many.  False: out of memory. */
MUST_USE bool held_init(struct held *h, int expected);
void held_finish(struct held *h);

/* NULL: it is not held. */
struct job *held_find(const struct held *h, int64_t id);

/* No job of the same id is held. */
void held_add(struct held *h, struct job *j);

/* It is held. */
void held_remove(struct held *h, struct job *j);

/* Visits each, in no order; the visited one may be removed. */
void held_each(struct held *h, void (*visit)(void *ctx, struct job *j), void *ctx);
