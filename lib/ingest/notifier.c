/* notifier.c - one NOTIFY for all commits of the last moments.
 *
 * A flag and a timer: a commit sets the flag, and one NOTIFY clears it for all.  Nothing is sent again after a failure,
 * since a notification is only a hint. */

#include "ingest/notifier.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"

#define ANSWER_MS 3000

/* Notifies every worker that listens, at its commit.  Its commit takes the cluster-wide lock that notifier.h describes;
 * the pause between two of them bounds how often. */
static const struct statement NOTIFY = {"notify", "SELECT pg_notify('jobs', '')"};

struct notifier {
	struct connection *connection;
	struct event *rest; /* pending: the last one was sent less than NOTIFIER_REST_MS ago */
	bool dirty;         /* jobs were added after the last one was sent */
};

static void notifier_on_notified(void *ctx, const struct pg_result *r, const struct fault *f)
{
	/* A lost one is not sent again: the workers find the jobs by themselves. */
	(void)ctx, (void)r, (void)f;
}

/* The flag is cleared before sending: jobs added while the statement is under way set it again, for the next one. */
static void notifier_send_if_due(struct notifier *n)
{
	if (!n->dirty || !connection_is_ready(n->connection) || evtimer_pending(n->rest, NULL))
		return;
	n->dirty = false;
	struct timeval tv = clock_timeval(NOTIFIER_REST_MS);
	evtimer_add(n->rest, &tv);
	struct db_params params = {0};
	connection_send(n->connection, &NOTIFY, &params, notifier_on_notified);
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

static const struct statement *const STATEMENTS[] = {&NOTIFY};

static const struct connection_plan PLAN = {
	.name = "payhook-app notify",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
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
	free(n);
}

void notifier_mark(struct notifier *n)
{
	n->dirty = true;
	notifier_send_if_due(n);
}
