/* txn_reader.c - lookups of stored transactions and payments, batched.
 *
 * Lookups that arrive while a statement is under way go into the next one, so a thousand readers cost a few statements.
 * It only reads: no lock is taken, and a lost answer changes nothing.  The caller sets the deadline and repeats a
 * lookup that failed. */

#include "ingest/txn_reader.h"

#include <event2/event.h>
#include <stdlib.h>

#define ANSWER_MS 3000

#define CREATED_AT "to_char(t.created_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"
#define PROCESSED_AT "to_char(t.processed_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"
#define OCCURRED_AT "to_char(t.occurred_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT ")"

/* Returns a row for each lookup that finds a transaction; ord is the lookup's position in the batch, from 1.  All see
 * one snapshot.
 *
 * Plan: the lateral LIMIT makes it one look-up in the primary key for each lookup, as long as CONNECTION_BY_KEY
 * holds. */
static const struct statement FIND = {"find",
	"SELECT g.ord, t.transaction_id, t.source_account, t.destination_account, t.amount, t.currency, t.status,"
	"    " CREATED_AT ", " PROCESSED_AT ", t.failure, t.kind, t.payment_id, t.part, " OCCURRED_AT
	"  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(transaction_id, source, ord),"
	"  LATERAL (SELECT * FROM payhook.transactions s"
	"    WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"};

/* The same for payments.  The events of a payment are read twice: all for its state, and the newest for the list, whose
 * order is that of payhook.payment_state().
 *
 * Plan: the LIMIT keeps the view apart, so the look-up is by the payment's key and not by a join with all payments. */
static const struct statement FIND_PAYMENT = {"find_payment",
	"SELECT g.ord, p.currency, p.state, (SELECT row_to_json(x) FROM (SELECT p.sums ->> 'authorised' AS authorised,"
	"      p.sums ->> 'captured' AS captured, p.sums ->> 'refunded' AS refunded, p.sums ->> 'disputed' AS disputed,"
	"      p.sums ->> 'lost' AS lost, p.sums ->> 'paid_out' AS paid_out) x),"
	"    array_to_json(p.anomalies), p.events, l.events"
	"  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS g(payment_id, source, ord),"
	"  LATERAL (SELECT * FROM payhook.payments s"
	"    WHERE s.payment_id = g.payment_id AND s.source = g.source LIMIT 1) p,"
	"  LATERAL (SELECT string_agg(event, ',' ORDER BY age DESC) AS events"
	"    FROM (SELECT event, age, sum(octet_length(event) + 1) OVER (ORDER BY age) AS bytes"
	"      FROM (SELECT row_to_json(x)::text AS event, age"
	"        FROM (SELECT t.*, row_number() OVER (ORDER BY t.occurred_at DESC NULLS LAST, array_position(ARRAY["
	"              'pending', 'authorised', 'captured', 'capture_failed', 'canceled', 'expired', 'failed',"
	"              'refunded', 'refund_failed', 'dispute_notice', 'disputed', 'dispute_won', 'dispute_lost',"
	"              'paid_out', 'other'], t.kind) DESC NULLS LAST, t.transaction_id COLLATE \"C\" DESC) AS age"
	"          FROM payhook.transactions t"
	"          WHERE t.payment_id = g.payment_id AND t.source = g.source ORDER BY age LIMIT 100) t,"
	"        LATERAL (SELECT t.transaction_id, t.kind, t.part, t.amount, t.amount::text AS amount_text,"
	"          coalesce(t.is_total, false) AS is_total, t.currency, " OCCURRED_AT " AS occurred_at,"
	"          " CREATED_AT " AS created_at, t.status) x) i) b"
	"    WHERE bytes <= $3::int) l"};

enum subject { TRANSACTIONS, PAYMENTS, SUBJECTS };

static const struct {
	const struct statement *statement;
	int most; /* lookups in one */
} LOOKUPS[SUBJECTS] = {
	[TRANSACTIONS] = {&FIND, TXN_READER_BATCH_MAX}, [PAYMENTS] = {&FIND_PAYMENT, TXN_READER_PAYMENTS_MAX}};

struct txn_reader {
	struct connection *connection;
	struct event *send_soon;
	TAILQ_HEAD(, lookup) pending[SUBJECTS];
	enum subject sent; /* of the last statement: the two take turns */
	int waiting;
	int count;
	struct lookup
		*batch[TXN_READER_BATCH_MAX]; /* of the statement under way, as sent; NULL: answered or withdrawn */
	struct db_array ids;
	struct db_array sources;
};

static enum subject subject_of(const struct lookup *l)
{
	return l->done_payment ? PAYMENTS : TRANSACTIONS;
}

/* Nothing was found, or f is the reason why that is unknown. */
static void answer_without(struct txn_reader *reader, struct lookup *l, const struct fault *f)
{
	reader->waiting--;
	if (l->done_payment)
		l->done_payment(l, NULL, f);
	else
		l->done(l, NULL, f);
}

static void answer_pending(struct txn_reader *reader, const struct fault *f)
{
	struct lookup *l;
	for (int i = 0; i < SUBJECTS; i++) {
		while ((l = TAILQ_FIRST(&reader->pending[i]))) {
			TAILQ_REMOVE(&reader->pending[i], l, pending);
			answer_without(reader, l, f);
		}
	}
}

static const char *txn_reader_text_or_null(const struct pg_result *r, int row, int column)
{
	return db_null(r, row, column) ? NULL : db_text(r, row, column);
}

static void answer_transaction(struct lookup *l, const struct pg_result *r, int row)
{
	struct found found = {
		.transaction_id = db_text(r, row, 1),
		.source_account = txn_reader_text_or_null(r, row, 2),
		.destination_account = txn_reader_text_or_null(r, row, 3),
		.amount = txn_reader_text_or_null(r, row, 4),
		.currency = txn_reader_text_or_null(r, row, 5),
		.status = db_text(r, row, 6),
		.created_at = db_text(r, row, 7),
		.processed_at = txn_reader_text_or_null(r, row, 8),
		.failure = txn_reader_text_or_null(r, row, 9),
		.kind = txn_reader_text_or_null(r, row, 10),
		.payment_id = txn_reader_text_or_null(r, row, 11),
		.part = txn_reader_text_or_null(r, row, 12),
		.occurred_at = txn_reader_text_or_null(r, row, 13),
	};
	l->done(l, &found, NULL);
}

static void answer_payment(struct lookup *l, const struct pg_result *r, int row)
{
	struct found_payment found = {
		.currency = txn_reader_text_or_null(r, row, 1),
		.state = db_text(r, row, 2),
		.sums = db_text(r, row, 3),
		.anomalies = db_text(r, row, 4),
		.events_total = db_text(r, row, 5),
		.events = db_text(r, row, 6),
	};
	l->done_payment(l, &found, NULL);
}

static void answer_row(struct txn_reader *reader, const struct pg_result *r, int row)
{
	int64_t place = db_int8(r, row, 0) - 1;
	struct lookup *l = reader->batch[place];
	if (!l)
		return;
	reader->batch[place] = NULL;
	reader->waiting--;
	if (l->done_payment)
		answer_payment(l, r, row);
	else
		answer_transaction(l, r, row);
}

static void txn_reader_on_found(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct txn_reader *reader = ctx;
	for (int row = 0; r && row < db_rows(r); row++)
		answer_row(reader, r, row);
	for (int i = 0; i < reader->count; i++) {
		if (reader->batch[i])
			answer_without(reader, reader->batch[i], f);
	}
	reader->count = 0;
}

static void txn_reader_send_next(struct txn_reader *reader)
{
	struct lookup *l;
	enum subject subject = reader->sent == PAYMENTS ? TRANSACTIONS : PAYMENTS;
	if (TAILQ_EMPTY(&reader->pending[subject]))
		subject = reader->sent;
	if (TAILQ_EMPTY(&reader->pending[subject]))
		return;
	db_array_start(&reader->ids, DB_TEXT);
	db_array_start(&reader->sources, DB_TEXT);
	for (reader->count = 0; reader->count < LOOKUPS[subject].most && (l = TAILQ_FIRST(&reader->pending[subject]));
		reader->count++) {
		TAILQ_REMOVE(&reader->pending[subject], l, pending);
		l->in_batch = true;
		reader->batch[reader->count] = l;
		db_array_add_text(&reader->ids, l->id);
		db_array_add_text(&reader->sources, l->source);
	}
	struct db_params params = {0};
	db_params_add_array(&params, &reader->ids);
	db_params_add_array(&params, &reader->sources);
	if (subject == PAYMENTS)
		db_params_add_int8(&params, TXN_READER_EVENTS_MAX);
	reader->sent = subject;
	connection_send(reader->connection, LOOKUPS[subject].statement, &params, txn_reader_on_found);
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

static const struct statement *const STATEMENTS[] = {&FIND, &FIND_PAYMENT};

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
	for (int i = 0; i < SUBJECTS; i++)
		TAILQ_INIT(&reader->pending[i]);
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
	reader->waiting++;
	if (full || !connection_is_reachable(reader->connection)) {
		fault_set(&f, FAULT_BUSY, full ? "too many lookups are waiting already" : "the database is away");
		answer_without(reader, l, &f);
		return;
	}
	l->in_batch = false;
	TAILQ_INSERT_TAIL(&reader->pending[subject_of(l)], l, pending);
	txn_reader_send_soon(reader);
}

void txn_reader_withdraw(struct txn_reader *reader, struct lookup *l)
{
	reader->waiting--;
	if (!l->in_batch) {
		TAILQ_REMOVE(&reader->pending[subject_of(l)], l, pending);
		return;
	}
	for (int i = 0; i < reader->count; i++) {
		if (reader->batch[i] == l)
			reader->batch[i] = NULL;
	}
}
