/* payloads.c - keeps requests that store no transaction, batched.
 *
 * Requests that arrive while a statement is under way go into the next one.  Their commit waits for the disk, as the
 * answer promises.  A lost answer fails the requests of its statement; the provider repeats them, and they may then be
 * kept twice.  The caller sets the deadline. */

#include "ingest/payloads.h"

#include <event2/event.h>
#include <stdlib.h>

#include "ingest/statements.h"

#define ANSWER_MS 3000

/* Returns how many rows were inserted: all, or none if the day has no partition.  Nothing waits for another
 * transaction. */
static const struct statement KEEP_PAYLOADS = {"keep_payloads",
	"WITH kept AS ("
	"  INSERT INTO payhook.payloads (request_id, source, content_type, headers, body)"
	"  SELECT nullif(b.request_id, '')::uuid, b.source, b.content_type, b.headers::jsonb, b.body"
	"  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])"
	"    AS b(source, request_id, content_type, headers, body)"
	"  WHERE " INGEST_DAY_HAS_PARTITION " RETURNING 1"
	") SELECT count(*) FROM kept"};

#define COLUMNS 5

struct payloads {
	struct connection *connection;
	struct event *send_soon;
	TAILQ_HEAD(, payload_insert) pending;
	int waiting;
	int count;
	struct payload_insert *batch[PAYLOADS_BATCH_MAX]; /* as sent; NULL: withdrawn */
	struct db_array columns[COLUMNS];
};

static void payloads_answer(struct payloads *all, struct payload_insert *insert, bool is_kept, const struct fault *f)
{
	all->waiting--;
	insert->done(insert, is_kept, f);
}

static void payloads_on_kept(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct payloads *all = ctx;
	bool is_kept = r && db_int8(r, 0, 0) > 0;
	for (int i = 0; i < all->count; i++) {
		if (all->batch[i])
			payloads_answer(all, all->batch[i], is_kept, f);
	}
	all->count = 0;
}

static void payloads_send_next(struct payloads *all)
{
	struct payload_insert *insert;
	struct db_params params = {0};
	size_t bytes = 0;
	if (TAILQ_EMPTY(&all->pending))
		return;
	for (int i = 0; i < COLUMNS; i++)
		db_array_start(&all->columns[i], i == COLUMNS - 1 ? DB_BYTES : DB_TEXT);
	for (all->count = 0;
		all->count < PAYLOADS_BATCH_MAX && bytes < PAYLOADS_BYTES_MAX && (insert = TAILQ_FIRST(&all->pending));
		all->count++) {
		TAILQ_REMOVE(&all->pending, insert, pending);
		insert->in_batch = true;
		all->batch[all->count] = insert;
		ingest_body_add(all->columns, insert->source, insert->request_id, insert->body);
		bytes += insert->body->len;
	}
	for (int i = 0; i < COLUMNS; i++)
		db_params_add_array(&params, &all->columns[i]);
	connection_send(all->connection, &KEEP_PAYLOADS, &params, payloads_on_kept);
}

/* Sends the requests of one turn of the loop in one statement. */
static void payloads_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct payloads *all = arg;
	if (connection_is_ready(all->connection))
		payloads_send_next(all);
}

static void payloads_on_ready(void *ctx)
{
	struct payloads *all = ctx;
	if (connection_is_ready(all->connection))
		event_active(all->send_soon, EV_TIMEOUT, 0);
}

/* Does not report the loss: the connection of ingest.c reports it for the whole process. */
static void payloads_on_down(void *ctx, const struct fault *why)
{
	struct payloads *all = ctx;
	struct payload_insert *insert;
	while (!connection_is_reachable(all->connection) && (insert = TAILQ_FIRST(&all->pending))) {
		TAILQ_REMOVE(&all->pending, insert, pending);
		payloads_answer(all, insert, false, why);
	}
}

static const struct statement *const STATEMENTS[] = {&KEEP_PAYLOADS};

static const struct connection_plan PLAN = {
	.name = "payhook-app payloads",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.answer_ms = ANSWER_MS,
	.ready = payloads_on_ready,
	.down = payloads_on_down,
};

struct payloads *payloads_create(struct connect_state *connect_state)
{
	struct payloads *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	TAILQ_INIT(&all->pending);
	all->send_soon = event_new(connect_state->base, -1, 0, payloads_on_send_soon, all);
	all->connection = connection_create(connect_state, &PLAN, all);
	if (!all->send_soon || !all->connection) {
		payloads_destroy(all);
		return NULL;
	}
	return all;
}

void payloads_destroy(struct payloads *all)
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

void payloads_keep(struct payloads *all, struct payload_insert *insert)
{
	struct fault f;
	bool full = all->waiting >= PAYLOADS_WAITING_MAX;
	all->waiting++;
	if (full || !connection_is_reachable(all->connection)) {
		fault_set(&f, FAULT_BUSY,
			full ? "too many ignored webhooks are waiting already" : "the database is away");
		payloads_answer(all, insert, false, &f);
		return;
	}
	insert->in_batch = false;
	TAILQ_INSERT_TAIL(&all->pending, insert, pending);
	payloads_on_ready(all);
}

void payloads_withdraw(struct payloads *all, struct payload_insert *insert)
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
