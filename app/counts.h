#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* What the responders count, all of a host together. */

/* Of requests, by route: the table in counts.c has their names. */
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
	WEBHOOK_REJECTED,    /* it breaks a rule: the answer's status says which */
	WEBHOOK_UNAVAILABLE, /* it could not be made durable in time */
	WEBHOOK_IGNORED,     /* the source's filter lets none of its transactions pass */
	WEBHOOK_UNSIGNED,    /* it was not signed as its source signs */
};

struct counts;

/* With a folder that cannot be used the responder counts for itself alone: *why says so, and shared is false.  NULL: out
 * of memory. */
MUST_USE struct counts *counts_create(const char *folder, bool *shared, struct fault *why);
void counts_destroy(struct counts *c);

/* A request was read. */
void counts_begin(struct counts *c);

/* It is answered, so many microseconds after it was read. */
void counts_end(struct counts *c, enum counted_route route, int status, enum webhook_outcome outcome, int64_t us);

/* A commit stored so many webhooks, and took so many microseconds. */
void counts_commit(struct counts *c, int webhooks, int64_t us);

/* A request was refused: an enum signature_cause but SIGNATURE_GOOD, or an enum rejection_cause. */
void counts_refusal(struct counts *c, int cause);

/* So many refusals are not in rejected_requests. */
void counts_unrecorded(struct counts *c, int count);

/* Adds everything to a text for Prometheus.  False: the folder cannot be used. */
MUST_USE bool counts_render(const struct counts *c, struct buf *ret);
