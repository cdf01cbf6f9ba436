#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* A claimed job, from its claim to its settlement. */

/* The result of a job's call, and so its settlement (settle.c). */
enum job_outcome {
	JOB_PROCESSED, /* the processor has processed the transaction */
	JOB_RETRIED,   /* another call is made after a pause */
	JOB_FAILED,    /* no other call is made: the job is dead, the transaction is FAILED */
	JOB_PROBED,    /* as JOB_RETRIED, but the attempt does not count, because the processor is down */
	JOB_POSTPONED, /* as JOB_RETRIED, but the attempt does not count, because the cause is on our side */
	JOB_UNKNOWN,   /* the call was cut off and may have reached the processor: ready at once, the attempt counts */
	JOB_EXHAUSTED, /* as JOB_FAILED, but no call was made: the attempts were used up when the job was claimed */
};

/* The worker allocates it in queue_events.claimed() and keeps it until queue_events.ended() or queue_drop().  Every
 * text lives as long as the job. */
struct job {
	int64_t id;    /* fresh at every enqueue; together with owner the proof that the job is still ours */
	int64_t owner; /* the number of the worker under which it was claimed */
	const char *transaction_id; /* with source: the identity of the transaction */
	const char *source;
	int attempt;             /* the number of this call, from 1 */
	const char *traceparent; /* W3C traceparent of the webhook; NULL: it had none */
	bool has_lane;           /* the jobs of its payment are processed one at a time, in the order of arrival */
	int64_t lane;            /* if has_lane */

	/* The transaction.  created_at NULL: the claim did not fetch it, or its row is gone; each of the others may be
	 * NULL by itself.  amount is a plain decimal with the digits received, the times are of RFC 3339 in UTC. */
	const char *source_account, *destination_account, *amount, *currency, *created_at;
	const char *kind, *payment_id, *occurred_at; /* of an event of a payment */

	/* The request that brought the transaction; NULL: the claim did not fetch it, or it is not kept.  headers is a
	 * JSON object of names in lower case and texts.  body is as received: it may contain any byte. */
	const char *content_type, *headers, *body;
	size_t body_len;

	/* Set by the worker before queue_settle(). */
	enum job_outcome outcome;
	int64_t began_ms;  /* clock_ms() when the call began */
	int64_t delay_ms;  /* JOB_RETRIED, JOB_PROBED: the pause before the next call */
	const char *error; /* the reason, a clause in UTF-8; NULL: JOB_PROCESSED */

	int64_t age_us; /* since the webhook was accepted; set by the queue when the job is settled */

	/* Private to the queue. */
	bool settled;            /* the settlement under way has settled it */
	bool alone;              /* the server rejected a batch that held it: it is settled in a batch of its own */
	struct job *same_bucket; /* inflight.c's chain */
	STAILQ_ENTRY(job) next;  /* in a list of struct settle_batch */
};

STAILQ_HEAD(job_list, job);
