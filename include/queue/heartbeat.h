#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* A worker among workers, on a connection of its own: it shows that it lives, sees whether the others do, frees the
 * jobs of those that do not, brings due retries back, and hears of new jobs.
 *
 * A worker is a random number, and a row under it that is beaten every HEARTBEAT_MS.  There is no heartbeat for a
 * job: whose row is gone has no jobs. */

#define HEARTBEAT_MS 5000
#define HEARTBEAT_STALE_MS 15000 /* without a beat for so long no call is begun: the others may soon take us for dead */
#define HEARTBEAT_FREE_MAX 50000 /* jobs freed by one statement; the rest by the next */
#define HEARTBEAT_DUE_MAX 1000   /* retries brought back by one statement */

/* How a worker presents itself to people.  The texts must outlive the watch. */
struct heartbeat_self {
	const char *host;
	int pid;
	const char *version;
};

/* Whom a watch asks and tells, from the event loop. */
struct heartbeat_events {
	void (*up)(void *ctx);                            /* connected and listening */
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost */
	void (*trouble)(
		void *ctx, const char *doing, const struct fault *f); /* the server refused; it is tried again */

	/* This process is the worker of that number now: it has a row and may claim.  0: it is none.  Its row was gone,
	 * whoever removed it; what it held is freed, and it will be told another number. */
	void (*is)(void *ctx, int64_t owner);
	int (*in_flight)(void *ctx);           /* the jobs it holds, for its row */
	int64_t (*circuit_open_ms)(void *ctx); /* how long it has taken its processor for down; -1: it does not */
	void (*task)(void *ctx);               /* there may be work */
	void (*rescued)(void *ctx, const char *host, int pid, int64_t jobs); /* a worker was dead, its jobs are free */
	void (*orphans)(void *ctx, int64_t jobs); /* jobs of workers without a row are free */
	void (*left)(void *ctx);                  /* after heartbeat_leave(): the row is gone */
};

/* How jobs come back from a dead worker, from one without a row, and from their wait; a test runs them by themselves. */
extern const struct statement HEARTBEAT_RESCUE, HEARTBEAT_ORPHANS, HEARTBEAT_DUE;

struct heartbeat;

/* NULL: out of memory. */
MUST_USE struct heartbeat *heartbeat_create(struct connect_state *connect_state, const struct heartbeat_self *self,
	const struct heartbeat_events *events, void *ctx);
void heartbeat_destroy(struct heartbeat *w);

/* Whether a call may be begun: this is a worker, and its last beat is younger than HEARTBEAT_STALE_MS. */
bool heartbeat_is_fresh(const struct heartbeat *w);

/* Beats at once: what its row tells has changed. */
void heartbeat_send(struct heartbeat *w);

/* Ends being a worker: removes its row, then tells left().  Its jobs are released before. */
void heartbeat_leave(struct heartbeat *w);
