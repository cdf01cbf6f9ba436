#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "pg/db.h"

/* A lane is one connection to PostgreSQL on an event loop, with one statement under way at a time.
 *
 * Batches form by themselves around it: while a statement is under way its owner collects, and when the lane is ready
 * the owner sends what it has.  There is no queue inside.
 *
 * Every wait has a deadline of our own, since libpq has none.  A lane connects by itself, again and again with a
 * jittered pause, prepares its statements, and says when it is up or down.  A statement that is not answered in time
 * fails, and its connection is set aside as a stray until the server answers it or drops it; a process has two strays
 * at most, so that a stalled server is not asked for ever more connections.  With two out, the lane waits for its own. */

struct event_base;

/* What the lanes of one process share. */
struct connect_state {
	struct event_base *base;
	const char *conninfo; /* libpq's connection string or URI; borrowed */
	int abandoned;        /* connections set aside now */
};

struct connection;

/* Options of a connection whose statements look up each row by its key.  Their plans are made once and kept: one from when
 * the table had a page or none would read all of it for each row, until the statistics are taken again. */
#define CONNECTION_BY_KEY "-c enable_seqscan=off -c enable_bitmapscan=off"

/* What a lane is for, and whom it tells.  The callbacks run from the event loop, never from inside a call of ours. */
struct connection_plan {
	const char *name;                          /* the connection's application_name */
	const struct statement *const *statements; /* prepared on every connection */
	size_t statement_count;
	const char *options;      /* server settings of the connection, "-c name=value ..."; or NULL */
	const char *greeting;     /* SQL to run once a connection stands, such as LISTEN; or NULL */
	int answer_ms;            /* how long a statement may take */
	void (*up)(void *ctx);    /* a new connection stands; ready() follows; or NULL */
	void (*ready)(void *ctx); /* nothing is under way: connection_send() may be called, once */
	void (*down)(void *ctx, const struct fault *why); /* the connection, or an attempt at one, was lost; or NULL */
	void (*notified)(void *ctx);                      /* notifications came; or NULL */
};

/* Told once for each connection_send(): with the result, borrowed for the call, or with the reason there is none.  A fault
 * of kind FAULT_BUSY leaves open whether the statement took effect. */
typedef void connection_done(void *ctx, const struct pg_result *result, const struct fault *f);

/* plan and ctx stay the caller's and must outlive the lane.  NULL: out of memory. */
MUST_USE struct connection *connection_create(
	struct connect_state *connect_state, const struct connection_plan *plan, void *ctx);
void connection_destroy(struct connection *l);

/* Whether connection_send() may be called now. */
bool connection_is_ready(const struct connection *l);

/* Whether waiting a moment makes sense: connected, or at the first attempt since the connection was lost. */
bool connection_is_reachable(const struct connection *l);

/* Sends one of the plan's statements.  Never calls done before it returns. */
void connection_send(
	struct connection *l, const struct statement *s, const struct db_params *params, connection_done *done);
