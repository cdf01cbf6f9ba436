#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"
#include "pg/connection.h"

/* Keeps verified webhooks that cannot be mapped, each body of a source once, until "payhook remap" has stored what is in
 * them.  A source has room for UNREADABLE_OF_SOURCE_MAX.
 *
 * Many go by one statement, on a connection of its own, with a commit that waits for the disk: they are acknowledged after it. */

#define UNREADABLE_OF_SOURCE_MAX 10000 /* as payhook.keep_unreadable() has it */
#define UNREADABLE_REASON_MAX 511      /* bytes; the check of the table has the same bound */
#define UNREADABLE_WAITING_MAX 1024    /* webhooks, those in the statement included; further ones fail, FAULT_BUSY */
#define UNREADABLE_BATCH_MAX 100       /* in one statement */
#define UNREADABLE_BYTES_MAX (2 * 1024 * 1024) /* with that much in bodies a statement takes no further webhook */

/* One webhook, in the caller's memory, which must stay valid until done(), as must what it points to. */
struct unreadable_insert {
	const char *source;
	const char *request_id;
	const char *traceparent;        /* "": none */
	const char *reason;             /* pointers and codes, without values */
	const struct insert_body *body; /* with its content_type and headers */
	/* Called once, from the event loop, or from unreadable_keep() if it fails at once.  f NULL: it is durable, or the
	 * source has no room for it: then is_kept is false.  With a fault, that is unknown. */
	void (*done)(struct unreadable_insert *insert, bool is_kept, const struct fault *f);

	/* Private to unreadable.c. */
	bool in_batch; /* otherwise in the list of those that wait */
	TAILQ_ENTRY(unreadable_insert) pending;
};

struct unreadable;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct unreadable *unreadable_create(struct connect_state *connect_state);

/* Accepts NULL.  done() of those that still wait is not called. */
void unreadable_destroy(struct unreadable *all);

/* insert->done() may be called from here. */
void unreadable_keep(struct unreadable *all, struct unreadable_insert *insert);

/* Withdraws one that waits: done() will not be called.  It may be kept all the same. */
void unreadable_withdraw(struct unreadable *all, struct unreadable_insert *insert);
