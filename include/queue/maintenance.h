#pragma once

#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"
#include "pg/rates.h"

/* Creates and drops the daily partitions of payloads and job_attempts, and deletes processed transactions that have
 * expired, a batch at a time.  It runs once an hour, on a connection of its own: a heartbeat must not wait behind it.
 * Every second it adds the worker's counts to payhook.rates, and carries out what is due of the operations of an
 * operator.
 *
 * Every worker runs it.  Two workers may run it at the same time; neither waits for the other's deletions. */

#define MAINTENANCE_EVERY_MS 3600000   /* from one round to the next; up to a tenth more, at random */
#define MAINTENANCE_PAUSE_MS 1000      /* from one batch of deletions, or one step of partitions, to the next */
#define MAINTENANCE_JUMP_MS 7200000    /* from the stored clock to the server's: a longer difference is reported */
#define MAINTENANCE_OPERATIONS_MS 1000 /* from one look for operations to the next, while none runs */
#define MAINTENANCE_BATCH 1000         /* transactions that a batch of deletions looks at */

/* Callbacks, all from the event loop, and transactions() also from maintenance_destroy(). */
struct maintenance_events {
	/* The server rejected a statement; doing names its purpose.  The next round sends it again. */
	void (*trouble)(void *ctx, const char *doing, const struct fault *f);
	void (*partitions)(void *ctx, const char *done); /* partitions were created, or one was detached or dropped */
	/* The server's clock is ahead of the clock of retention by so much, or behind it (negative): it has jumped, or no
	 * worker has run.  Nothing is deleted before its time. */
	void (*jump)(void *ctx, int64_t ms);
	void (*transactions)(void *ctx, int64_t deleted); /* at the end of a round that deleted at least one */
};

/* How long to keep each. */
struct maintenance_days {
	int payloads;               /* 0: until their day is over */
	int attempts, transactions; /* 0: for ever */
};

struct maintenance;

/* days is copied; connect_state, events and ctx must outlive it.  Returns NULL if out of memory. */
MUST_USE struct maintenance *maintenance_create(struct connect_state *connect_state,
	const struct maintenance_days *days, const struct maintenance_events *events, void *ctx);

/* Counts one for payhook.rates. */
void maintenance_count(struct maintenance *m, const char *source, enum rate what);

/* Accepts NULL.  Reports the deletions of the round under way. */
void maintenance_destroy(struct maintenance *m);
