#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "queue/inflight.h"
#include "runtime/settings.h"

/* What a processor is to the worker: it starts calls, it cancels them, and it says how each ended.
 *
 * A new kind is one file, one choice of PROCESSOR in settings.table, and one line in job.c's table. */

struct event_base;

enum call_result {
	CALL_DONE,    /* the transaction is processed */
	CALL_AGAIN,   /* not this time; another call may succeed */
	CALL_GIVE_UP, /* no call will ever succeed */
};

struct call_outcome {
	enum call_result result;
	int64_t pause_ms;       /* CALL_AGAIN: how long the other side asks us to wait; -1: it does not say */
	const char *why;        /* not CALL_DONE: one clause for people; borrowed for the call */
	const char *request_id; /* by which the other side can find this call; NULL: it has none; borrowed likewise */
};

/* One call: part of its job's memory, from start() until ended() or cancel(). */
struct call {
	const struct job *job;

	/* The processor's own. */
	TAILQ_ENTRY(call) under_way;
	int64_t ends_ms;
	struct transfer *transfer;
};

/* Told once for each call that was started and not cancelled: from the event loop, never from inside start(). */
typedef void call_ended(void *ctx, struct call *c, const struct call_outcome *o);

struct processor;

struct processor_kind {
	bool wants_transaction; /* the claim must fetch what a job has of its transaction */
	/* NULL: out of memory. */
	struct processor *(*create)(struct event_base *base, const struct settings *s, call_ended *ended, void *ctx);
	void (*destroy)(struct processor *p);
	void (*start)(struct processor *p, struct call *c);
	void (*cancel)(struct processor *p, struct call *c);
	/* Whether any call under way may end by then (clock_ms()): what an ending worker waits for. */
	bool (*ends_by)(const struct processor *p, int64_t when_ms);
};

extern const struct processor_kind PROCESSOR_SIMULATED, PROCESSOR_HTTP;
