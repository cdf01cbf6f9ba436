#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/txn.h"

/* Webhooks that have arrived and wait for their outcome, and the batches they form.
 *
 * A batch holds an identity (transaction_id, source) once, and its members in the order of their identities: two
 * processes whose batches meet then take their locks in the same order.  What comes again with the same content
 * rides along with the first; what comes again with another content waits for the next batch, else it would pass for
 * new.  No database is needed here. */

#define BATCH_MAX 500 /* members of a batch, riders counted */

enum accepted {
	ACCEPTED_NEW,   /* stored now, its job with it */
	ACCEPTED_AGAIN, /* the same transaction was there */
	ACCEPTED_CONFLICT, /* another one was there under this identity; it stays, and this one is kept for people to see */
};

/* One webhook on its way: the caller's memory until done(). */
struct pending_insert {
	const struct txn *txn;
	const char *source;
	const char *request_id;
	const char *traceparent; /* of version 00, and valid; NULL: none */
	const char *body;        /* the bytes of the request, kept should they be in conflict */
	size_t body_len;
	/* Called once, from the event loop: either f is NULL and the outcome counts, or f says why it is not stored. */
	void (*done)(struct pending_insert *a, enum accepted outcome, const struct fault *f);

	/* The intake's own. */
	uint64_t number;   /* in order of arrival */
	bool in_batch;     /* else pending */
	bool is_duplicate; /* the same content as the member before it */
	bool differs;      /* from the stored transaction of its identity */
	bool alone;        /* the server refused a batch it was in: it goes by itself */
	TAILQ_ENTRY(pending_insert) pending;
};

TAILQ_HEAD(pending_inserts, pending_insert);

struct batch {
	int count;
	struct pending_insert *list[BATCH_MAX]; /* by identity, a rider after the member it rides with */
};

/* Takes the next batch from the head of the pending; the batch is empty before. */
void batch_take(struct batch *b, struct pending_inserts *pending);

/* The member of this identity that is not a rider, or -1. */
int batch_find(const struct batch *b, const char *transaction_id, const char *source);

/* Removes one member; its first rider, if there is one, takes its place. */
void batch_remove(struct batch *b, int index);

/* Puts every member back at the head of the pending, the order kept. */
void batch_return(struct batch *b, struct pending_inserts *pending);
