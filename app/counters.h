#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* The counters of the responders on one host.
 *
 * The responders share one file of cells (runtime/scoreboard.h), so any of them can report the sums of all.  Each
 * responder writes only its own cells; no call waits or takes a lock. */

/* The routes by which requests are counted.  The table in counters.c has their names, in this order. */
enum counted_route {
	ROUTE_OTHER, /* no route has the path, or the request could not be read */
	ROUTE_HEALTH,
	ROUTE_LIVE,
	ROUTE_READY,
	ROUTE_METRICS,
	ROUTE_WEBHOOKS,
	ROUTE_TRANSACTION,
	ROUTE_PAYMENT,
};

/* The outcome of a webhook: its label in payhook_webhooks_total.  Names and order are repeated in counters.c. */
enum webhook_outcome {
	WEBHOOK_NONE,      /* the request is no webhook, or its source is unknown or disabled */
	WEBHOOK_ACCEPTED,  /* at least one transaction was new */
	WEBHOOK_DUPLICATE, /* all transactions were stored before, with the same content */
	WEBHOOK_CONFLICT,  /* a stored transaction has the same id and other content; CONFLICT_POLICY sets the status */
	WEBHOOK_INVALID,   /* the webhook breaks a rule, shown by the status: a validation error */
	WEBHOOK_UNAVAILABLE, /* the webhook could not be committed, or verified, in time */
	WEBHOOK_IGNORED,     /* the filter of the source lets no transaction pass */
	WEBHOOK_UNSIGNED,    /* the signature does not verify: an auth failure (401) */
	WEBHOOK_FORBIDDEN,   /* the source does not admit the address or certificate: an auth failure (403) */
	WEBHOOK_PING, /* the request is no webhook but the source's ping: nothing was verified, nothing is stored */
	WEBHOOK_UNREADABLE, /* not all of it could be mapped, and it is kept; what could be mapped is stored */
};

struct counters;

/* Opens the counters in a folder that all responders of the host share (METRICS_FOLDER).  If the folder is empty or
 * cannot be used, *shared is false and *why the reason: the responder then counts for itself, and counters_render()
 * fails.  NULL: out of memory. */
MUST_USE struct counters *counters_create(const char *folder, bool *shared, struct fault *why);

/* Releases the responder's cells, whose counts stay in the sums.  NULL is allowed. */
void counters_destroy(struct counters *c);

/* Counts a request as in progress, after it was read. */
void counters_begin(struct counters *c);

/* Counts an answered request: one call for each counters_begin().  status is the HTTP status, us the microseconds
 * from read to answer; outcome is WEBHOOK_NONE for a request that is no webhook. */
void counters_end(struct counters *c, enum counted_route route, int status, enum webhook_outcome outcome, int64_t us);

/* Counts a commit of new transactions or conflicts, us microseconds after its statement was sent. */
void counters_commit(struct counters *c, int webhooks, int64_t us);

/* Counts an auth failure.  cause is an enum signature_cause other than SIGNATURE_GOOD, or an enum
 * auth_failure_cause. */
void counters_auth_failure(struct counters *c, int cause);

/* Counts auth failures that the view auth_failures lacks, and validation errors that validation_errors lacks. */
void counters_unrecorded(struct counters *c, int failures, int errors);

/* Counts transactions and ignored webhooks of which no payload was kept, although it should have been. */
void counters_unkept(struct counters *c, int count);

/* Whether the counters are shared, so that counters_render() has sums of all responders. */
bool counters_are_shared(const struct counters *c);

/* Appends the sums of all responders of the host to *ret, in the text format of Prometheus.  certificate_expires is the
 * time at which nginx's certificate expires, in seconds since 1970; 0: there is none, or nginx does not say.  False: the
 * responders do not share their counters, or memory cannot be allocated; nothing is appended. */
MUST_USE bool counters_render(const struct counters *c, int64_t certificate_expires, struct buf *ret);
