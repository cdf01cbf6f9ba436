#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* Reads stored transactions and payments, many in one statement, on a connection of its own: a reader never waits for a
 * commit of the accept path.  A lookup finds every transaction that was committed before its statement began. */

#define TXN_READER_WAITING_MAX 4096 /* lookups waiting, those in the batch included; further ones fail, FAULT_BUSY */
#define TXN_READER_BATCH_MAX 500    /* lookups of transactions in one statement */
#define TXN_READER_PAYMENTS_MAX 16  /* and of payments: each may have thousands of events */

/* A stored transaction.  Borrowed for the call of done(). */
struct found {
	const char *transaction_id;
	const char *source_account, *destination_account; /* these two, amount and currency: NULL if not known */
	const char *amount;                               /* a plain decimal with the digits received */
	const char *currency;
	const char *status;                                 /* PROCESSING, PROCESSED, FAILED */
	const char *created_at;                             /* RFC 3339, UTC, microseconds */
	const char *processed_at;                           /* in the same form; NULL until processed */
	const char *failure;                                /* the reason; NULL unless FAILED */
	const char *kind, *payment_id, *part, *occurred_at; /* of an event of a payment; each may be NULL */
};

/* A payment, by payhook.payment_state().  Borrowed for the call of done_payment(). */
struct found_payment {
	const char *currency; /* NULL: no amount is known, or they are in several */
	const char *state;
	const char *sums;         /* a JSON object */
	const char *anomalies;    /* a JSON array */
	const char *events_total; /* how many there are: a number */
	const char *events;       /* JSON objects, separated by commas, the newest last: the newest hundred, or as many
	                           * of these as have TXN_READER_EVENTS_MAX bytes */
};

#define TXN_READER_EVENTS_MAX 57344 /* bytes: 40 events with the longest ids, each byte escaped */

/* One lookup, in the caller's memory, which must stay valid until done() or done_payment(), of which one is set. */
struct lookup {
	const char *id; /* transaction_id; payment_id if done_payment is set */
	const char *source;
	/* Called once, from the event loop, or from txn_reader_find() if the lookup fails at once.  found is the
	 * transaction; NULL with f NULL: there is none with this identity; NULL with f: the reason why that is
	 * unknown. */
	void (*done)(struct lookup *l, const struct found *found, const struct fault *f);
	void (*done_payment)(struct lookup *l, const struct found_payment *found, const struct fault *f); /* likewise */

	/* Private to txn_reader.c. */
	bool in_batch; /* otherwise in the list of pending lookups */
	TAILQ_ENTRY(lookup) pending;
};

struct txn_reader;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct txn_reader *txn_reader_create(struct connect_state *connect_state);

/* Accepts NULL.  done() of lookups that still wait is not called. */
void txn_reader_destroy(struct txn_reader *reader);

/* l->done() may be called from here. */
void txn_reader_find(struct txn_reader *reader, struct lookup *l);

/* Withdraws a lookup that waits: done() will not be called. */
void txn_reader_withdraw(struct txn_reader *reader, struct lookup *l);
