/* notifier.c - coalesced NOTIFY. */

#include "ingest/notifier.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

static const struct statement NOTIFY = {"notify", "SELECT pg_notify('jobs', '')"};

struct notifier {
	struct lane *lane;
	struct event *rest; /* pending: one was sent a moment ago */
	bool dirty;         /* jobs have come since the last one was sent */
};

static void on_notified(void *ctx, const struct pg_result *r, const struct fault *f)
{
	/* Lost: the workers' own look finds the jobs. */
	(void)ctx, (void)r, (void)f;
}

/* The flag is cleared before sending: jobs that come while it is under way are told by the next. */
static void send_if_due(struct notifier *n)
{
	if (!n->dirty || !lane_is_ready(n->lane) || evtimer_pending(n->rest, NULL))
		return;
	n->dirty = false;
	struct timeval tv = {.tv_usec = NOTIFIER_REST_MS * 1000};
	evtimer_add(n->rest, &tv);
	struct db_params params = {0};
	lane_send(n->lane, &NOTIFY, &params, on_notified);
}

static void on_ready(void *ctx)
{
	send_if_due(ctx);
}

static void on_rest(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	send_if_due(arg);
}

static const struct statement *const STATEMENTS[] = {&NOTIFY};

static const struct lane_plan PLAN = {
	.name = "payhook-app notify",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = ANSWER_MS,
	.ready = on_ready,
};

struct notifier *notifier_create(struct lanes *lanes)
{
	struct notifier *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->rest = evtimer_new(lanes->base, on_rest, n);
	n->lane = lane_create(lanes, &PLAN, n);
	if (!n->rest || !n->lane) {
		notifier_destroy(n);
		return NULL;
	}
	return n;
}

void notifier_destroy(struct notifier *n)
{
	if (!n)
		return;
	lane_destroy(n->lane);
	if (n->rest)
		event_free(n->rest);
	free(n);
}

void notifier_mark(struct notifier *n)
{
	n->dirty = true;
	send_if_due(n);
}
