#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "pg/connection.h"

/* Statistics of the whole queue, for the worker's /metrics, on a connection of their own.
 *
 * The query costs the same however long the queue is: nothing is counted beyond STATS_MOST.  It is sent only when
 * /metrics is requested, and at most every STATS_EVERY_MS; between two queries the last result is returned. */

#define STATS_EVERY_MS 5000
#define STATS_MOST 10001 /* the most that a count can be: it then means "at least"; the LIMITs in STATS */
#define STATS_NO_LAG (-1)

struct queue_stats {
	int64_t ready;     /* jobs, counted among the newest STATS_MOST */
	int64_t waiting;   /* jobs that wait for a retry, up to STATS_MOST */
	int64_t held;      /* dead jobs that hold their payment, up to STATS_MOST */
	int64_t parked;    /* jobs that wait for their turn, up to STATS_MOST */
	int64_t claimed;   /* jobs, as the workers' last heartbeats reported them */
	int64_t oldest_us; /* since the webhook of the oldest job was accepted, but for held and parked; 0: no job */
	int64_t paused;    /* 1: the workers are paused; 0: they are not */
	int64_t dead;      /* dead jobs, up to STATS_MOST */
	int64_t workers;   /* with a heartbeat in the last 20 s by the database's clock */
	int64_t conflicts; /* rows of transaction_conflicts, up to STATS_MOST */
	int64_t lag_us;    /* of the standby furthest behind; STATS_NO_LAG: there is none, or we may not see it */
};

/* One request for the statistics, in the caller's memory, which must stay valid until done(). */
struct stats_request {
	/* Called once, from the event loop or from stats_ask().  seen is borrowed for the call; NULL: there are no
	 * recent statistics, because the database did not answer the last query or is unreachable. */
	void (*done)(struct stats_request *request, const struct queue_stats *seen);
	TAILQ_ENTRY(stats_request) waiting;
};

/* The query and the server settings of its connection, which a test runs by themselves. */
extern const struct statement STATS;
extern const char STATS_OPTIONS[];

struct stats;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct stats *stats_create(struct connect_state *connect_state);

/* Accepts NULL.  done() of requests that still wait is not called. */
void stats_destroy(struct stats *s);

/* request->done() may be called from here. */
void stats_ask(struct stats *s, struct stats_request *request);

/* Withdraws a request whose done() has not been called; it will not be. */
void stats_withdraw(struct stats *s, struct stats_request *request);
