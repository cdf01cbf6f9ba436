/* maintenance.c - the partitions of payloads and job_attempts, the deletion of expired transactions, the walk over all
 * lanes, the operations of operators, and the worker's counts.
 *
 * A round begins when the connection is first made, and about every hour from then on: first the clock by which ages
 * are reckoned, then the partitions, a step at a time, then batches of transactions until one is not full.  A failed
 * statement ends its part of the round, and the next round does it again, so nothing here is urgent.  Every worker does
 * all of it: there is no leader to elect, and the statements are safe when run by several at once.  The steps of the
 * walk go between them, as do the batches of operations and the counts of each second. */

#include "queue/maintenance.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/parked.h"
#include "queue/retention.h"

#define ANSWER_MS 30000 /* for a statement; no request or job waits for it */

/* Creates the partitions of the next days, or makes one step of dropping an expired one (schema/0019_payloads.sql).
 * Returns what it did; null: there is nothing to do, or another worker is at it, or what there is to do is in use and
 * left to the next round.  The partition of a day must exist before the day begins; otherwise that day's attempts go
 * into the default partition, and stay there, and its payloads are not kept.
 *
 * Its locks conflict with inserts, so the function waits 20 ms for each at most, and a step commits before the next.  A
 * lost answer does no harm: the next call goes on from what is there. */
static const struct statement KEEP_PARTITIONS = {"keep_partitions", "SELECT payhook.keep_partitions($1::int, $2::int)"};

/* Does the next batch of an operation, if one is due, and returns in how many milliseconds a further one is; null: none
 * runs (schema/0036_operations.sql).
 *
 * By two workers at once: each does a batch of another operation, or the second does nothing.  The commit waits for the
 * disk, because it assigns ids to jobs.  A lost answer: how far the operation is stands in its row. */
static const struct statement RUN_OPERATIONS = {"run_operations", "SELECT payhook.run_operations()"};

struct maintenance {
	struct connection *connection;
	const struct maintenance_events *events;
	void *ctx;
	struct event *timer;
	struct maintenance_days days;
	char clock[RETENTION_PLACE_MAX]; /* that of this round, by which ages are reckoned; empty: unknown */
	int64_t partitions_at_ms;       /* when the next step of partitions is due; INT64_MAX: this round has no more */
	int64_t advanced_ms;            /* clock_ms() when the clock was last advanced; 0: never */
	int64_t elapsed_ms;             /* by which it is advanced now */
	int64_t round_at_ms;            /* when the next round begins */
	int64_t batch_at_ms;            /* when the next batch of this round is due; INT64_MAX: there is none */
	char past[RETENTION_PLACE_MAX]; /* where the next batch begins */
	int64_t deleted;                /* in this round */
	struct parked_walk walk;
	int64_t operations_at_ms; /* when the next look for operations is due */
	int64_t rates_at_ms;      /* when counts may be sent again */
	struct rates rates;
	int64_t walk_at_ms;   /* when its next step is due */
	int64_t walk_sent_ms; /* when the step under way was sent */
};

static void maintenance_set_timer(struct maintenance *m)
{
	int64_t at_ms = m->batch_at_ms < m->round_at_ms ? m->batch_at_ms : m->round_at_ms;
	if (m->partitions_at_ms < at_ms)
		at_ms = m->partitions_at_ms;
	at_ms = m->walk_at_ms < at_ms ? m->walk_at_ms : at_ms;
	at_ms = m->operations_at_ms < at_ms ? m->operations_at_ms : at_ms;
	if (rates_are_due(&m->rates) && m->rates_at_ms < at_ms)
		at_ms = m->rates_at_ms;
	struct timeval tv = clock_timeval(at_ms - clock_ms());
	evtimer_add(m->timer, &tv);
}

/* Reports a rejected statement.  A lost connection is reported by the queue's and the heartbeat's callbacks. */
static void maintenance_failed(struct maintenance *m, const char *doing, const struct fault *f)
{
	if (connection_is_ready(m->connection))
		m->events->trouble(m->ctx, doing, f);
}

/* Ends a round, whether it was completed or not, and reports its deletions. */
static void end_round(struct maintenance *m)
{
	m->batch_at_ms = INT64_MAX;
	if (m->deleted > 0)
		m->events->transactions(m->ctx, m->deleted);
	m->deleted = 0;
}

static void maintenance_on_deleted(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	if (!r) {
		maintenance_failed(m, "delete old transactions", f);
		end_round(m);
		return;
	}
	m->deleted += db_int8(r, 0, 0);
	if (db_int8(r, 0, 1) < MAINTENANCE_BATCH) {
		end_round(m);
		return;
	}
	snprintf(m->past, sizeof m->past, "%s", db_text(r, 0, 2));
	m->batch_at_ms = clock_ms() + MAINTENANCE_PAUSE_MS;
}

static void maintenance_on_partitions(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	if (!r) {
		maintenance_failed(m, "keep partitions", f);
	} else if (!db_null(r, 0, 0)) {
		m->events->partitions(m->ctx, db_text(r, 0, 0));
		m->partitions_at_ms = clock_ms() + MAINTENANCE_PAUSE_MS;
		return;
	}
	if (m->days.transactions > 0 && m->clock[0]) {
		snprintf(m->past, sizeof m->past, "-infinity");
		m->batch_at_ms = clock_ms();
	}
}

/* Without the clock nothing is deleted in this round. */
static void maintenance_on_clock(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	m->partitions_at_ms = clock_ms();
	m->clock[0] = '\0';
	if (!r) {
		maintenance_failed(m, "advance the clock of retention", f);
		return;
	}
	if (db_rows(r) == 0)
		return;
	snprintf(m->clock, sizeof m->clock, "%s", db_text(r, 0, 2));
	int64_t before_ms = db_int8(r, 0, 0), after_ms = db_int8(r, 0, 1);
	if (before_ms < -MAINTENANCE_JUMP_MS || after_ms > MAINTENANCE_JUMP_MS)
		m->events->jump(m->ctx, before_ms < 0 ? before_ms : after_ms);
}

/* The next round is up to a tenth of an hour later, at random, so that workers started together drift apart. */
static void begin_round(struct maintenance *m)
{
	m->round_at_ms = clock_ms() + clock_jitter(MAINTENANCE_EVERY_MS, MAINTENANCE_EVERY_MS / 10 * 11);
	struct db_params p = {0};
	int64_t now_ms = clock_ms();
	m->elapsed_ms = m->advanced_ms ? now_ms - m->advanced_ms : 0;
	m->advanced_ms = now_ms;
	db_params_add_int8(&p, m->elapsed_ms);
	connection_send(m->connection, &RETENTION_CLOCK, &p, maintenance_on_clock);
}

static void send_partitions(struct maintenance *m)
{
	struct db_params p = {0};
	m->partitions_at_ms = INT64_MAX;
	db_params_add_int8(&p, m->days.payloads);
	db_params_add_int8(&p, m->days.attempts);
	connection_send(m->connection, &KEEP_PARTITIONS, &p, maintenance_on_partitions);
}

static void send_batch(struct maintenance *m)
{
	struct db_params p = {0};
	retention_params(&p, m->days.transactions, m->past, MAINTENANCE_BATCH, m->clock);
	connection_send(m->connection, &RETENTION, &p, maintenance_on_deleted);
}

/* Workers find the activated jobs by themselves. */
static void maintenance_on_walked(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	if (r)
		parked_walk_seen(&m->walk, r);
	else
		maintenance_failed(m, "walk all lanes", f);
	m->walk.is_behind = r && m->walk.is_behind;
	m->walk_at_ms = clock_ms() + parked_walk_rest_ms(&m->walk, clock_ms() - m->walk_sent_ms);
}

static void send_walk(struct maintenance *m)
{
	struct db_params p = {0};
	m->walk_sent_ms = clock_ms();
	parked_walk_params(&m->walk, &p);
	connection_send(m->connection, &PARKED_WALK, &p, maintenance_on_walked);
}

static void maintenance_on_operations(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	if (!r)
		maintenance_failed(m, "carry out an operation", f);
	bool is_running = r && !db_null(r, 0, 0);
	m->operations_at_ms = clock_ms() + (is_running ? db_int8(r, 0, 0) : MAINTENANCE_OPERATIONS_MS);
}

static void send_operations(struct maintenance *m)
{
	struct db_params none = {0};
	connection_send(m->connection, &RUN_OPERATIONS, &none, maintenance_on_operations);
}

static void maintenance_on_counted(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct maintenance *m = ctx;
	if (!r)
		maintenance_failed(m, "add counts", f);
}

static void send_rates(struct maintenance *m)
{
	struct db_params p = {0};
	m->rates_at_ms = clock_ms() + RATES_EVERY_MS;
	rates_params(&m->rates, &p);
	connection_send(m->connection, &RATES_ADD, &p, maintenance_on_counted);
}

/* The counts go first, as they are of this second; the parts of a round next, which are due rarely. */
static void maintenance_send_next(struct maintenance *m)
{
	if (!connection_is_ready(m->connection))
		return;
	int64_t now_ms = clock_ms();
	if (rates_are_due(&m->rates) && m->rates_at_ms <= now_ms)
		send_rates(m);
	else if (m->batch_at_ms <= now_ms)
		send_batch(m);
	else if (m->partitions_at_ms <= now_ms)
		send_partitions(m);
	else if (m->round_at_ms <= now_ms)
		begin_round(m);
	else if (m->operations_at_ms <= now_ms)
		send_operations(m);
	else if (m->walk_at_ms <= now_ms)
		send_walk(m);
	else
		maintenance_set_timer(m);
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

static const struct statement *const STATEMENTS[] = {
	&RETENTION_CLOCK, &KEEP_PARTITIONS, &RETENTION, &PARKED_WALK, &RUN_OPERATIONS, &RATES_ADD};

static const struct connection_plan PLAN = {
	.name = "payhook-worker maintenance",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = RETENTION_OPTIONS,
	.answer_ms = ANSWER_MS,
	.ready = maintenance_on_ready,
};

struct maintenance *maintenance_create(struct connect_state *connect_state, const struct maintenance_days *days,
	const struct maintenance_events *events, void *ctx)
{
	struct maintenance *m = calloc(1, sizeof *m);
	if (!m)
		return NULL;
	m->events = events;
	m->ctx = ctx;
	m->days = *days;
	m->partitions_at_ms = INT64_MAX;
	m->batch_at_ms = INT64_MAX;
	m->walk.from = INT64_MIN;
	m->timer = evtimer_new(connect_state->base, maintenance_on_timer, m);
	m->connection = connection_create(connect_state, &PLAN, m);
	if (!m->timer || !m->connection) {
		maintenance_destroy(m);
		return NULL;
	}
	return m;
}

void maintenance_count(struct maintenance *m, const char *source, enum rate what)
{
	bool was_due = rates_are_due(&m->rates);
	rates_add(&m->rates, source, what);
	if (!was_due && connection_is_ready(m->connection))
		maintenance_set_timer(m);
}

void maintenance_destroy(struct maintenance *m)
{
	if (!m)
		return;
	end_round(m);
	connection_destroy(m->connection);
	if (m->timer)
		event_free(m->timer);
	rates_finish(&m->rates);
	free(m);
}
