/* queue.c - a worker's jobs between the database and its memory: claim, settle, release.
 *
 * One statement is under way at a time.  When the connection is free, the next one is chosen: the activation of lanes
 * whose jobs were settled, a settlement that is due, a release that is due, or a claim if there may be ready jobs and
 * there is room.  A settlement takes turns with the other two when both are due.
 *
 * No claim is sent while a release is due, and none is under way while a release runs.  So a job that the database
 * assigns to this worker, and that is not in flight here, was lost with the answer of a claim or dropped, and may be
 * released.
 *
 * The database row decides, and memory follows: a job leaves the jobs in flight only by the result of a settlement, or
 * by queue_drop().  After a lost answer to a settlement the same batch is sent again.  Which workers are alive, and the
 * jobs of dead ones, are left to heartbeat.c. */

#include "queue/queue.h"

#include <event2/event.h>
#include <event2/util.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "pg/activation.h"
#include "queue/cursor.h"
#include "queue/release.h"
#include "queue/settle.h"

#define ANSWER_MS 10000 /* for a statement; no request waits for it.  QUEUE_AGAIN_MS is as long */
#define KEY_MAX 8192    /* bytes of a job's id and identity: an index row of the server holds a third of them at most */

struct queue {
	struct connection *connection;
	const struct queue_events *events;
	void *ctx;
	struct event *tick;
	struct event *send_soon;   /* sends the next statement from the loop, not from inside a call */
	struct event *settle_soon; /* makes a settlement due: at the end of this turn of the loop, or later */
	enum claim_form form;      /* what claims fetch */
	bool resting;              /* a statement was rejected: nothing is sent until the next tick */
	int64_t owner;             /* 0: claim nothing */
	struct inflight inflight;
	struct cursor cursor;
	struct queue_counters counters;

	/* Of the claim under way. */
	int64_t claim_owner;
	int64_t claim_cursor; /* the cursor when it was sent */
	int64_t claim_from;
	int claim_limit;
	int64_t claim_bodies; /* bytes of bodies that it may bring */

	/* Settlement. */
	struct settle_batch settle_batch;
	bool settle_batch_due; /* the waiting jobs have waited long enough */
	bool settled_last;     /* the last statement was a settlement */
	int64_t settled_ms;    /* when the last settlement was sent */

	/* Release. */
	bool release_due;
	bool claimed_before;      /* a claim was sent under this owner */
	bool claim_lost;          /* the answer to a claim was lost since the last release */
	bool keys_lost;           /* a key did not fit into memory */
	int64_t release_again_ms; /* when to release once more; 0: never */

	struct activation activation; /* the lanes whose job has ended */

	struct db_array arrays[SETTLE_ARRAYS]; /* parameters; kept for their memory */
	struct buf key;                        /* of one job in flight, for a release */
	struct buf body;                       /* of the row of a claim that is being read */
};

/* Handles a failed statement.  If the connection still stands, the server has rejected the statement; nothing is sent
 * before the next tick, except after a deadlock, which may succeed at once.  A lost connection is reported by
 * down(). */
static void queue_failed(struct queue *q, const char *doing, const struct fault *f)
{
	if (!connection_is_ready(q->connection))
		return;
	q->resting = f->kind != FAULT_AGAIN;
	q->events->trouble(q->ctx, doing, f);
}

/* Whether a statement that failed may have taken effect all the same: its answer was lost. */
static bool is_unknown(const struct queue *q, const struct fault *f)
{
	return f->kind == FAULT_BUSY && !connection_rolled_back(q->connection);
}

/* ---- claim ---- */

static int claim_limit(const struct queue *q)
{
	if (!q->owner || q->release_due || !q->cursor.wanted || claim_bodies(q->inflight.body_bytes) <= 0)
		return 0;
	int room = q->events->room(q->ctx);
	return room < QUEUE_CLAIM_MAX ? room : QUEUE_CLAIM_MAX;
}

/* Adds a claimed job to the jobs in flight.  A job that is declined is left to a release: to ours, or to
 * RESCUE_ORPHANS if the owner has changed since the claim was sent. */
static void take_row(struct queue *q, const struct pg_result *r, int row)
{
	struct job given;
	claim_read(r, row, q->claim_owner, q->form != CLAIM_IDENTITY, &given);
	if (given.id <= q->claim_cursor)
		q->counters.late++;
	struct job *j = inflight_find(&q->inflight, &given);
	if (j) {
		/* A crash undid our first claim, and this one repeats it: the call is under way. */
		j->owner = given.owner;
		j->attempt = given.attempt;
		return;
	}
	bool is_read = q->form != CLAIM_REQUEST || claim_read_request(r, row, &q->body, &given);
	j = is_read && q->claim_owner == q->owner ? q->events->claimed(q->ctx, &given) : NULL;
	if (j)
		inflight_add(&q->inflight, j);
	else
		q->release_due = q->resting = true; /* the reason lasts: no other claim before the next tick */
}

static void queue_on_claimed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	if (!r) {
		q->claim_lost = q->claim_lost || is_unknown(q, f);
		q->release_due = q->release_due || is_unknown(q, f);
		cursor_want_from(&q->cursor, q->claim_from);
		queue_failed(q, "claim", f);
		return;
	}
	int rows = db_rows(r);
	int64_t highest = q->claim_from; /* RETURNING has no order */
	for (int row = 0; row < rows; row++) {
		int64_t id = db_int8(r, row, 0);
		highest = id > highest ? id : highest;
		take_row(q, r, row);
	}
	q->counters.claimed += rows;
	buf_finish(&q->body);
	bool full = rows >= q->claim_limit || (q->form == CLAIM_REQUEST && claim_is_full(r, q->claim_bodies));
	cursor_found(&q->cursor, highest, full);
}

static void send_claim(struct queue *q, int limit)
{
	struct db_params params = {0};
	q->claim_owner = q->owner;
	q->claim_cursor = q->cursor.last;
	q->claim_from = cursor_look(&q->cursor);
	q->claim_limit = limit;
	q->claimed_before = true;
	q->settled_last = false;
	q->claim_bodies = claim_bodies(q->inflight.body_bytes);
	claim_params(&params, q->claim_from, limit, q->owner);
	const struct statement *claim = claim_statement(q->form, q->claim_bodies, &params);
	connection_send(q->connection, claim, &params, queue_on_claimed);
}

/* ---- settle ---- */

/* A job that ends leaves its lane to the next one.  If it is held, the activation finds the lane taken.  A stale
 * settlement ended nothing; an unknown one most likely did. */
static void leave_lane(struct queue *q, const struct job *j, enum settled how)
{
	bool ended = j->outcome == JOB_PROCESSED || j->outcome == JOB_FAILED || j->outcome == JOB_EXHAUSTED;
	if (j->has_lane && ended && how != SETTLED_STALE)
		activation_add(&q->activation, j->lane);
}

static void queue_on_settled(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	struct settle_batch *b = &q->settle_batch;
	if (!r) {
		/* The batch is kept, and sent again. */
		b->batch_unknown = b->batch_unknown || is_unknown(q, f);
		queue_failed(q, "settle", f);
		if (f->kind == FAULT_INPUT)
			settle_batch_refuse(b);
		q->settle_batch_due = q->settle_batch_due || b->waiting_count > 0;
		return;
	}
	for (int row = 0; row < db_rows(r); row++) {
		struct job *j = b->batch[db_int8(r, row, 0)];
		j->settled = true;
		j->age_us = db_int8(r, row, 1);
	}
	struct settlement s = {0};
	for (int i = 0; i < b->batch_count; i++) {
		enum settled how = settle_batch_end(b, b->batch[i]);
		s.now += how == SETTLED_NOW;
		s.stale += how == SETTLED_STALE;
		s.unknown += how == SETTLED_UNKNOWN;
		inflight_remove(&q->inflight, b->batch[i]);
		leave_lane(q, b->batch[i], how);
		q->events->ended(q->ctx, b->batch[i], how);
	}
	settle_batch_clear(b);
	q->counters.settled += s.now;
	q->counters.stale += s.stale;
	q->counters.unknown += s.unknown;
	q->events->settlement(q->ctx, &s);
}

static void send_settle(struct queue *q)
{
	settle_batch_fill(&q->settle_batch);
	if (q->settle_batch.waiting_count == 0) {
		q->settle_batch_due = false;
		evtimer_del(q->settle_soon);
	}
	struct db_params params = {0};
	settle_params(&params, q->arrays, q->settle_batch.batch, q->settle_batch.batch_count, clock_ms());
	q->settled_last = true;
	q->settled_ms = clock_ms();
	connection_send(q->connection, &SETTLE, &params, queue_on_settled);
}

/* ---- activation ---- */

/* After a loss of the connection the lanes are sent again.  Those that the server rejects are left to the look
 * (parked.h): settlements must not wait behind them. */
static void queue_on_activated(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	bool rejected = !r && f->kind != FAULT_AGAIN && connection_is_ready(q->connection);
	activation_end(&q->activation, r || rejected);
	if (rejected)
		q->events->trouble(q->ctx, "activate lanes", f);
	if (r && db_int8(r, 0, 0) > 0)
		cursor_want(&q->cursor);
}

static void send_activate(struct queue *q)
{
	struct db_params params = {0};
	activation_params(&q->activation, &params);
	connection_send(q->connection, &ACTIVATE, &params, queue_on_activated);
}

/* ---- release ---- */

static void queue_on_released(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	if (!r) {
		queue_failed(q, "release", f);
		return;
	}
	int64_t jobs = db_int8(r, 0, 0);
	bool all = jobs < QUEUE_RELEASE_MAX;
	q->release_due = !all;
	q->counters.released += jobs;
	if (all && q->claim_lost)
		q->release_again_ms = clock_ms() + QUEUE_AGAIN_MS;
	q->claim_lost = q->claim_lost && !all;
	/* The freed jobs have the highest ids, so the cursor need not go back. */
	if (jobs > 0)
		cursor_want(&q->cursor);
	q->events->released(q->ctx, jobs, all);
}

/* The key of a job in flight, as RELEASE composes it from a row.  If memory is exhausted, the statement is not
 * sent: a release that lacks a key would free a job during its call. */
static void queue_add_key(void *ctx, struct job *j)
{
	struct queue *q = ctx;
	buf_reset(&q->key, KEY_MAX);
	buf_add_format(&q->key, "%" PRId64 " %s %s", j->id, j->source, j->transaction_id);
	q->keys_lost = q->keys_lost || !buf_ok(&q->key);
	if (buf_ok(&q->key))
		db_array_add(&q->arrays[0], q->key.data, q->key.len);
}

static void send_release(struct queue *q)
{
	struct db_params params = {0};
	db_array_start(&q->arrays[0], DB_TEXT);
	q->keys_lost = false;
	inflight_each(&q->inflight, queue_add_key, q);
	if (q->keys_lost) {
		q->resting = true;
		return;
	}
	db_params_add_int8(&params, q->owner);
	db_params_add_array(&params, &q->arrays[0]);
	db_params_add_int8(&params, QUEUE_RELEASE_MAX);
	q->settled_last = false;
	connection_send(q->connection, &RELEASE, &params, queue_on_released);
}

/* ---- sending ---- */

/* Activations go before all, since nothing else of their lanes can go on; each follows a settlement, so they cannot
 * take every turn.  Settlements go next, since they end calls that were made and make room for others.  After one, a
 * release or a claim has its turn: a steady flow of results must not keep the worker from claiming. */
static void queue_send_next(struct queue *q)
{
	if (q->resting || !connection_is_ready(q->connection))
		return;
	bool settle = q->settle_batch.batch_count > 0 || q->settle_batch_due;
	int limit = claim_limit(q);
	if (activation_is_due(&q->activation))
		send_activate(q);
	else if (settle && !(q->settled_last && (q->release_due || limit > 0)))
		send_settle(q);
	else if (q->release_due)
		send_release(q);
	else if (limit > 0)
		send_claim(q, limit);
}

static void queue_on_ready(void *ctx)
{
	queue_send_next(ctx);
}

static void queue_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	queue_send_next(arg);
}

static void queue_send_soon(struct queue *q)
{
	if (connection_is_ready(q->connection))
		event_active(q->send_soon, EV_TIMEOUT, 0);
}

static void queue_on_settle_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct queue *q = arg;
	q->settle_batch_due = q->settle_batch.waiting_count > 0;
	queue_send_next(q);
}

/* Each tick is up to a fifth shorter or longer, at random, so that workers started together drift apart. */
static void tick_set(struct queue *q)
{
	struct timeval tv = clock_timeval(clock_jitter(CURSOR_TICK_MS * 4 / 5, CURSOR_TICK_MS * 6 / 5));
	evtimer_add(q->tick, &tv);
}

static void queue_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct queue *q = arg;
	q->resting = false;
	cursor_tick(&q->cursor);
	if (q->cursor.ticks % CURSOR_SWEEP == 0) {
		settle_batch_retry(&q->settle_batch);
		q->settle_batch_due = q->settle_batch_due || q->settle_batch.waiting_count > 0;
	}
	if (q->release_again_ms && clock_ms() >= q->release_again_ms) {
		q->release_again_ms = 0;
		q->release_due = true;
	}
	tick_set(q);
	queue_send_next(q);
}

/* ---- the connection's callbacks ---- */

/* A claim sent on the old connection may have taken effect, so a release goes before the next claim.  The server may be
 * another one, which assigns lower ids, so the cursor begins anew. */
static void queue_on_up(void *ctx)
{
	struct queue *q = ctx;
	q->resting = false;
	q->release_due = q->release_due || q->claimed_before;
	cursor_restart(&q->cursor);
	q->events->up(q->ctx);
}

static void queue_on_down(void *ctx, const struct fault *why)
{
	struct queue *q = ctx;
	q->events->down(q->ctx, why);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {
	&CLAIM, &CLAIM_WHOLE, &CLAIM_ORIGINAL, &SETTLE, &RELEASE, &ACTIVATE};

static const struct connection_plan PLAN = {
	.name = "payhook-worker queue",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = CLAIM_OPTIONS,
	.answer_ms = ANSWER_MS,
	.up = queue_on_up,
	.ready = queue_on_ready,
	.down = queue_on_down,
};

struct queue *queue_create(struct connect_state *connect_state, int slots, enum claim_form form,
	const struct queue_events *events, void *ctx)
{
	struct queue *q = calloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->events = events;
	q->ctx = ctx;
	q->form = form;
	q->key = BUF_INIT(KEY_MAX);
	q->body = BUF_INIT(DB_ARRAY_MAX);
	settle_batch_init(&q->settle_batch);
	q->tick = evtimer_new(connect_state->base, queue_on_tick, q);
	q->send_soon = event_new(connect_state->base, -1, 0, queue_on_send_soon, q);
	q->settle_soon = evtimer_new(connect_state->base, queue_on_settle_soon, q);
	q->connection = connection_create(connect_state, &PLAN, q);
	if (!inflight_init(&q->inflight, slots) || !q->tick || !q->send_soon || !q->settle_soon || !q->connection) {
		queue_destroy(q);
		return NULL;
	}
	tick_set(q);
	return q;
}

void queue_destroy(struct queue *q)
{
	if (!q)
		return;
	connection_destroy(q->connection);
	if (q->tick)
		event_free(q->tick);
	if (q->send_soon)
		event_free(q->send_soon);
	if (q->settle_soon)
		event_free(q->settle_soon);
	inflight_finish(&q->inflight);
	for (size_t i = 0; i < COUNT_OF(q->arrays); i++)
		db_array_finish(&q->arrays[i]);
	buf_finish(&q->key);
	activation_finish(&q->activation);
	free(q);
}

void queue_own(struct queue *q, int64_t owner)
{
	if (owner != q->owner) {
		/* Jobs that a lost claim left under the old owner are freed by RESCUE_ORPHANS. */
		q->claimed_before = q->claim_lost = q->release_due = false;
		q->release_again_ms = 0;
	}
	q->owner = owner;
	cursor_want_all(&q->cursor);
	queue_send_soon(q);
}

void queue_look(struct queue *q)
{
	cursor_want(&q->cursor);
	queue_send_soon(q);
}

/* The first waiting job sets the timer, so no job waits longer than QUEUE_SETTLE_MS for others; QUEUE_SETTLE_SOON
 * waiting jobs end the wait early. */
void queue_settle(struct queue *q, struct job *j)
{
	settle_batch_add(&q->settle_batch, j);
	int64_t wait_ms = q->settled_ms + QUEUE_SETTLE_MS - clock_ms();
	struct timeval tv = clock_timeval(wait_ms);
	bool first = q->settle_batch.waiting_count == 1;
	if (first && wait_ms > 0)
		evtimer_add(q->settle_soon, &tv);
	else if (first || q->settle_batch.waiting_count == QUEUE_SETTLE_SOON)
		event_active(q->settle_soon, EV_TIMEOUT, 0);
}

void queue_drop(struct queue *q, struct job *j)
{
	inflight_remove(&q->inflight, j);
}

void queue_release(struct queue *q)
{
	q->release_due = true;
	queue_send_soon(q);
}

const struct inflight *queue_inflight(const struct queue *q)
{
	return &q->inflight;
}

void queue_each(struct queue *q, void (*visit)(void *ctx, struct job *j), void *ctx)
{
	inflight_each(&q->inflight, visit, ctx);
}

const struct queue_counters *queue_counters(const struct queue *q)
{
	return &q->counters;
}
