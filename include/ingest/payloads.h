#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"
#include "pg/connection.h"

/* Keeps requests that store no transaction, as they came: the verified ones that the filter of a source excludes.  What
 * stores transactions is kept by the statement that stores them (ingest/statements.h).
 *
 * Many requests go by one statement, on a connection of its own.  A request that comes again is kept again. */

#define PAYLOADS_WAITING_MAX 4096 /* requests, those in the statement included; further ones fail, FAULT_BUSY */
#define PAYLOADS_BATCH_MAX 500    /* in one statement */
#define PAYLOADS_BYTES_MAX (2 * 1024 * 1024) /* with that much in bodies a statement takes no further request */

/* One request, in the caller's memory, which must stay valid until done(), as must what it points to. */
struct payload_insert {
	const char *source;
	const char *request_id;
	const struct insert_body *body; /* with its content_type and headers */
	/* Called once, from the event loop, or from payloads_keep() if it fails at once.  f NULL: the request is
	 * durable, unless the day has no partition: then is_kept is false.  With a fault, that is unknown. */
	void (*done)(struct payload_insert *insert, bool is_kept, const struct fault *f);

	/* Private to payloads.c. */
	bool in_batch; /* otherwise in the list of those that wait */
	TAILQ_ENTRY(payload_insert) pending;
};

struct payloads;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct payloads *payloads_create(struct connect_state *connect_state);

/* Accepts NULL.  done() of those that still wait is not called. */
void payloads_destroy(struct payloads *all);

/* insert->done() may be called from here. */
void payloads_keep(struct payloads *all, struct payload_insert *insert);

/* Withdraws one that waits: done() will not be called.  It may be kept all the same. */
void payloads_withdraw(struct payloads *all, struct payload_insert *insert);
