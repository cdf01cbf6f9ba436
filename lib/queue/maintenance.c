/* maintenance.c - partitions of attempts, and the end of old transactions.
 *
 * A round begins when the connection first stands, and every hour from then on: the attempts, then batches of
 * transactions until one is not full. */

#include "queue/maintenance.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/retention.h"

#define ANSWER_MS 30000 /* for a statement; nobody waits for it */

/* A day's partition must be there before the day, or its rows go among the others for good. */
static const struct statement KEEP_ATTEMPTS = {"keep_attempts", "SELECT payhook.keep_attempts($1::int)"};

struct maintenance {
	struct connection *connection;
	const struct maintenance_events *events;
	void *ctx;
	struct event *timer;
	int attempts_days, transactions_days;
	int64_t round_at_ms;            /* the next round begins */
	int64_t batch_at_ms;            /* the next batch of this round; INT64_MAX: it has none */
	char past[RETENTION_PLACE_MAX]; /* where the next batch begins */
	int64_t deleted;                /* in this round */
};

static void maintenance_set_timer(struct maintenance *k)
{
	int64_t at_ms = k->batch_at_ms < k->round_at_ms ? k->batch_at_ms : k->round_at_ms;
	int64_t ms = at_ms - clock_ms();
	ms = ms > 0 ? ms : 0;
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	evtimer_add(k->timer, &tv);
}

/* A lost connection is told by the lanes that work on it all the time. */
static void maintenance_failed(struct maintenance *k, const char *doing, const struct fault *f)
{
	if (connection_is_ready(k->connection))
		k->events->trouble(k->ctx, doing, f);
}

/* The end of a round, whether it did all it had to or not. */
static void end_round(struct maintenance *k)
{
	k->batch_at_ms = INT64_MAX;
	if (k->deleted > 0)
		k->events->transactions(k->ctx, k->deleted);
	k->deleted = 0;
}

static void maintenance_on_deleted(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *k = ctx;
	if (!r) {
		maintenance_failed(k, "delete old transactions", f);
		end_round(k);
		return;
	}
	int64_t rows = db_int8(r, 0, 0);
	k->deleted += rows;
	if (rows < MAINTENANCE_BATCH) {
		end_round(k);
		return;
	}
	snprintf(k->past, sizeof k->past, "%s", db_text(r, 0, 1));
	k->batch_at_ms = clock_ms() + MAINTENANCE_PAUSE_MS;
}

static void maintenance_on_attempts(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *k = ctx;
	if (!r)
		maintenance_failed(k, "keep partitions of attempts", f);
	else if (!db_null(r, 0, 0))
		k->events->attempts(k->ctx, db_text(r, 0, 0));
	if (k->transactions_days > 0) {
		snprintf(k->past, sizeof k->past, "-infinity");
		k->batch_at_ms = clock_ms();
	}
}

/* Up to a tenth later, so that workers which were started together drift apart. */
static void begin_round(struct maintenance *k)
{
	uint32_t random;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	k->round_at_ms = clock_ms() + MAINTENANCE_EVERY_MS + (int64_t)(random % (MAINTENANCE_EVERY_MS / 10));
	struct db_params p = {0};
	db_params_add_int8(&p, k->attempts_days);
	connection_send(k->connection, &KEEP_ATTEMPTS, &p, maintenance_on_attempts);
}

static void send_batch(struct maintenance *k)
{
	struct db_params p = {0};
	retention_params(&p, k->transactions_days, k->past, MAINTENANCE_BATCH);
	connection_send(k->connection, &RETENTION, &p, maintenance_on_deleted);
}

static void maintenance_send_next(struct maintenance *k)
{
	if (!connection_is_ready(k->connection))
		return;
	int64_t now_ms = clock_ms();
	if (k->batch_at_ms <= now_ms)
		send_batch(k);
	else if (k->round_at_ms <= now_ms)
		begin_round(k);
	else
		maintenance_set_timer(k);
}

static void maintenance_on_ready(void *ctx)
{
	maintenance_send_next(ctx);
}

static void maintenance_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	maintenance_send_next(arg);
}

static const struct statement *const STATEMENTS[] = {&KEEP_ATTEMPTS, &RETENTION};

static const struct connection_plan PLAN = {
	.name = "payhook-worker maintenance",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = RETENTION_OPTIONS,
	.answer_ms = ANSWER_MS,
	.ready = maintenance_on_ready,
};

struct maintenance *maintenance_create(struct connect_state *connect_state, int attempts_days, int transactions_days,
	const struct maintenance_events *events, void *ctx)
{
	struct maintenance *k = calloc(1, sizeof *k);
	if (!k)
		return NULL;
	k->events = events;
	k->ctx = ctx;
	k->attempts_days = attempts_days;
	k->transactions_days = transactions_days;
	k->batch_at_ms = INT64_MAX;
	k->timer = evtimer_new(connect_state->base, maintenance_on_timer, k);
	k->connection = connection_create(connect_state, &PLAN, k);
	if (!k->timer || !k->connection) {
		maintenance_destroy(k);
		return NULL;
	}
	return k;
}

void maintenance_destroy(struct maintenance *k)
{
	if (!k)
		return;
	end_round(k);
	connection_destroy(k->connection);
	if (k->timer)
		event_free(k->timer);
	free(k);
}
