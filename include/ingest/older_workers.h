#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "pg/connection.h"

/* Whether a worker is running that cannot process what a responder is to store.  It is asked once, when the responder
 * starts, on a connection that is closed afterwards.
 *
 * A worker of a version before takes a transaction without an amount for one whose row is gone, and gives its job up.
 * So a responder with a source of which events may lack one does not start while such a worker lives. */

#define OLDER_WORKERS_LEVEL 1 /* of workers that process events of payments (workers.level) */

/* A worker below that level.  Borrowed for the call of done(). */
struct older_worker {
	const char *host;
	const char *version;
};

/* Called once, from the event loop, unless the question is withdrawn before: with a worker that is older, of several
 * any; with NULL and no fault if there is none; with NULL and the reason if the server does not answer the question.
 * While the database is away it is not called.  It may call older_workers_destroy(). */
typedef void older_workers_done(void *ctx, const struct older_worker *found, const struct fault *f);

struct older_workers;

/* Asks as soon as there is a connection.  connect_state and ctx must outlive it.  Returns NULL if out of memory. */
MUST_USE struct older_workers *older_workers_create(
	struct connect_state *connect_state, older_workers_done *done, void *ctx);

/* Withdraws the question, if it is not answered yet.  Accepts NULL. */
void older_workers_destroy(struct older_workers *w);
