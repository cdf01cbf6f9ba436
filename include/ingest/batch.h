#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/txn.h"

/* Pending inserts, which are webhooks that wait for their outcome, and the batch of those in one statement.  No database
 * is needed here.
 *
 * A copy is a webhook with the identity (transaction_id, source), the transaction and the bytes of another one that
 * waits.  It takes no place of its own: it follows that first one into the batch, is not sent, and shares its outcome.
 *
 * A batch has one content of an identity, and its members in the order of their identities: two processes whose batches
 * share identities take their locks in the same order, so their inserts do not deadlock.  A duplicate is a member with the
 * identity and the transaction of another one and with bytes of its own.  It is not sent either, and shares that one's
 * outcome, unless that is a conflict: then each has bytes to record. */

#define BATCH_MAX 500 /* members of a batch, duplicates included and copies not */
/* Bytes: with that much a batch takes no further member.  Twice the largest body, so that the transactions of one
 * request fit. */
#define BATCH_BODIES_MAX (2 * 1024 * 1024)

#define BATCH_CONFLICTS_MAX 16 /* members known to be contested; and conflicts that one statement records */

enum accepted {
	ACCEPTED_NEW,      /* stored now, and its job with it */
	ACCEPTED_AGAIN,    /* the same transaction is stored already */
	ACCEPTED_CONFLICT, /* another transaction is stored under this identity; it stays, and this body is recorded */
};

/* The bytes of a request, which all transactions of the request share. */
struct insert_body {
	const char *bytes;
	size_t len;
	const char *content_type; /* this and headers, a JSON object: kept with the bytes; NULL: nothing is kept */
	const char *headers;
	int place;      /* private to statements.c: in the arrays of the statement, from 1 */
	uint64_t batch; /* private to batch.c: the number of the last one that counted the bytes, and 1 */
	uint64_t hash;  /* private to pending.c; 0: not computed yet */
};

struct pending_identity;
struct pending_queue;

/* One webhook on its way into the database, in the caller's memory, which must stay valid until done(). */
struct pending_insert {
	const struct txn *txn;
	const char *source; /* must outlive the ingest */
	const char *request_id;
	const char *traceparent;  /* of version 00, and valid; NULL: none */
	struct insert_body *body; /* recorded if there is a conflict */
	bool is_in_order;         /* its payment's transactions are processed one at a time, in the order of arrival */
	bool continues;           /* if is_in_order: the next of them goes on after it has FAILED */
	/* Called once, from the event loop or from ingest_accept().  f NULL: outcome is valid and durable.  Otherwise f
	 * is the reason why the webhook is not known to be stored, and outcome means nothing. */
	void (*done)(struct pending_insert *insert, enum accepted outcome, const struct fault *f);

	/* Private to pending.c, batch.c and ingest.c.  Copies form a ring with their first, of which one is not a copy; the
	 * members after copy_before are meaningful for that one only. */
	struct pending_queue *queue; /* that of its source */
	bool is_copy;
	struct pending_insert *copy_after, *copy_before; /* itself if it has no copies */
	uint64_t number;                                 /* ascending in the order of arrival */
	struct pending_identity *identity;               /* valid if not in_batch */
	bool in_batch;                                   /* otherwise it waits in pending.c */
	bool is_duplicate;                               /* of the nearest member before it that is none */
	bool differs;                                    /* from the transaction stored under its identity */
	bool is_sent; /* the statement under way has its bytes; for a duplicate, only those of the one before it */
	bool alone;   /* the server rejected a batch that held it: it is sent in a batch of its own */
	TAILQ_ENTRY(pending_insert) content; /* of the contents of its identity */
};

struct batch {
	int count;
	uint64_t number; /* of this batch; the owner raises it for each */
	size_t bodies;   /* bytes of the members' bodies when the batch was taken; that of a request counts once */
	/* By identity; the duplicates of a member follow it, in the order of arrival. */
	struct pending_insert *list[BATCH_MAX];
};

/* Makes a webhook one without copies. */
void copies_init(struct pending_insert *insert);

/* Adds a copy of first, after those that it has. */
void copies_add(struct pending_insert *first, struct pending_insert *copy);

/* Returns the number of copies and 1 for their first. */
int copies_count(const struct pending_insert *first);

/* Separates a webhook from its copies.  If it was the first, returns the copy that is the first now, which has taken over
 * its state and belongs where it stood; NULL if there is none. */
struct pending_insert *copies_leave(struct pending_insert *insert);

/* Adds a member; the batch must not be full.  When all are added, batch_sort() completes the batch. */
void batch_add(struct batch *b, struct pending_insert *insert);
void batch_sort(struct batch *b);

/* Puts the members in the order of arrival, to be put back. */
void batch_sort_by_age(struct batch *b);

/* Returns the index of the member with this identity that is no duplicate, or -1. */
int batch_find(const struct batch *b, const char *transaction_id, const char *source);

/* Removes one member, which keeps its copies.  Its first duplicate, if there is one, takes its place. */
void batch_remove(struct batch *b, int index);

/* Withdraws a member.  Its first copy, or else its first duplicate, takes its place. */
void batch_withdraw(struct batch *b, struct pending_insert *insert);
