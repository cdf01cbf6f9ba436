/* unreadable.c - keeps verified webhooks that cannot be mapped, batched.
 *
 * Those that arrive while a statement is under way go into the next one.  The statement may be sent again: a body that is kept
 * already is counted once more, and kept.  A lost answer fails its webhooks, and the provider repeats them.  The caller sets
 * the deadline. */

#include "ingest/unreadable.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ingest/statements.h"

#define ANSWER_MS 3000

/* Returns a row for each webhook: its place in the batch, from 1, and 1 if it is kept.
 *
 * Concurrency: those of one source go one after the other (schema/0026_unreadable.sql). */
static const struct statement KEEP_UNREADABLE = {"keep_unreadable",
	"SELECT k.place, k.is_kept::int FROM payhook.keep_unreadable($1::text[], $2::text[], $3::text[], $4::text[],"
	" $5::bytea[], $6::text[], $7::text[]) k"};

enum column { BODY = 4, TRACEPARENT, REASON, COLUMNS }; /* the first five are those of ingest_body_add() */

struct unreadable {
	struct connection *connection;
	struct event *send_soon;
	TAILQ_HEAD(, unreadable_insert) pending;
	int waiting;
	int count;
	struct unreadable_insert *batch[UNREADABLE_BATCH_MAX]; /* as sent; NULL: answered or withdrawn */
	struct db_array columns[COLUMNS];
};

static void unreadable_answer(
	struct unreadable *all, struct unreadable_insert *insert, bool is_kept, const struct fault *f)
{
	all->waiting--;
	insert->done(insert, is_kept, f);
}

static void unreadable_on_kept(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct unreadable *all = ctx;
	struct fault missing;
	for (int row = 0; r && row < db_rows(r); row++) {
		int64_t place = db_int8(r, row, 0) - 1;
		struct unreadable_insert *insert = all->batch[place];
		all->batch[place] = NULL;
		if (insert)
			unreadable_answer(all, insert, db_int8(r, row, 1) != 0, NULL);
	}
	if (!f && !fault_set(&missing, FAULT_BUSY, "the webhook was not kept"))
		f = &missing;
	for (int i = 0; i < all->count; i++) {
		if (all->batch[i])
			unreadable_answer(all, all->batch[i], false, f);
	}
	all->count = 0;
}

static void unreadable_add(struct unreadable *all, struct unreadable_insert *insert)
{
	TAILQ_REMOVE(&all->pending, insert, pending);
	insert->in_batch = true;
	all->batch[all->count++] = insert;
	ingest_body_add(all->columns, insert->source, insert->request_id, insert->body);
	db_array_add_text(&all->columns[TRACEPARENT], insert->traceparent);
	db_array_add_text(&all->columns[REASON], insert->reason);
}

static void unreadable_send_next(struct unreadable *all)
{
	struct unreadable_insert *insert;
	struct db_params params = {0};
	size_t bytes = 0;
	if (TAILQ_EMPTY(&all->pending))
		return;
	for (int i = 0; i < COLUMNS; i++)
		db_array_start(&all->columns[i], i == BODY ? DB_BYTES : DB_TEXT);
	all->count = 0;
	while (all->count < UNREADABLE_BATCH_MAX && bytes < UNREADABLE_BYTES_MAX &&
		(insert = TAILQ_FIRST(&all->pending))) {
		unreadable_add(all, insert);
		bytes += insert->body->len;
	}
	for (int i = 0; i < COLUMNS; i++)
		db_params_add_array(&params, &all->columns[i]);
	connection_send(all->connection, &KEEP_UNREADABLE, &params, unreadable_on_kept);
}

/* Sends the webhooks of one turn of the loop in one statement. */
static void unreadable_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct unreadable *all = arg;
	if (connection_is_ready(all->connection))
		unreadable_send_next(all);
}

static void unreadable_on_ready(void *ctx)
{
	struct unreadable *all = ctx;
	if (connection_is_ready(all->connection))
		event_active(all->send_soon, EV_TIMEOUT, 0);
}

/* Does not report the loss: the connection of ingest.c reports it for the whole process. */
static void unreadable_on_down(void *ctx, const struct fault *why)
{
	struct unreadable *all = ctx;
	struct unreadable_insert *insert;
	while (!connection_is_reachable(all->connection) && (insert = TAILQ_FIRST(&all->pending))) {
		TAILQ_REMOVE(&all->pending, insert, pending);
		unreadable_answer(all, insert, false, why);
	}
}

static const struct statement *const STATEMENTS[] = {&KEEP_UNREADABLE};

static const struct connection_plan PLAN = {
	.name = "payhook-app unreadable",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = ANSWER_MS,
	.ready = unreadable_on_ready,
	.down = unreadable_on_down,
};

struct unreadable *unreadable_create(struct connect_state *connect_state)
{
	struct unreadable *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	TAILQ_INIT(&all->pending);
	all->send_soon = event_new(connect_state->base, -1, 0, unreadable_on_send_soon, all);
	all->connection = connection_create(connect_state, &PLAN, all);
	if (!all->send_soon || !all->connection) {
		unreadable_destroy(all);
		return NULL;
	}
	return all;
}

void unreadable_destroy(struct unreadable *all)
{
	if (!all)
		return;
	connection_destroy(all->connection);
	if (all->send_soon)
		event_free(all->send_soon);
	for (int i = 0; i < COLUMNS; i++)
		db_array_finish(&all->columns[i]);
	free(all);
}

void unreadable_keep(struct unreadable *all, struct unreadable_insert *insert)
{
	struct fault f;
	bool full = all->waiting >= UNREADABLE_WAITING_MAX;
	all->waiting++;
	if (full || !connection_is_reachable(all->connection)) {
		fault_set(&f, FAULT_BUSY,
			full ? "too many unreadable webhooks are waiting already" : "the database is away");
		unreadable_answer(all, insert, false, &f);
		return;
	}
	insert->in_batch = false;
	TAILQ_INSERT_TAIL(&all->pending, insert, pending);
	unreadable_on_ready(all);
}

void unreadable_withdraw(struct unreadable *all, struct unreadable_insert *insert)
{
	all->waiting--;
	if (!insert->in_batch) {
		TAILQ_REMOVE(&all->pending, insert, pending);
		return;
	}
	for (int i = 0; i < all->count; i++) {
		if (all->batch[i] == insert)
			all->batch[i] = NULL;
	}
}
