/* notifier.c - one NOTIFY for all commits of the last moments, and before it one activation of their lanes.
 *
 * A flag and a timer: a commit sets the flag, and one NOTIFY clears it for all.  A NOTIFY is not sent again after a
 * failure, since it is only a hint.  Lanes are: until a worker's look finds them, their payments would stand still. */

#include "ingest/notifier.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pg/activation.h"

#define ANSWER_MS 3000

/* Notifies every worker that listens, at its commit.  Its commit takes the cluster-wide lock that notifier.h describes;
 * the pause between two of them bounds how often. */
static const struct statement NOTIFY = {"notify", "SELECT pg_notify('jobs', '')"};

struct notifier {
	struct connection *connection;
	struct event *rest; /* pending: the last one was sent less than NOTIFIER_REST_MS ago */
	bool dirty;         /* jobs were added after the last one was sent */
	bool activated;     /* the NOTIFY that follows an activation is due, and does not rest */
	struct activation activation;
};

static void notifier_on_notified(void *ctx, const struct pg_result *r, const struct fault *f)
{
	/* A lost one is not sent again: the workers find the jobs by themselves. */
	(void)ctx, (void)r, (void)f;
}

static void rest(struct notifier *n, int64_t ms)
{
	struct timeval tv = clock_timeval(ms);
	evtimer_add(n->rest, &tv);
}

/* After a loss of the connection, or a deadlock, the lanes are sent again.  Those that the server rejects are left to
 * the workers' look. */
static void notifier_on_activated(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct notifier *n = ctx;
	bool rejected = !r && f->kind != FAULT_AGAIN && connection_is_ready(n->connection);
	activation_end(&n->activation, r || rejected);
	n->activated = r && db_int8(r, 0, 0) > 0;
}

/* The flags are cleared before sending: jobs added while the statement is under way set dirty again, for the next
 * one. */
static void notifier_send_if_due(struct notifier *n)
{
	struct db_params params = {0};
	bool is_resting = evtimer_pending(n->rest, NULL) && !n->activated;
	if (!connection_is_ready(n->connection) || is_resting)
		return;
	if (activation_is_due(&n->activation) && !n->activated) {
		rest(n, NOTIFIER_REST_MS);
		activation_params(&n->activation, &params);
		connection_send(n->connection, &ACTIVATE, &params, notifier_on_activated);
	} else if (n->dirty || n->activated) {
		rest(n, NOTIFIER_REST_MS);
		n->dirty = n->activated = false;
		connection_send(n->connection, &NOTIFY, &params, notifier_on_notified);
	}
}

static void notifier_on_ready(void *ctx)
{
	notifier_send_if_due(ctx);
}

static void notifier_on_rest(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	notifier_send_if_due(arg);
}

static const struct statement *const STATEMENTS[] = {&NOTIFY, &ACTIVATE};

static const struct connection_plan PLAN = {
	.name = "payhook-app notify",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = CONNECTION_BY_KEY,
	.answer_ms = ANSWER_MS,
	.ready = notifier_on_ready,
};

struct notifier *notifier_create(struct connect_state *connect_state)
{
	struct notifier *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->rest = evtimer_new(connect_state->base, notifier_on_rest, n);
	n->connection = connection_create(connect_state, &PLAN, n);
	if (!n->rest || !n->connection) {
		notifier_destroy(n);
		return NULL;
	}
	return n;
}

void notifier_destroy(struct notifier *n)
{
	if (!n)
		return;
	connection_destroy(n->connection);
	if (n->rest)
		event_free(n->rest);
	activation_finish(&n->activation);
	free(n);
}

void notifier_mark(struct notifier *n)
{
	n->dirty = true;
	notifier_send_if_due(n);
}

void notifier_activate(struct notifier *n, int64_t lane)
{
	activation_add(&n->activation, lane);
	notifier_send_if_due(n);
}
