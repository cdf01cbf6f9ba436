/* txn_reader.c - lookups of stored transactions, batched.
 *
 * Lookups that arrive while a statement is under way go into the next one, so a thousand readers cost a few statements.
 * It only reads: no lock is taken, and a lost answer changes nothing.  The caller sets the deadline and repeats a
 * lookup that failed. */

#include "ingest/txn_reader.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

/* Returns a row for each lookup that finds a transaction; ord is the lookup's position in the batch, from 1.  All see
 * one snapshot.
 *
 * Plan: the lateral LIMIT makes it one look-up in the primary key for each lookup, as long as CONNECTION_BY_KEY
 * holds. */
static const struct statement FIND = {"find",
	"SELECT g.ord, t.transaction_id, t.source_account, t.destination_account, t.amount, t.currency, t.status,"
	"    to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
	"    to_char(t.processed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), t.failure"
	"  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(transaction_id, source, ord),"
	"  LATERAL (SELECT * FROM payhook.transactions s"
	"    WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"};

struct txn_reader {
	struct connection *connection;
	struct event *send_soon;
	TAILQ_HEAD(, lookup) pending;
	int waiting;
	int count;
	struct lookup
		*batch[TXN_READER_BATCH_MAX]; /* of the statement under way, as sent; NULL: answered or withdrawn */
	struct db_array ids;
	struct db_array sources;
};

static void txn_reader_answer(
	struct txn_reader *reader, struct lookup *l, const struct found *found, const struct fault *f)
{
	reader->waiting--;
	l->done(l, found, f);
}

static void answer_pending(struct txn_reader *reader, const struct fault *f)
{
	struct lookup *l;
	while ((l = TAILQ_FIRST(&reader->pending))) {
		TAILQ_REMOVE(&reader->pending, l, pending);
		txn_reader_answer(reader, l, NULL, f);
	}
}

static const char *txn_reader_text_or_null(const struct pg_result *r, int row, int column)
{
	return db_null(r, row, column) ? NULL : db_text(r, row, column);
}

static void answer_row(struct txn_reader *reader, const struct pg_result *r, int row)
{
	int64_t place = db_int8(r, row, 0) - 1;
	struct lookup *l = reader->batch[place];
	if (!l)
		return;
	struct found found = {
		.transaction_id = db_text(r, row, 1),
		.source_account = db_text(r, row, 2),
		.destination_account = db_text(r, row, 3),
		.amount = db_text(r, row, 4),
		.currency = db_text(r, row, 5),
		.status = db_text(r, row, 6),
		.created_at = db_text(r, row, 7),
		.processed_at = txn_reader_text_or_null(r, row, 8),
		.failure = txn_reader_text_or_null(r, row, 9),
	};
	reader->batch[place] = NULL;
	txn_reader_answer(reader, l, &found, NULL);
}

static void txn_reader_on_found(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct txn_reader *reader = ctx;
	for (int row = 0; r && row < db_rows(r); row++)
		answer_row(reader, r, row);
	for (int i = 0; i < reader->count; i++) {
		if (reader->batch[i])
			txn_reader_answer(reader, reader->batch[i], NULL, f);
	}
	reader->count = 0;
}

static void txn_reader_send_next(struct txn_reader *reader)
{
	struct lookup *l;
	if (TAILQ_EMPTY(&reader->pending))
		return;
	db_array_start(&reader->ids, DB_TEXT);
	db_array_start(&reader->sources, DB_TEXT);
	for (reader->count = 0; reader->count < TXN_READER_BATCH_MAX && (l = TAILQ_FIRST(&reader->pending));
		reader->count++) {
		TAILQ_REMOVE(&reader->pending, l, pending);
		l->in_batch = true;
		reader->batch[reader->count] = l;
		db_array_add_text(&reader->ids, l->transaction_id);
		db_array_add_text(&reader->sources, l->source);
	}
	struct db_params params = {0};
	db_params_add_array(&params, &reader->ids);
	db_params_add_array(&params, &reader->sources);
	connection_send(reader->connection, &FIND, &params, txn_reader_on_found);
}

/* Sends the lookups of one turn of the loop in one statement.  The event is made active by the first of them, or by the
 * connection when it is free again, and runs at the end of the turn. */
static void txn_reader_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct txn_reader *reader = arg;
	if (connection_is_ready(reader->connection))
		txn_reader_send_next(reader);
}

static void txn_reader_send_soon(struct txn_reader *reader)
{
	if (connection_is_ready(reader->connection))
		event_active(reader->send_soon, EV_TIMEOUT, 0);
}

static void txn_reader_on_ready(void *ctx)
{
	txn_reader_send_soon(ctx);
}

/* Does not report the loss: the connection of ingest.c reports it for the whole process. */
static void txn_reader_on_down(void *ctx, const struct fault *why)
{
	struct txn_reader *reader = ctx;
	if (!connection_is_reachable(reader->connection))
		answer_pending(reader, why);
}

static const struct statement *const STATEMENTS[] = {&FIND};

static const struct connection_plan PLAN = {
	.name = "payhook-app find",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = CONNECTION_BY_KEY,
	.answer_ms = ANSWER_MS,
	.ready = txn_reader_on_ready,
	.down = txn_reader_on_down,
};

struct txn_reader *txn_reader_create(struct connect_state *connect_state)
{
	struct txn_reader *reader = calloc(1, sizeof *reader);
	if (!reader)
		return NULL;
	TAILQ_INIT(&reader->pending);
	reader->send_soon = event_new(connect_state->base, -1, 0, txn_reader_on_send_soon, reader);
	reader->connection = connection_create(connect_state, &PLAN, reader);
	if (!reader->send_soon || !reader->connection) {
		txn_reader_destroy(reader);
		return NULL;
	}
	return reader;
}

void txn_reader_destroy(struct txn_reader *reader)
{
	if (!reader)
		return;
	connection_destroy(reader->connection);
	if (reader->send_soon)
		event_free(reader->send_soon);
	db_array_finish(&reader->ids);
	db_array_finish(&reader->sources);
	free(reader);
}

void txn_reader_find(struct txn_reader *reader, struct lookup *l)
{
	struct fault f;
	bool full = reader->waiting >= TXN_READER_WAITING_MAX;
	if (full || !connection_is_reachable(reader->connection)) {
		fault_set(&f, FAULT_BUSY, full ? "too many lookups are waiting already" : "the database is away");
		l->done(l, NULL, &f);
		return;
	}
	reader->waiting++;
	l->in_batch = false;
	TAILQ_INSERT_TAIL(&reader->pending, l, pending);
	txn_reader_send_soon(reader);
}

void txn_reader_withdraw(struct txn_reader *reader, struct lookup *l)
{
	reader->waiting--;
	if (!l->in_batch) {
		TAILQ_REMOVE(&reader->pending, l, pending);
		return;
	}
	for (int i = 0; i < reader->count; i++) {
		if (reader->batch[i] == l)
			reader->batch[i] = NULL;
	}
}
