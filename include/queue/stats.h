#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "pg/connection.h"

/* A look at the queue as a whole, for those who watch it, on a connection of its own.
 *
 * It costs the same however long the queue is: what is counted is counted up to STATS_MOST.  And it is taken when
 * somebody asks, at most every STATS_EVERY_MS, however many ask. */

#define STATS_EVERY_MS 5000
#define STATS_MOST 10001
#define STATS_NO_LAG INT64_MIN

struct queue_stats {
	int64_t ready;   /* among the newest STATS_MOST jobs */
	int64_t waiting; /* for a retry */
	int64_t claimed; /* by the workers' last beats */
	int64_t oldest_us;
	int64_t paused; /* 1: it is */
	int64_t dead;
	int64_t workers; /* that have beaten within 20 s */
	int64_t conflicts;
	int64_t lag_us; /* of the standby that is furthest behind; STATS_NO_LAG: there is none, or we may not see it */
};

/* A question: the asker's memory until done(). */
struct stats_request {
	void (*done)(struct stats_request *q, const struct queue_stats *seen); /* NULL: the database does not answer */
	TAILQ_ENTRY(stats_request) waiting;
};

/* The look, as a test runs it by itself; and how its connection is set. */
extern const struct statement STATS;
extern const char STATS_OPTIONS[];

struct stats;

/* NULL: out of memory. */
MUST_USE struct stats *stats_create(struct connect_state *connect_state);
void stats_destroy(struct stats *s);

/* q->done() may be called from here. */
void stats_ask(struct stats *s, struct stats_request *q);

/* Takes it back: done() will not be called. */
void stats_withdraw(struct stats *s, struct stats_request *q);
