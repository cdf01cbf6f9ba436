#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* What the responders count, all of a host together. */

/* Of requests, by route: the table in counters.c has their names. */
enum counted_route {
	ROUTE_OTHER, /* a path of no route, or none that could be read */
	ROUTE_HEALTH,
	ROUTE_LIVE,
	ROUTE_READY,
	ROUTE_METRICS,
	ROUTE_WEBHOOKS,
	ROUTE_TRANSACTION,
};

/* What became of a webhook. */
enum webhook_outcome {
	WEBHOOK_NONE, /* the request brought none */
	WEBHOOK_ACCEPTED,
	WEBHOOK_DUPLICATE,   /* the same transaction was there */
	WEBHOOK_CONFLICT,    /* another one was there, whatever was answered */
	WEBHOOK_INVALID,     /* it breaks a rule: the answer's status says which */
	WEBHOOK_UNAVAILABLE, /* it could not be made durable in time */
	WEBHOOK_IGNORED,     /* the source's filter lets none of its transactions pass */
	WEBHOOK_UNSIGNED,    /* it was not signed as its source signs */
};

struct counters;

/* With a folder that cannot be used the responder counts for itself alone: *why says so, and shared is false.  NULL: out
 * of memory. */
MUST_USE struct counters *counters_create(const char *folder, bool *shared, struct fault *why);
void counters_destroy(struct counters *c);

/* A request was read. */
void counters_begin(struct counters *c);

/* It is answered, so many microseconds after it was read. */
void counters_end(struct counters *c, enum counted_route route, int status, enum webhook_outcome outcome, int64_t us);

/* A commit stored so many webhooks, and took so many microseconds. */
void counters_commit(struct counters *c, int webhooks, int64_t us);

/* A request was refused: an enum signature_cause but SIGNATURE_GOOD, or an enum auth_failure_cause. */
void counters_auth_failure(struct counters *c, int cause);

/* So many refusals are not in rejected_requests. */
void counters_unrecorded(struct counters *c, int count);

/* Adds everything to a text for Prometheus.  False: the folder cannot be used. */
MUST_USE bool counters_render(const struct counters *c, struct buf *ret);
