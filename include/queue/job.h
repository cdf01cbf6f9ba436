#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* A claimed job, as the queue hands it to a worker and gets it back with its outcome. */

/* What came of a job's call, and so of the job. */
enum job_outcome {
	JOB_PROCESSED, /* it is done */
	JOB_RETRIED,   /* another call is made after a pause */
	JOB_FAILED,    /* no other call is made: a dead job, the transaction FAILED */
	JOB_PROBED,    /* as retried, but this call does not count: the processor is down */
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
	enum job_outcome outcome;
	int64_t began_ms;  /* clock_ms() at the beginning of the call */
	int64_t delay_ms;  /* JOB_RETRIED, JOB_PROBED: the pause */
	const char *error; /* not JOB_PROCESSED: why, a clause in UTF-8; as long as the job */

	int64_t age_us; /* since its webhook was accepted; set when it is settled */

	/* The queue's own. */
	bool settled;            /* the settlement under way has ended it */
	bool alone;              /* the server refused a settlement it was in: it goes by itself */
	struct job *same_bucket; /* inflight.c's */
	STAILQ_ENTRY(job) next;  /* of those that wait for their settlement */
};

STAILQ_HEAD(job_list, job);
