#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* The part of a worker that deals with the other workers, on a connection of its own.  It sends the worker's heartbeat,
 * observes the heartbeats of the others, frees the jobs of dead workers, enqueues retries that are due, and receives
 * the notifications of new jobs.
 *
 * A worker is a random number with a row in payhook.workers, which it updates every HEARTBEAT_MS.  Jobs have no
 * heartbeat of their own; when a worker's row is gone, its jobs are freed.
 *
 * HEARTBEAT_STALE_MS is less than PEER_DEAD_MS (peers.h): a worker cut off from the database stops starting calls
 * before another worker can free its jobs.  Calls that it started earlier may still overlap with a second call. */

#define HEARTBEAT_LEVEL 1        /* what this worker understands, for workers.level; 1: events of payments */
#define HEARTBEAT_MS 5000        /* from one heartbeat to the next */
#define HEARTBEAT_STALE_MS 15000 /* no call is started when the last confirmed heartbeat was sent this long ago */
#define HEARTBEAT_FREE_MAX 50000 /* jobs freed by one statement; the next one frees the rest */
#define HEARTBEAT_DUE_MAX 1000   /* retries enqueued by one statement; the next one enqueues the rest */

/* How a worker is shown in payhook.workers.  The texts must outlive the heartbeat. */
struct heartbeat_self {
	const char *host;
	int pid;
	const char *version;
	const char *processor; /* its name; NULL: not shown */
};

/* Callbacks, all from the event loop. */
struct heartbeat_events {
	void (*up)(void *ctx);                            /* connected, and listening for notifications */
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost */
	/* The server rejected a statement; doing names its purpose.  It is sent again. */
	void (*trouble)(void *ctx, const char *doing, const struct fault *f);

	/* The worker is registered under this number and may claim.  0: its row is gone, because it was declared dead
	 * or the row was deleted by hand; its jobs are freed, and a call with a new number follows. */
	void (*is)(void *ctx, int64_t owner);
	int (*in_flight)(void *ctx);           /* returns the number of its jobs in flight, for its row */
	int64_t (*circuit_open_ms)(void *ctx); /* returns for how long its circuit has been open; -1: it is closed */
	void (*notified)(void *ctx);           /* there may be jobs to claim */
	/* A worker was declared dead, and this many of its jobs are freed.  host is borrowed for the call. */
	void (*rescued)(void *ctx, const char *host, int pid, int64_t jobs);
	/* This many jobs of workers without a row are freed; at least 1.  After a rescue without an answer: as many as
	 * the last heartbeat of the dead worker reported. */
	void (*orphans)(void *ctx, int64_t jobs);
	void (*left)(void *ctx); /* heartbeat_leave() is done: the row is deleted */
};

/* The statement that enqueues due retries, which tests run by itself. */
extern const struct statement HEARTBEAT_DUE;

struct heartbeat;

/* connect_state, events and ctx must outlive the heartbeat; *self is copied.  Returns NULL if out of memory. */
MUST_USE struct heartbeat *heartbeat_create(struct connect_state *connect_state, const struct heartbeat_self *self,
	const struct heartbeat_events *events, void *ctx);

/* Accepts NULL.  The row stays unless left() was called; other workers then delete it and free the jobs. */
void heartbeat_destroy(struct heartbeat *h);

/* True while a call may be started: the worker is registered, and its last confirmed heartbeat is younger than
 * HEARTBEAT_STALE_MS. */
bool heartbeat_is_fresh(const struct heartbeat *h);

/* How many workers have a row, this one included, by the last observation, of which there is one every two seconds; 0: none has
 * been made.  A dead worker counts until its row is deleted. */
int heartbeat_workers(const struct heartbeat *h);

/* Sends a heartbeat as soon as the connection is free, because a value in the worker's row has changed. */
void heartbeat_send(struct heartbeat *h);

/* Deletes the worker's row, then calls left().  The caller releases the jobs before. */
void heartbeat_leave(struct heartbeat *h);
