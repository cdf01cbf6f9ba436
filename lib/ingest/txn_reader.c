/* txn_reader.c - lookups of transactions, batched. */

#include "ingest/txn_reader.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

/* One look into the index for each id; ord is its place in the batch. */
static const struct statement FIND = {"find",
	"SELECT g.ord, t.transaction_id, t.source_account, t.destination_account, t.amount, t.currency, t.status,"
	"    to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
	"    to_char(t.processed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), t.failure"
	"  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(transaction_id, source, ord),"
	"  LATERAL (SELECT * FROM payhook.transactions s"
	"    WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"};

struct txn_reader {
	struct connection *connection;
	struct event *txn_reader_send_soon;
	TAILQ_HEAD(, lookup) pending;
	int waiting;
	int count;
	struct lookup *batch[TXN_READER_BATCH_MAX]; /* under way, as sent; NULL: answered or withdrawn */
	struct db_array ids;
	struct db_array sources;
};

static void txn_reader_answer(struct txn_reader *fi, struct lookup *l, const struct found *found, const struct fault *f)
{
	fi->waiting--;
	l->done(l, found, f);
}

static void answer_pending(struct txn_reader *fi, const struct fault *f)
{
	struct lookup *l;
	while ((l = TAILQ_FIRST(&fi->pending))) {
		TAILQ_REMOVE(&fi->pending, l, pending);
		txn_reader_answer(fi, l, NULL, f);
	}
}

static const char *txn_reader_text_or_null(const struct pg_result *r, int row, int column)
{
	return db_null(r, row, column) ? NULL : db_text(r, row, column);
}

static void answer_row(struct txn_reader *fi, const struct pg_result *r, int row)
{
	int64_t place = db_int8(r, row, 0) - 1;
	struct lookup *l = fi->batch[place];
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
	fi->batch[place] = NULL;
	txn_reader_answer(fi, l, &found, NULL);
}

static void txn_reader_on_found(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct txn_reader *fi = ctx;
	for (int row = 0; r && row < db_rows(r); row++)
		answer_row(fi, r, row);
	for (int i = 0; i < fi->count; i++) {
		if (fi->batch[i])
			txn_reader_answer(fi, fi->batch[i], NULL, f);
	}
	fi->count = 0;
}

static void txn_reader_send_next(struct txn_reader *fi)
{
	struct lookup *l;
	if (TAILQ_EMPTY(&fi->pending))
		return;
	db_array_start(&fi->ids, DB_TEXT);
	db_array_start(&fi->sources, DB_TEXT);
	for (fi->count = 0; fi->count < TXN_READER_BATCH_MAX && (l = TAILQ_FIRST(&fi->pending)); fi->count++) {
		TAILQ_REMOVE(&fi->pending, l, pending);
		l->in_batch = true;
		fi->batch[fi->count] = l;
		db_array_add_text(&fi->ids, l->transaction_id);
		db_array_add_text(&fi->sources, l->source);
	}
	struct db_params params = {0};
	db_params_add_array(&params, &fi->ids);
	db_params_add_array(&params, &fi->sources);
	connection_send(fi->connection, &FIND, &params, txn_reader_on_found);
}

/* The lookups that one turn of the loop brings go into one statement: this event was made active by the first of them,
 * or by the lane that came back, and runs after all. */
static void txn_reader_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct txn_reader *fi = arg;
	if (connection_is_ready(fi->connection))
		txn_reader_send_next(fi);
}

static void txn_reader_send_soon(struct txn_reader *fi)
{
	if (connection_is_ready(fi->connection))
		event_active(fi->txn_reader_send_soon, EV_TIMEOUT, 0);
}

static void txn_reader_on_ready(void *ctx)
{
	txn_reader_send_soon(ctx);
}

/* The intake's lane tells of the database's state; a second voice would say the same. */
static void txn_reader_on_down(void *ctx, const struct fault *why)
{
	struct txn_reader *fi = ctx;
	if (!connection_is_reachable(fi->connection))
		answer_pending(fi, why);
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
	struct txn_reader *fi = calloc(1, sizeof *fi);
	if (!fi)
		return NULL;
	TAILQ_INIT(&fi->pending);
	fi->txn_reader_send_soon = event_new(connect_state->base, -1, 0, txn_reader_on_send_soon, fi);
	fi->connection = connection_create(connect_state, &PLAN, fi);
	if (!fi->txn_reader_send_soon || !fi->connection) {
		txn_reader_destroy(fi);
		return NULL;
	}
	return fi;
}

void txn_reader_destroy(struct txn_reader *fi)
{
	if (!fi)
		return;
	connection_destroy(fi->connection);
	if (fi->txn_reader_send_soon)
		event_free(fi->txn_reader_send_soon);
	db_array_finish(&fi->ids);
	db_array_finish(&fi->sources);
	free(fi);
}

void txn_reader_find(struct txn_reader *fi, struct lookup *l)
{
	struct fault f;
	bool full = fi->waiting >= TXN_READER_WAITING_MAX;
	if (full || !connection_is_reachable(fi->connection)) {
		fault_set(&f, FAULT_BUSY, full ? "too many lookups are waiting already" : "the database is away");
		l->done(l, NULL, &f);
		return;
	}
	fi->waiting++;
	l->in_batch = false;
	TAILQ_INSERT_TAIL(&fi->pending, l, pending);
	txn_reader_send_soon(fi);
}

void txn_reader_withdraw(struct txn_reader *fi, struct lookup *l)
{
	fi->waiting--;
	if (!l->in_batch) {
		TAILQ_REMOVE(&fi->pending, l, pending);
		return;
	}
	for (int i = 0; i < fi->count; i++) {
		if (fi->batch[i] == l)
			fi->batch[i] = NULL;
	}
}
