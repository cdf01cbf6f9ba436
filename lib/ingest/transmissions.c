/* transmissions.c - remembers the bodies of signed transmission ids, batched.
 *
 * Transmissions that arrive while a statement is under way go into the next one.  The statement may be sent again: what
 * is remembered stays, and the same body is the same again.  A lost answer fails its transmissions, and the provider
 * repeats them.  The caller sets the deadline. */

#include "ingest/transmissions.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

/* Returns a row for each transmission: its place in the batch, from 1, and 1 if its body is the remembered one.
 *
 * Concurrency: of two bodies that arrive at once, one is remembered, and both statements report the other as different
 * (schema/0017_transmissions.sql). */
static const struct statement REMEMBER = {"remember",
	"SELECT r.place, r.is_same::int FROM payhook.remember_transmissions($1::text[], $2::text[], $3::bytea[]) r"};

struct transmissions {
	struct connection *connection;
	struct event *send_soon;
	TAILQ_HEAD(, transmission) pending;
	int waiting;
	int count;
	struct transmission *batch[TRANSMISSIONS_BATCH_MAX]; /* as sent; NULL: answered or withdrawn */
	struct db_array sources, ids, bodies;
};

static void transmissions_answer(struct transmissions *all, struct transmission *t, bool is_same, const struct fault *f)
{
	all->waiting--;
	t->done(t, is_same, f);
}

static void transmissions_on_remembered(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct transmissions *all = ctx;
	struct fault missing;
	for (int row = 0; r && row < db_rows(r); row++) {
		int64_t place = db_int8(r, row, 0) - 1;
		struct transmission *t = all->batch[place];
		all->batch[place] = NULL;
		if (t)
			transmissions_answer(all, t, db_int8(r, row, 1), NULL);
	}
	/* A row that was remembered is there, unless somebody deleted it in between. */
	if (!f && !fault_set(&missing, FAULT_BUSY, "the transmission was not remembered"))
		f = &missing;
	for (int i = 0; i < all->count; i++) {
		if (all->batch[i])
			transmissions_answer(all, all->batch[i], false, f);
	}
	all->count = 0;
}

static void transmissions_send_next(struct transmissions *all)
{
	struct transmission *t;
	struct db_params params = {0};
	if (TAILQ_EMPTY(&all->pending))
		return;
	db_array_start(&all->sources, DB_TEXT);
	db_array_start(&all->ids, DB_TEXT);
	db_array_start(&all->bodies, DB_BYTES);
	for (all->count = 0; all->count < TRANSMISSIONS_BATCH_MAX && (t = TAILQ_FIRST(&all->pending)); all->count++) {
		TAILQ_REMOVE(&all->pending, t, pending);
		t->in_batch = true;
		all->batch[all->count] = t;
		db_array_add_text(&all->sources, t->source);
		db_array_add_text(&all->ids, t->id);
		db_array_add(&all->bodies, t->body_sha256, sizeof t->body_sha256);
	}
	db_params_add_array(&params, &all->sources);
	db_params_add_array(&params, &all->ids);
	db_params_add_array(&params, &all->bodies);
	connection_send(all->connection, &REMEMBER, &params, transmissions_on_remembered);
}

/* Sends the transmissions of one turn of the loop in one statement. */
static void transmissions_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct transmissions *all = arg;
	if (connection_is_ready(all->connection))
		transmissions_send_next(all);
}

static void transmissions_on_ready(void *ctx)
{
	struct transmissions *all = ctx;
	if (connection_is_ready(all->connection))
		event_active(all->send_soon, EV_TIMEOUT, 0);
}

/* Does not report the loss: the connection of ingest.c reports it for the whole process. */
static void transmissions_on_down(void *ctx, const struct fault *why)
{
	struct transmissions *all = ctx;
	struct transmission *t;
	while (!connection_is_reachable(all->connection) && (t = TAILQ_FIRST(&all->pending))) {
		TAILQ_REMOVE(&all->pending, t, pending);
		transmissions_answer(all, t, false, why);
	}
}

static const struct statement *const STATEMENTS[] = {&REMEMBER};

/* The commit does not wait for the disk: the transaction that follows does, and the WAL is written in order. */
static const struct connection_plan PLAN = {
	.name = "payhook-app transmissions",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = CONNECTION_BY_KEY " -c synchronous_commit=off",
	.answer_ms = ANSWER_MS,
	.ready = transmissions_on_ready,
	.down = transmissions_on_down,
};

struct transmissions *transmissions_create(struct connect_state *connect_state)
{
	struct transmissions *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	TAILQ_INIT(&all->pending);
	all->send_soon = event_new(connect_state->base, -1, 0, transmissions_on_send_soon, all);
	all->connection = connection_create(connect_state, &PLAN, all);
	if (!all->send_soon || !all->connection) {
		transmissions_destroy(all);
		return NULL;
	}
	return all;
}

void transmissions_destroy(struct transmissions *all)
{
	if (!all)
		return;
	connection_destroy(all->connection);
	if (all->send_soon)
		event_free(all->send_soon);
	db_array_finish(&all->sources);
	db_array_finish(&all->ids);
	db_array_finish(&all->bodies);
	free(all);
}

void transmissions_remember(struct transmissions *all, struct transmission *t)
{
	struct fault f;
	bool full = all->waiting >= TRANSMISSIONS_WAITING_MAX;
	all->waiting++;
	if (full || !connection_is_reachable(all->connection)) {
		fault_set(&f, FAULT_BUSY, full ? "too many transmissions are waiting already" : "the database is away");
		transmissions_answer(all, t, false, &f);
		return;
	}
	t->in_batch = false;
	TAILQ_INSERT_TAIL(&all->pending, t, pending);
	transmissions_on_ready(all);
}

void transmissions_withdraw(struct transmissions *all, struct transmission *t)
{
	all->waiting--;
	if (!t->in_batch) {
		TAILQ_REMOVE(&all->pending, t, pending);
		return;
	}
	for (int i = 0; i < all->count; i++) {
		if (all->batch[i] == t)
			all->batch[i] = NULL;
	}
}
