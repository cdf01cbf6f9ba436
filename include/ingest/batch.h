#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/txn.h"

/* Pending inserts, which are webhooks that wait for their outcome, and the batches they form.  No database is needed
 * here.
 *
 * A batch holds each identity (transaction_id, source) once, and its members in the order of their identities: two
 * processes whose batches share identities take their locks in the same order, so their inserts do not deadlock.  A
 * member with the identity and the content of another one is a duplicate: it is not sent, and shares that one's
 * outcome.  A webhook with the identity of a member and different content waits for the next batch; in the same batch
 * it would pass for new. */

#define BATCH_MAX 500 /* members of a batch, duplicates included */

enum accepted {
	ACCEPTED_NEW,      /* stored now, and its job with it */
	ACCEPTED_AGAIN,    /* the same transaction is stored already */
	ACCEPTED_CONFLICT, /* another transaction is stored under this identity; it stays, and this body is recorded */
};

/* One webhook on its way into the database, in the caller's memory, which must stay valid until done(). */
struct pending_insert {
	const struct txn *txn;
	const char *source;
	const char *request_id;
	const char *traceparent; /* of version 00, and valid; NULL: none */
	const char *body;        /* the bytes of the request, recorded if there is a conflict */
	size_t body_len;
	/* Called once, from the event loop or from ingest_accept().  f NULL: outcome is valid and durable.  Otherwise f
	 * is the reason why the webhook is not known to be stored, and outcome means nothing. */
	void (*done)(struct pending_insert *insert, enum accepted outcome, const struct fault *f);

	/* Private to batch.c and ingest.c. */
	uint64_t number;   /* ascending in the order of arrival */
	bool in_batch;     /* otherwise in the list of pending inserts */
	bool is_duplicate; /* of the nearest member before it that is none */
	bool differs;      /* from the transaction that is stored under its identity */
	bool is_sent;      /* the statement under way has its content; a duplicate's is that of the one before it */
	bool alone;        /* the server rejected a batch that held it: it is sent in a batch of its own */
	TAILQ_ENTRY(pending_insert) pending;
};

TAILQ_HEAD(pending_inserts, pending_insert);

struct batch {
	int count;
	/* By identity; the duplicates of a member follow it, in the order of arrival. */
	struct pending_insert *list[BATCH_MAX];
};

/* Moves the next batch from the head of pending into *b, which must be empty. */
void batch_take(struct batch *b, struct pending_inserts *pending);

/* Returns the index of the member with this identity that is no duplicate, or -1. */
int batch_find(const struct batch *b, const char *transaction_id, const char *source);

/* Removes one member.  Its first duplicate, if there is one, takes its place. */
void batch_remove(struct batch *b, int index);

/* Moves every member back to the head of pending, in the order of arrival. */
void batch_return(struct batch *b, struct pending_inserts *pending);
