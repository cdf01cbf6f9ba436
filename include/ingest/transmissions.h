#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "auth/digest.h"
#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* Remembers which body came first with a transmission id that a provider has signed.  PayPal signs no more of a body
 * than its CRC-32, and other bodies with that CRC can be found: a second body under one signature is detected here.
 *
 * All responders share what is remembered, in the table payhook.transmissions, for longer than a signature is valid.
 * Many transmissions go by one statement, on a connection of its own. */

#define TRANSMISSIONS_WAITING_MAX 4096 /* those in the batch included; further ones fail, FAULT_BUSY */
#define TRANSMISSIONS_BATCH_MAX 500    /* in one statement */

/* One transmission, in the caller's memory, which must stay valid until done(), as must the texts. */
struct transmission {
	const char *source; /* 1 to 64 bytes */
	const char *id;     /* 1 to 255 bytes; its signature has been verified */
	unsigned char body_sha256[DIGEST_SHA256_LEN];
	/* Called once, from the event loop, or from transmissions_remember() if it fails at once.  is_same: the body is
	 * the first one that came with this id, now or before.  With a fault, that is unknown. */
	void (*done)(struct transmission *t, bool is_same, const struct fault *f);

	/* Private to transmissions.c. */
	bool in_batch; /* otherwise in the list of those that wait */
	TAILQ_ENTRY(transmission) pending;
};

struct transmissions;

/* connect_state must outlive it.  Returns NULL if out of memory. */
MUST_USE struct transmissions *transmissions_create(struct connect_state *connect_state);

/* Accepts NULL.  done() of those that still wait is not called. */
void transmissions_destroy(struct transmissions *all);

/* t->done() may be called from here. */
void transmissions_remember(struct transmissions *all, struct transmission *t);

/* Withdraws one that waits: done() will not be called.  It may be remembered all the same. */
void transmissions_withdraw(struct transmissions *all, struct transmission *t);
