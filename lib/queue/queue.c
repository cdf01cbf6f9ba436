/* queue.c - claim, settle, release.
 *
 * One statement is under way at a time.  When the connection is free the next is chosen: a settlement that is due, a
 * release that is due, a claim if there may be work and there is room.  Settlement and claim take turns when both are
 * due.  No claim is sent while a release is due, and none is under way while one runs: so what a release finds owned
 * by us and not held is known to be lost. */

#include "queue/queue.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>

#include "base/clock.h"
#include "queue/claim.h"
#include "queue/cursor.h"
#include "queue/settle.h"

#define ANSWER_MS 10000 /* for a statement; nobody waits but other jobs */

/* Frees what is owned by us and not in the given ids: claims whose answer was lost, and what is handed back.  The call
 * was not made, so the attempt does not count.  The fresh id puts whatever may still come under the old one (a late
 * settlement) past its time.  It waits for the disk, as everything that assigns an id: a crash may otherwise issue the
 * same id again. */
const struct statement QUEUE_RELEASE = {"release",
	"WITH lost AS MATERIALIZED ("
	"  SELECT id FROM payhook.jobs WHERE owner = $1::bigint AND id <> ALL ($2::bigint[]) LIMIT $3::int"
	"), freed AS ("
	"  UPDATE payhook.jobs j SET id = DEFAULT, owner = NULL, claimed_at = NULL, attempt = greatest(j.attempt - 1, 0)"
	"  WHERE j.id = ANY (ARRAY(SELECT id FROM lost)) AND j.owner = $1::bigint RETURNING 1"
	") SELECT count(*) FROM freed"};

struct queue {
	struct connection *connection;
	const struct queue_events *events;
	void *ctx;
	struct event *tick;
	struct event *queue_send_soon; /* not from inside a callback of ours */
	struct event *settle_soon;     /* when what ends in this turn of the loop has ended, or later */
	bool whole;                    /* claims fetch the transactions */
	int64_t owner;                 /* 0: claim nothing */
	struct inflight inflight;
	struct cursor cursor;
	struct queue_counters counters;
	bool resting; /* the server refused something: nothing is sent until the next tick */

	/* The claim under way. */
	int64_t claim_owner;
	int64_t claim_cursor; /* where the cursor stood */
	int64_t claim_from;
	int claim_limit;

	/* Settlement. */
	struct settle_batch settle_batch;
	bool settle_batch_due; /* they have waited long enough */
	int64_t settled_ms;    /* when the last settlement was sent */
	bool settled_last;     /* the last statement was a settlement */

	/* Release. */
	bool release_due;
	bool claimed_before;      /* a claim was sent under this number */
	bool claim_lost;          /* the answer to one was lost since the last release */
	int64_t release_again_ms; /* when to release once more; 0: never */

	struct db_array arrays[SETTLE_ARRAYS]; /* parameters; kept for their memory */
};

/* A statement failed.  While the connection stands, it is the server that refused: then nothing is tried before the
 * next tick, unless it was only that two transactions met.  A lost connection is told by down(). */
static void queue_failed(struct queue *q, const char *doing, const struct fault *f)
{
	if (!connection_is_ready(q->connection))
		return;
	q->resting = f->kind != FAULT_AGAIN;
	q->events->trouble(q->ctx, doing, f);
}

/* ---- claim ---- */

static int claim_limit(const struct queue *q)
{
	if (!q->owner || q->release_due || !q->cursor.wanted)
		return 0;
	int room = q->events->room(q->ctx);
	return room < QUEUE_CLAIM_MAX ? room : QUEUE_CLAIM_MAX;
}

/* Rows that nobody will hold are left to a release: of ours, or, if the number has changed meanwhile, to the one for
 * owners that are gone. */
static void take_row(struct queue *q, const struct pg_result *r, int row)
{
	struct job given;
	claim_read(r, row, q->claim_owner, q->whole, &given);
	if (given.id <= q->claim_cursor)
		q->counters.late++;
	struct job *j = inflight_find(&q->inflight, given.id);
	if (j) {
		/* A crash undid our claim, and we have just made it again: the call is under way already. */
		j->owner = given.owner;
		j->attempt = given.attempt;
		return;
	}
	j = q->claim_owner == q->owner ? q->events->claimed(q->ctx, &given) : NULL;
	if (j)
		inflight_add(&q->inflight, j);
	else
		q->release_due = q->resting = true; /* whatever the reason, it will not have passed at once */
}

static void queue_on_claimed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	if (!r) {
		/* Busy leaves open whether it took effect; any other kind is a refusal, and so a rollback. */
		q->claim_lost = q->claim_lost || f->kind == FAULT_BUSY;
		q->release_due = q->release_due || f->kind == FAULT_BUSY;
		cursor_want_from(&q->cursor, q->claim_from);
		queue_failed(q, "claim", f);
		return;
	}
	int rows = db_rows(r);
	int64_t highest = q->claim_from; /* rows come in no order */
	for (int row = 0; row < rows; row++) {
		int64_t id = db_int8(r, row, 0);
		highest = id > highest ? id : highest;
		take_row(q, r, row);
	}
	q->counters.claimed += rows;
	cursor_found(&q->cursor, highest, rows >= q->claim_limit);
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
	claim_params(&params, q->claim_from, limit, q->owner);
	connection_send(q->connection, q->whole ? &CLAIM_WHOLE : &CLAIM, &params, queue_on_claimed);
}

/* ---- settle ---- */

static void queue_on_settled(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct queue *q = ctx;
	struct settle_batch *rs = &q->settle_batch;
	if (!r) {
		rs->batch_unknown = rs->batch_unknown || f->kind == FAULT_BUSY;
		queue_failed(q, "settle", f);
		if (f->kind == FAULT_INPUT)
			settle_batch_refuse(rs);
		q->settle_batch_due = q->settle_batch_due || rs->waiting_count > 0;
		return;
	}
	for (int row = 0; row < db_rows(r); row++) {
		struct job *j = inflight_find(&q->inflight, db_int8(r, row, 0));
		j->settled = true;
		j->age_us = db_int8(r, row, 1);
	}
	struct settlement s = {0};
	for (int i = 0; i < rs->batch_count; i++) {
		enum settled how = settle_batch_end(rs, rs->batch[i]);
		s.now += how == SETTLED_NOW;
		s.stale += how == SETTLED_STALE;
		s.unknown += how == SETTLED_UNKNOWN;
		inflight_remove(&q->inflight, rs->batch[i]);
		q->events->ended(q->ctx, rs->batch[i], how);
	}
	settle_batch_clear(rs);
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
	if (all)
		q->claim_lost = false;
	if (jobs > 0)
		cursor_want(&q->cursor);
	q->events->released(q->ctx, jobs, all);
}

static void add_id(void *ctx, struct job *j)
{
	db_array_add_int8(ctx, j->id);
}

static void send_release(struct queue *q)
{
	struct db_params params = {0};
	db_array_start(&q->arrays[0], DB_INT8);
	inflight_each(&q->inflight, add_id, &q->arrays[0]);
	db_params_add_int8(&params, q->owner);
	db_params_add_array(&params, &q->arrays[0]);
	db_params_add_int8(&params, QUEUE_RELEASE_MAX);
	q->settled_last = false;
	connection_send(q->connection, &QUEUE_RELEASE, &params, queue_on_released);
}

/* ---- what to send, and when ---- */

static void queue_send_next(struct queue *q)
{
	if (q->resting || !connection_is_ready(q->connection))
		return;
	bool settle = q->settle_batch.batch_count > 0 || q->settle_batch_due;
	int limit = claim_limit(q);
	if (settle && !(q->settled_last && (q->release_due || limit > 0)))
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
		event_active(q->queue_send_soon, EV_TIMEOUT, 0);
}

static void queue_on_settle_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct queue *q = arg;
	q->settle_batch_due = q->settle_batch.waiting_count > 0;
	queue_send_next(q);
}

/* Workers that were started together drift apart: each tick is up to a fifth shorter or longer. */
static void tick_set(struct queue *q)
{
	uint32_t random;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	int ms = CURSOR_TICK_MS * 4 / 5 + (int)(random % (CURSOR_TICK_MS * 2 / 5));
	struct timeval tv = {.tv_usec = ms * 1000};
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

/* ---- the lane's news ---- */

static void queue_on_up(void *ctx)
{
	struct queue *q = ctx;
	q->resting = false;
	q->release_due = q->release_due || q->claimed_before;
	cursor_want_all(&q->cursor);
	q->events->up(q->ctx);
}

static void queue_on_down(void *ctx, const struct fault *why)
{
	struct queue *q = ctx;
	q->events->down(q->ctx, why);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {&CLAIM, &CLAIM_WHOLE, &SETTLE, &QUEUE_RELEASE};

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

struct queue *queue_create(
	struct connect_state *connect_state, int slots, bool whole, const struct queue_events *events, void *ctx)
{
	struct queue *q = calloc(1, sizeof *q);
	if (!q)
		return NULL;
	q->events = events;
	q->ctx = ctx;
	q->whole = whole;
	settle_batch_init(&q->settle_batch);
	q->tick = evtimer_new(connect_state->base, queue_on_tick, q);
	q->queue_send_soon = event_new(connect_state->base, -1, 0, queue_on_send_soon, q);
	q->settle_soon = evtimer_new(connect_state->base, queue_on_settle_soon, q);
	q->connection = connection_create(connect_state, &PLAN, q);
	if (!inflight_init(&q->inflight, slots) || !q->tick || !q->queue_send_soon || !q->settle_soon ||
		!q->connection) {
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
	if (q->queue_send_soon)
		event_free(q->queue_send_soon);
	if (q->settle_soon)
		event_free(q->settle_soon);
	inflight_finish(&q->inflight);
	for (size_t i = 0; i < COUNT_OF(q->arrays); i++)
		db_array_finish(&q->arrays[i]);
	free(q);
}

void queue_own(struct queue *q, int64_t owner)
{
	if (owner != q->owner) {
		/* What a lost claim left under the old number is for the release of owners that are gone. */
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

void queue_settle(struct queue *q, struct job *j)
{
	settle_batch_add(&q->settle_batch, j);
	int64_t wait_ms = q->settled_ms + QUEUE_SETTLE_MS - clock_ms();
	struct timeval tv = {.tv_usec = wait_ms * 1000};
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
