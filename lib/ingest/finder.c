/* finder.c - lookups of transactions, batched. */

#include "ingest/finder.h"

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

struct finder {
	struct lane *lane;
	struct event *send_soon;
	TAILQ_HEAD(, lookup) pending;
	int waiting;
	int count;
	struct lookup *batch[FINDER_BATCH_MAX]; /* under way, as sent; NULL: answered or withdrawn */
	struct db_array ids;
	struct db_array sources;
};

static void answer(struct finder *fi, struct lookup *l, const struct found *found, const struct fault *f)
{
	fi->waiting--;
	l->done(l, found, f);
}

static void answer_pending(struct finder *fi, const struct fault *f)
{
	struct lookup *l;
	while ((l = TAILQ_FIRST(&fi->pending))) {
		TAILQ_REMOVE(&fi->pending, l, pending);
		answer(fi, l, NULL, f);
	}
}

static const char *text_or_null(const struct pg_result *r, int row, int column)
{
	return db_null(r, row, column) ? NULL : db_text(r, row, column);
}

static void answer_row(struct finder *fi, const struct pg_result *r, int row)
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
		.processed_at = text_or_null(r, row, 8),
		.failure = text_or_null(r, row, 9),
	};
	fi->batch[place] = NULL;
	answer(fi, l, &found, NULL);
}

static void on_found(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct finder *fi = ctx;
	for (int row = 0; r && row < db_rows(r); row++)
		answer_row(fi, r, row);
	for (int i = 0; i < fi->count; i++) {
		if (fi->batch[i])
			answer(fi, fi->batch[i], NULL, f);
	}
	fi->count = 0;
}

static void send_next(struct finder *fi)
{
	struct lookup *l;
	if (TAILQ_EMPTY(&fi->pending))
		return;
	db_array_start(&fi->ids, DB_TEXT);
	db_array_start(&fi->sources, DB_TEXT);
	for (fi->count = 0; fi->count < FINDER_BATCH_MAX && (l = TAILQ_FIRST(&fi->pending)); fi->count++) {
		TAILQ_REMOVE(&fi->pending, l, pending);
		l->in_batch = true;
		fi->batch[fi->count] = l;
		db_array_add_text(&fi->ids, l->transaction_id);
		db_array_add_text(&fi->sources, l->source);
	}
	struct db_params params = {0};
	db_params_add_array(&params, &fi->ids);
	db_params_add_array(&params, &fi->sources);
	lane_send(fi->lane, &FIND, &params, on_found);
}

/* The lookups that one turn of the loop brings go into one statement: this event was made active by the first of them,
 * or by the lane that came back, and runs after all. */
static void on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct finder *fi = arg;
	if (lane_is_ready(fi->lane))
		send_next(fi);
}

static void send_soon(struct finder *fi)
{
	if (lane_is_ready(fi->lane))
		event_active(fi->send_soon, EV_TIMEOUT, 0);
}

static void on_ready(void *ctx)
{
	send_soon(ctx);
}

/* The intake's lane tells of the database's state; a second voice would say the same. */
static void on_down(void *ctx, const struct fault *why)
{
	struct finder *fi = ctx;
	if (!lane_has_hope(fi->lane))
		answer_pending(fi, why);
}

static const struct statement *const STATEMENTS[] = {&FIND};

static const struct lane_plan PLAN = {
	.name = "payhook-app find",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = LANE_BY_KEY,
	.answer_ms = ANSWER_MS,
	.ready = on_ready,
	.down = on_down,
};

struct finder *finder_create(struct lanes *lanes)
{
	struct finder *fi = calloc(1, sizeof *fi);
	if (!fi)
		return NULL;
	TAILQ_INIT(&fi->pending);
	fi->send_soon = event_new(lanes->base, -1, 0, on_send_soon, fi);
	fi->lane = lane_create(lanes, &PLAN, fi);
	if (!fi->send_soon || !fi->lane) {
		finder_destroy(fi);
		return NULL;
	}
	return fi;
}

void finder_destroy(struct finder *fi)
{
	if (!fi)
		return;
	lane_destroy(fi->lane);
	if (fi->send_soon)
		event_free(fi->send_soon);
	db_array_finish(&fi->ids);
	db_array_finish(&fi->sources);
	free(fi);
}

void finder_find(struct finder *fi, struct lookup *l)
{
	struct fault f;
	bool full = fi->waiting >= FINDER_WAITING_MAX;
	if (full || !lane_has_hope(fi->lane)) {
		fault_set(&f, FAULT_BUSY, full ? "too many lookups are waiting already" : "the database is away");
		l->done(l, NULL, &f);
		return;
	}
	fi->waiting++;
	l->in_batch = false;
	TAILQ_INSERT_TAIL(&fi->pending, l, pending);
	send_soon(fi);
}

void finder_withdraw(struct finder *fi, struct lookup *l)
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
