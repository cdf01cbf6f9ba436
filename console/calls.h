#pragma once

#include <stdbool.h>
#include <sys/queue.h>

#include "base/base.h"
#include "pg/connection.h"

/* The console's calls of the database, over CALLS_CONNECTIONS connections of its own role.
 *
 * A statement that takes more than 2 s is cancelled by the server.  Calls that find no free connection wait in their order.  So
 * whatever operators ask for, the database has two statements of the console at a time, each within its bound. */

#define CALLS_CONNECTIONS 2

/* One call, in the caller's memory, which must stay valid until done() or calls_withdraw(). */
struct call {
	const struct statement *statement;
	/* Adds the statement's parameters, which are borrowed until it returns to calls.c. */
	void (*fill)(struct call *call, struct db_params *params);
	/* Called once, from the event loop or from calls_send().  result: the rows, borrowed for the call; NULL: f is the reason, and
	 * is_undone whether the statement certainly had no effect. */
	void (*done)(struct call *call, const struct pg_result *result, const struct fault *f, bool is_undone);

	/* Private to calls.c. */
	bool is_sent;
	TAILQ_ENTRY(call) pending;
};

/* Changes of the connection to the database, for the log. */
struct calls_events {
	void (*up)(void *ctx);
	void (*down)(void *ctx, const struct fault *why);
};

struct calls;

/* connect_state, statements, events and ctx must outlive it.  Returns NULL if out of memory. */
MUST_USE struct calls *calls_create(struct connect_state *connect_state, const struct statement *const *statements,
	size_t count, const struct calls_events *events, void *ctx);

/* Accepts NULL.  done() of calls that still wait is not called. */
void calls_destroy(struct calls *c);

/* call->done() may be called from here. */
void calls_send(struct calls *c, struct call *call);

/* Withdraws a call that waits: done() will not be called.  A statement under way may take effect all the same. */
void calls_withdraw(struct calls *c, struct call *call);
