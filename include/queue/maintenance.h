#pragma once

#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* What is kept, and for how long, on a connection of its own: once an hour the partitions of the attempts are made and
 * dropped, and old processed transactions are deleted, a few at a time.
 *
 * Every worker does it; two at once do each other no harm, and none waits for another. */

#define MAINTENANCE_EVERY_MS 3600000
#define MAINTENANCE_PAUSE_MS 1000 /* from one batch of deletions to the next */
#define MAINTENANCE_BATCH 1000    /* transactions deleted at a time */

/* Whom a keeper tells, from the event loop. */
struct maintenance_events {
	void (*trouble)(void *ctx, const char *doing, const struct fault *f); /* it is tried again in an hour */
	void (*attempts)(void *ctx, const char *done);    /* partitions were made or dropped, or that must wait */
	void (*transactions)(void *ctx, int64_t deleted); /* so many, in this hour's round; more than none */
};

struct maintenance;

/* Days to keep; 0: for ever.  NULL: out of memory. */
MUST_USE struct maintenance *maintenance_create(struct connect_state *connect_state, int attempts_days,
	int transactions_days, const struct maintenance_events *events, void *ctx);
void maintenance_destroy(struct maintenance *k); /* tells what this round has done so far */
