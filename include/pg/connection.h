#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "pg/connect_state.h"
#include "pg/db.h"

/* A connection to PostgreSQL on an event loop, with one statement in progress at a time.
 *
 * There is no queue.  While a statement is in progress its owner collects work, and when the connection is ready the
 * owner sends all of it in one statement.  Batches therefore grow with the load.
 *
 * The connection is made, and made again after a loss, without the owner: with a jittered, growing pause between
 * attempts, and with all statements prepared before it is reported as up.
 *
 * libpq's asynchronous calls have no deadlines, so an attempt and a statement have one here.  A statement that is not
 * answered in time fails, and its connection is left: it is abandoned (pg/abandoned.h), and a new one is made, to the
 * next server that answers.  A server is also left when it has become read-only or a standby.  All connections of a
 * process use one server (pg/connect_state.h): a connection to another one fails its statement and moves. */

struct connection;

/* Server settings for a connection whose statements find each row by its key.  PostgreSQL may keep the plan of a
 * prepared statement.  A plan that was made while the table was almost empty would scan the whole table for each row,
 * until the table is analyzed again.  With both kinds of scan discouraged, a plan is an index scan from the start.  It is the
 * best there is, so none is made for the parameters of one execution: PostgreSQL expects ten rows of an array that it does not
 * know, and would make a plan for each batch of fewer, which takes longer than the batch. */
#define CONNECTION_BY_KEY "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off"

/* The purpose of a connection, and its callbacks.  The callbacks run from the event loop, never from inside a function
 * of this header, and must not destroy the connection. */
struct connection_plan {
	const char *name;                          /* application_name, unless the environment or the string sets one */
	const struct statement *const *statements; /* prepared after each connect, in this order */
	size_t statement_count;
	const char *options;      /* server settings, "-c name=value ..."; the string's come after them; or NULL */
	const char *greeting;     /* one SQL statement that runs after each connect, such as LISTEN; or NULL */
	int answer_ms;            /* deadline of a statement, here and, as statement_timeout, in the server */
	void (*up)(void *ctx);    /* connected, statements prepared; ready() is called next; may be NULL */
	void (*ready)(void *ctx); /* no statement is in progress: connection_send() may be called, once */
	void (*down)(void *ctx, const struct fault *why); /* the connection was lost, or an attempt failed; or NULL */
	void (*notified)(void *ctx);                      /* one or more notifications arrived; or NULL */
};

/* Called once for each connection_send(), unless the connection is destroyed first: with the result, borrowed for the
 * call, or with NULL and the fault.  After FAULT_BUSY it is unknown whether the statement took effect; after any other
 * kind it did not.  The function must not call connection_send(); ready() follows as soon as that is possible. */
typedef void connection_done(void *ctx, const struct pg_result *result, const struct fault *f);

/* Creates a connection; the event loop makes the first attempt.  plan is borrowed and must outlive the connection, as
 * must ctx, which the callbacks receive.  Returns NULL if there is no memory. */
MUST_USE struct connection *connection_create(
	struct connect_state *connect_state, const struct connection_plan *plan, void *ctx);

/* Closes the connection and frees it.  The statement in progress may still take effect; its done() is not called.  NULL
 * is allowed. */
void connection_destroy(struct connection *c);

/* Whether connection_send() may be called now. */
bool connection_is_ready(const struct connection *c);

/* For a connection_done() that received FAULT_BUSY: whether the server itself rejected the statement, as it does when a
 * resource is exhausted or the statement is cancelled.  Then the statement certainly did not take effect. */
bool connection_rolled_back(const struct connection *c);

/* Whether work may wait for this connection.  True while it is connected, and during the first attempt after the start
 * or after a loss.  False once an attempt has failed, until the next one succeeds. */
bool connection_is_reachable(const struct connection *c);

/* Sends one of the plan's statements.  The connection must be ready.  params are borrowed until the function returns.
 * done is never called before that, also when sending fails. */
void connection_send(
	struct connection *c, const struct statement *s, const struct db_params *params, connection_done *done);
