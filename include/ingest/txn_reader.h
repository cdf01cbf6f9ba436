#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* Looks transactions up, many in one statement, on a connection of its own: reading waits for no commit. */

#define TXN_READER_WAITING_MAX 4096 /* lookups waiting; more are refused at once */
#define TXN_READER_BATCH_MAX 500    /* lookups in one statement */

/* A stored transaction as the database tells it.  Borrowed for the call of done(). */
struct found {
	const char *transaction_id, *source_account, *destination_account;
	const char *amount; /* the digits that came in */
	const char *currency;
	const char *status;       /* PROCESSING, PROCESSED, FAILED */
	const char *created_at;   /* RFC 3339, UTC, microseconds */
	const char *processed_at; /* NULL until processed */
	const char *failure;      /* NULL unless FAILED */
};

/* One lookup: the caller's memory until done(), which is called once, from the event loop or, when it is refused at
 * once, from txn_reader_find().  No fault and no transaction: there is none by that name. */
struct lookup {
	const char *transaction_id;
	const char *source;
	void (*done)(struct lookup *l, const struct found *found, const struct fault *f);

	bool in_batch; /* the finder's own, as the next */
	TAILQ_ENTRY(lookup) pending;
};

struct txn_reader;

/* NULL: out of memory. */
MUST_USE struct txn_reader *txn_reader_create(struct connect_state *connect_state);
void txn_reader_destroy(struct txn_reader *fi);

void txn_reader_find(struct txn_reader *fi, struct lookup *l);

/* Takes it back: done() will not be called. */
void txn_reader_withdraw(struct txn_reader *fi, struct lookup *l);
