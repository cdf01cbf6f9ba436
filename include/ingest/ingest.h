#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"
#include "ingest/readiness.h"
#include "pg/connection.h"

/* The accept path: it makes webhooks durable, many in one commit.
 *
 * Webhooks that arrive while a batch is under way form the next batch, in which the sources take turns
 * (ingest/pending.h).  So a single webhook waits for no timer, and under load hundreds share a commit.  Each webhook gets
 * its own outcome, after the commit.  The caller sets the deadline and withdraws a webhook that has expired. */

#define INGEST_PROMPT_MS 450 /* a commit that took longer does not prove readiness */

struct ingest;

/* Callbacks, all from the event loop. */
struct ingest_events {
	void (*up)(void *ctx);                            /* connected: webhooks can be accepted */
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost */
	void (*enqueued)(void *ctx);                      /* a commit has added jobs */
	/* May be NULL if no webhook is in order.  The commit has parked a job of this lane, to be activated. */
	void (*parked)(void *ctx, int64_t lane);
	/* May be NULL if no body is to be kept.  The commit stored so many transactions without their payloads: today
	 * has no partition. */
	void (*unkept)(void *ctx, int transactions);
	/* May be NULL.  A commit stored this many webhooks, or recorded this many conflicts.  us: microseconds since
	 * its statement was sent. */
	void (*committed)(void *ctx, int webhooks, int64_t us);
};

/* connect_state, events and ctx must outlive it.  Returns NULL if out of memory. */
MUST_USE struct ingest *ingest_create(
	struct connect_state *connect_state, const struct ingest_events *events, void *ctx);

/* Accepts NULL.  done() of webhooks and probes that still wait is not called. */
void ingest_destroy(struct ingest *in);

/* Adds one webhook to the pending inserts.  If it fails at once, as when too many wait already, insert->done() is called
 * from here. */
void ingest_accept(struct ingest *in, struct pending_insert *insert);

/* Withdraws a webhook that waits: done() will not be called.  If its statement is under way, it may be stored all the
 * same. */
void ingest_withdraw(struct ingest *in, struct pending_insert *insert);

/* Asks whether a webhook could be made durable now (ingest/readiness.h).  If that is not known, it waits for the next
 * commit of new webhooks or for a probe, which stores rows as a webhook does and rolls them back.  A probe goes out after
 * one batch at most, so known webhooks cannot delay it for ever.  p->done() may be called from here.  There is no
 * deadline: the caller withdraws a question that has expired. */
void ingest_probe_health(struct ingest *in, struct ingest_probe *p);
void ingest_withdraw_probe(struct ingest *in, struct ingest_probe *p);
