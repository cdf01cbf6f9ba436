/* calls.c - sends the console's statements over its two connections.
 *
 * Each statement is planned with the values of its parameters (force_custom_plan): a plan for all values reads a whole table for a
 * filter that is absent.  The server cancels a statement after 2 s, before the deadline here, so a slow one does not cost its
 * connection.  No statement is repeated: after a lost answer an act may have taken effect, and the caller says so to the client. */

#include "calls.h"

#include <stdlib.h>

#define ANSWER_MS 2500 /* the server's own limit of 2 s comes first */
#define OPTIONS "-c statement_timeout=2s -c plan_cache_mode=force_custom_plan"

struct calls_connection {
	struct calls *calls;
	struct connection *connection;
	struct call *call; /* the one that waits for the answer; NULL: none, or it was withdrawn */
};

struct calls {
	struct connection_plan plan;
	const struct calls_events *events;
	void *ctx;
	TAILQ_HEAD(, call) pending;
	struct calls_connection connections[CALLS_CONNECTIONS];
};

static void calls_on_done(void *ctx, const struct pg_result *result, const struct fault *f)
{
	struct calls_connection *cc = ctx;
	struct call *call = cc->call;
	cc->call = NULL;
	if (call)
		call->done(call, result, f, f && (f->kind != FAULT_BUSY || connection_rolled_back(cc->connection)));
}

static void send_call(struct calls_connection *cc, struct call *call)
{
	struct db_params params = {0};
	call->fill(call, &params);
	call->is_sent = true;
	cc->call = call;
	connection_send(cc->connection, call->statement, &params, calls_on_done);
}

static void calls_on_ready(void *ctx)
{
	struct calls_connection *cc = ctx;
	struct call *call = TAILQ_FIRST(&cc->calls->pending);
	if (!call)
		return;
	TAILQ_REMOVE(&cc->calls->pending, call, pending);
	send_call(cc, call);
}

static bool is_reachable(const struct calls *c)
{
	for (int i = 0; i < CALLS_CONNECTIONS; i++) {
		if (connection_is_reachable(c->connections[i].connection))
			return true;
	}
	return false;
}

static void calls_on_up(void *ctx)
{
	struct calls_connection *cc = ctx;
	cc->calls->events->up(cc->calls->ctx);
}

/* Calls wait for a connection only as long as one may come. */
static void calls_on_down(void *ctx, const struct fault *why)
{
	struct calls_connection *cc = ctx;
	struct calls *c = cc->calls;
	struct call *call;
	if (is_reachable(c))
		return;
	c->events->down(c->ctx, why);
	while ((call = TAILQ_FIRST(&c->pending))) {
		TAILQ_REMOVE(&c->pending, call, pending);
		call->done(call, NULL, why, true);
	}
}

struct calls *calls_create(struct connect_state *connect_state, const struct statement *const *statements, size_t count,
	const struct calls_events *events, void *ctx)
{
	struct calls *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->plan = (struct connection_plan){.name = "payhook-console",
		.statements = statements,
		.statement_count = count,
		.options = OPTIONS,
		.answer_ms = ANSWER_MS,
		.up = calls_on_up,
		.ready = calls_on_ready,
		.down = calls_on_down};
	c->events = events;
	c->ctx = ctx;
	TAILQ_INIT(&c->pending);
	for (int i = 0; i < CALLS_CONNECTIONS; i++) {
		struct calls_connection *cc = &c->connections[i];
		cc->calls = c;
		cc->connection = connection_create(connect_state, &c->plan, cc);
		if (!cc->connection) {
			calls_destroy(c);
			return NULL;
		}
	}
	return c;
}

void calls_destroy(struct calls *c)
{
	if (!c)
		return;
	for (int i = 0; i < CALLS_CONNECTIONS; i++)
		connection_destroy(c->connections[i].connection);
	free(c);
}

void calls_send(struct calls *c, struct call *call)
{
	struct fault f;
	call->is_sent = false;
	for (int i = 0; i < CALLS_CONNECTIONS; i++) {
		if (connection_is_ready(c->connections[i].connection)) {
			send_call(&c->connections[i], call);
			return;
		}
	}
	if (!is_reachable(c)) {
		fault_set(&f, FAULT_BUSY, "the database is away");
		call->done(call, NULL, &f, true);
		return;
	}
	TAILQ_INSERT_TAIL(&c->pending, call, pending);
}

void calls_withdraw(struct calls *c, struct call *call)
{
	if (!call->is_sent) {
		TAILQ_REMOVE(&c->pending, call, pending);
		return;
	}
	for (int i = 0; i < CALLS_CONNECTIONS; i++) {
		if (c->connections[i].call == call)
			c->connections[i].call = NULL;
	}
}
