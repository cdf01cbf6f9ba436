#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"

/* The webhooks that wait for a batch, so that no sender can make others wait.
 *
 * Each source has a queue, and the queues take turns: a batch takes one identity of each in turn until it is full, so a
 * source with few webhooks has them in the next batch, whatever waits of the others.  In a queue the identities take turns
 * in the same way.  If one has several contents, a batch takes the first of them, and the identity goes to the tail with
 * the rest.
 *
 * An identity is contested while it has several contents, or one that was found to be a conflict.  These are apart from the
 * others, and a batch takes BATCH_CONFLICTS_MAX of them: conflicts change nothing that is stored, and what they cost must
 * not be a delay of webhooks that do.
 *
 * Nothing here costs more the more webhooks wait: identities are found by a hash, and what is compared one by one has a
 * bound. */

#define PENDING_MAX 4096        /* webhooks waiting, those of the batch and copies included */
#define PENDING_CONTENTS_MAX 16 /* contents of one identity; a conflict needs a batch for each */
#define PENDING_SOURCES_MAX 257 /* app/submission.c asserts that it is the number of sources at least */

struct pending;

/* Returns NULL if out of memory. */
MUST_USE struct pending *pending_create(void);

/* Accepts NULL.  Forgets the webhooks that wait. */
void pending_destroy(struct pending *p);

/* Adds a new webhook.  FAULT_BUSY if as many wait as may:
 *   of its source, as many as there is room for in all: so one source can take half of PENDING_MAX, two can take a third
 *   each, and there is always room for another;
 *   of its identity, PENDING_CONTENTS_MAX contents other than its own. */
MUST_USE bool pending_add(struct pending *p, struct pending_insert *insert, struct fault *f);

/* Puts a webhook that is in no batch any more, with its copies, behind those that wait.  is_contested: it was found to be
 * a conflict, or it has to be alone. */
void pending_put_back(struct pending *p, struct pending_insert *insert, bool is_contested);

/* Withdraws a webhook that is in no batch, or a copy of a member of a batch. */
void pending_withdraw(struct pending *p, struct pending_insert *insert);

/* Takes the next webhook, with its copies.  Returns NULL if none waits. */
struct pending_insert *pending_take(struct pending *p);

/* Takes the next batch.  *b must be empty. */
void pending_take_batch(struct pending *p, struct batch *b);

/* Makes room: to be called for each webhook added, when it has its outcome or is withdrawn. */
void pending_forget(struct pending *p, const struct pending_insert *insert);
