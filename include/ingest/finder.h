#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/lane.h"

/* Looks transactions up, many in one statement, on a connection of its own: reading waits for no commit. */

#define FINDER_WAITING_MAX 4096 /* lookups waiting; more are refused at once */
#define FINDER_BATCH_MAX 500    /* lookups in one statement */

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
 * once, from finder_find().  No fault and no transaction: there is none by that name. */
struct lookup {
	const char *transaction_id;
	const char *source;
	void (*done)(struct lookup *l, const struct found *found, const struct fault *f);

	bool in_batch; /* the finder's own, as the next */
	TAILQ_ENTRY(lookup) pending;
};

struct finder;

/* NULL: out of memory. */
MUST_USE struct finder *finder_create(struct lanes *lanes);
void finder_destroy(struct finder *fi);

void finder_find(struct finder *fi, struct lookup *l);

/* Takes it back: done() will not be called. */
void finder_withdraw(struct finder *fi, struct lookup *l);
