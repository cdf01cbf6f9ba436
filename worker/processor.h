#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "call_options.h"
#include "queue/inflight.h"

/* The interface between the worker and a processor, which processes transactions: calls are started, cancelled, and
 * end with an outcome.
 *
 * A new kind of processor is one file, one choice of PROCESSOR in settings.table, and one line in the table of
 * worker.c. */

struct event_base;

enum call_result {
	CALL_DONE,    /* the transaction is processed */
	CALL_AGAIN,   /* a temporary failure: another call may succeed */
	CALL_GIVE_UP, /* a permanent failure: no call will succeed */
	/* An answer, and no failure of the processor: it may still carry out an earlier call for this transaction.
	 * Another call shows how that one ended. */
	CALL_UNDER_WAY,

	/* Of a cause on our side, which shows nothing about the processor: */
	CALL_POSTPONED, /* this machine could not make the call, or not finish it: memory, descriptors, local ports */
	CALL_ABSENT,    /* there is nothing to call for or to send: the transaction's row or its request is gone */
};

struct call_outcome {
	enum call_result result;
	int64_t pause_ms;       /* CALL_AGAIN, CALL_UNDER_WAY: the least pause before another call; -1: any */
	const char *why;        /* unless CALL_DONE: the reason, one clause; valid during call_ended() */
	const char *request_id; /* identifies this call in the processor's logs, or NULL; valid during call_ended() */
};

/* One call.  The worker owns its memory; the processor uses it from start() until ended() or cancel(). */
struct call {
	const struct job *job;

	/* For the processor's use. */
	TAILQ_ENTRY(call) under_way;
	int64_t ends_ms;
	struct transfer *transfer;
	const struct call_outcome *not_started; /* why the call could not be started */
};

/* Called exactly once for each call that was started and not cancelled; from the event loop, never from inside
 * start().  It may free the call, and it may cancel other calls. */
typedef void call_ended(void *ctx, struct call *c, const struct call_outcome *o);

struct processor;

struct processor_kind {
	const char *name; /* its word in PROCESSOR */
	/* The claim must fetch the fields of the transaction too, and its request if PROCESSOR_BODY is original. */
	bool wants_transaction;
	/* *o must outlive the processor.  NULL: out of memory. */
	struct processor *(*create)(
		struct event_base *base, const struct call_options *o, call_ended *ended, void *ctx);
	/* Calls under way are dropped without ended(); their memory is not touched.  p may be NULL. */
	void (*destroy)(struct processor *p);
	/* c->job is set.  A call that cannot be started ends like any other, through ended(). */
	void (*start)(struct processor *p, struct call *c);
	/* For a call under way.  Returns true if the processor may have received it, and so may still carry it out. */
	bool (*cancel)(struct processor *p, struct call *c);
	/* True if any call under way may end by that time (clock_ms()): a stopping worker waits only for such calls. */
	bool (*ends_by)(const struct processor *p, int64_t when_ms);
	/* True while calls wait for something without which none can be made, and then begin together: until then the
	 * worker claims no jobs, since their calls would begin with these, whatever the rate is.  NULL: they never do. */
	bool (*is_waiting)(const struct processor *p);
};

extern const struct processor_kind PROCESSOR_SIMULATED, PROCESSOR_HTTP;
