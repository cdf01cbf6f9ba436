#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* Reads stored transactions, many in one statement, on a connection of its own: a reader never waits for a commit of
 * the accept path.  A lookup finds every transaction that was committed before its statement began. */

#define TXN_READER_WAITING_MAX 4096 /* lookups waiting, those in the batch included; further ones fail, FAULT_BUSY */
#define TXN_READER_BATCH_MAX 500    /* lookups in one statement */

/* A stored transaction.  Borrowed for the call of done(). */
struct found {
	const char *transaction_id, *source_account, *destination_account;
	const char *amount; /* a plain decimal with the digits received */
	const char *currency;
	const char *status;       /* PROCESSING, PROCESSED, FAILED */
	const char *created_at;   /* RFC 3339, UTC, microseconds */
	const char *processed_at; /* in the same form; NULL until processed */
	const char *failure;      /* the reason; NULL unless FAILED */
};

/* One lookup, in the caller's memory, which must stay valid until done(). */
struct lookup {
	const char *transaction_id;
	const char *source;
	/* Called once, from the event loop, or from txn_reader_find() if the lookup fails at once.  found is the
	 * transaction; NULL with f NULL: there is none with this identity; NULL with f: the reason why that is
	 * unknown. */
	void (*done)(struct lookup *l, const struct found *found, const struct fault *f);

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
