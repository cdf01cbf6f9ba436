/* intake.c - the accept path: from an arrival to its outcome.
 *
 * A batch goes through one statement, or two:
 *   STORE  tells which are stored already, the same or different, and stores what is new, with its jobs;
 *   KEEP   puts those that differ among the conflicts.
 * After each, those who have their outcome leave, so the batch always holds just what the statement under way is
 * about; those who still have none go through STORE again.  Who is withdrawn leaves too, and the statement goes on; what
 * it stores, the sender's next try will find. */

#include "ingest/intake.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define ANSWER_MS 3000          /* for a statement; whoever waits for it has long been told */
#define TRACES_KEEP (64 * 1024) /* bytes of memory that stay for the next batch */

/* Tells of each that is there already whether it is the same, and stores the others, their jobs in the same statement:
 * there is never one without the other.  The third column is 1 for the same, 0 for different, null for stored now.
 *
 * DO NOTHING waits for a concurrent insert of the same identity to end.  That one is then committed, but was not there
 * when this statement began: it is told of as neither, and the next batch finds it.  The caller's order keeps two batches
 * from locking each other out.  No NOTIFY here: it would hold a lock of the whole cluster until after the flush.
 *
 * The lateral limit makes it a look-up for each, and LANE_BY_KEY one in the index, whatever the plan was made for.  For a
 * new one it costs little: it brings those pages into the cache that the insert would have to wait for.
 *
 * The traces are an object of their own, source/transaction_id -> traceparent, and null when no member has one.  As a
 * column of the given they would have to be joined to what was stored; this is a look-up, and nothing for those
 * without. */
const struct statement INTAKE_STORE = {"store",
	"WITH given AS ("
	"  SELECT g.transaction_id, g.source, g.source_account, g.destination_account, g.amount::numeric AS amount,"
	"    g.currency, t.same"
	"  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])"
	"    AS g(transaction_id, source, source_account, destination_account, amount, currency)"
	"  LEFT JOIN LATERAL (SELECT (s.source_account = g.source_account"
	"      AND s.destination_account = g.destination_account"
	"      AND s.amount = g.amount::numeric AND s.currency = g.currency)::int AS same"
	"    FROM payhook.transactions s WHERE s.transaction_id = g.transaction_id AND s.source = g.source LIMIT 1) t"
	"    ON true"
	"), stored AS ("
	"  INSERT INTO payhook.transactions"
	"    (transaction_id, source, source_account, destination_account, amount, currency)"
	"  SELECT transaction_id, source, source_account, destination_account, amount, currency FROM given"
	"  WHERE same IS NULL ON CONFLICT DO NOTHING RETURNING transaction_id, source"
	"), queued AS ("
	"  INSERT INTO payhook.jobs (transaction_id, source, traceparent) SELECT transaction_id, source,"
	"    CASE WHEN $7::jsonb IS NOT NULL THEN $7::jsonb ->> (source || '/' || transaction_id) END FROM stored"
	") SELECT transaction_id, source, NULL FROM stored"
	"  UNION ALL SELECT transaction_id, source, same FROM given WHERE same IS NOT NULL"};

/* Keeps the given among the conflicts: the same bytes again raise a count, others take the next of sixteen places,
 * and when all are taken they are counted on the last.  Two processes that want the same place: one gets it, the
 * other's row is not returned and is tried again. */
static const struct statement KEEP = {"keep",
	"WITH given AS MATERIALIZED ("
	"  SELECT g.*, sha256(g.body) AS sha256, EXISTS (SELECT FROM payhook.transaction_conflicts c"
	"    WHERE c.transaction_id = g.transaction_id AND c.source = g.source AND c.body_sha256 = sha256(g.body)) AS known,"
	"    (SELECT count(*) FROM payhook.transaction_conflicts c"
	"    WHERE c.transaction_id = g.transaction_id AND c.source = g.source) AS places"
	"  FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[]) AS g(transaction_id, source, body, request_id)"
	"), again AS ("
	"  UPDATE payhook.transaction_conflicts c SET count = c.count + 1, last_seen = now() FROM given g"
	"  WHERE g.known AND c.transaction_id = g.transaction_id AND c.source = g.source AND c.body_sha256 = g.sha256"
	"  RETURNING c.transaction_id, c.source"
	"), kept AS ("
	"  INSERT INTO payhook.transaction_conflicts (transaction_id, source, ordinal, body_sha256, body, request_id)"
	"  SELECT transaction_id, source, places + 1, sha256, body, request_id FROM given WHERE NOT known AND places < 16"
	"  ON CONFLICT DO NOTHING RETURNING transaction_id, source"
	"), unkept AS ("
	"  UPDATE payhook.transaction_conflicts c SET unkept = c.unkept + 1, last_seen = now() FROM given g"
	"  WHERE NOT g.known AND g.places >= 16"
	"    AND c.transaction_id = g.transaction_id AND c.source = g.source AND c.ordinal = 16"
	"  RETURNING c.transaction_id, c.source"
	") SELECT * FROM again UNION ALL SELECT * FROM kept UNION ALL SELECT * FROM unkept"};

/* A durable write that leaves nothing behind: a transaction with a WAL record, flushed at its commit. */
static const struct statement PROBE = {"probe", "SELECT pg_logical_emit_message(true, 'payhook', 'probe')"};

struct intake {
	struct lane *lane;
	struct lane_plan plan;
	const struct intake_events *events;
	void *ctx;
	struct event *send_soon; /* when every webhook that has come in this turn of the loop is pending */
	struct arrivals pending;
	TAILQ_HEAD(, intake_probe) probes;
	int waiting; /* pending, and in the batch */
	uint64_t arrivals;
	struct batch batch;                    /* what the statement under way is about */
	enum { NEXT_BATCH, NEXT_KEEP } next;   /* what to send when the lane is ready */
	struct db_array arrays[INTAKE_ARRAYS]; /* its parameters; kept for their memory */
	struct buf traces;                     /* STORE's seventh */
	int64_t sent_us;                       /* when it was sent */
	int64_t committed_ms;                  /* when a commit came back last, in time; 0: none has */
};

/* ---- outcomes ---- */

static void answer(struct intake *in, struct arrival *a, enum accepted outcome, const struct fault *f)
{
	in->waiting--;
	a->done(a, outcome, f);
}

static void answer_probes(struct intake *in, const struct fault *f)
{
	struct intake_probe *p;
	while ((p = TAILQ_FIRST(&in->probes))) {
		TAILQ_REMOVE(&in->probes, p, waiting);
		p->done(p, f);
	}
}

/* A commit of so many rows came back, or that of a probe: the health is known until it is stale. */
static void committed(struct intake *in, int rows)
{
	int64_t now_us = clock_us();
	if (rows > 0 && in->events->committed)
		in->events->committed(in->ctx, rows, now_us - in->sent_us);
	if (now_us - in->sent_us > INTAKE_PROMPT_MS * 1000)
		return;
	in->committed_ms = now_us / 1000;
	answer_probes(in, NULL);
}

/* Answers a member and those who ride with it: they have the same content, so what the first found new, they find
 * there already.  In a conflict each has bytes of its own to keep, so its riders go through another batch. */
static void settle_member(struct intake *in, int index, enum accepted outcome)
{
	struct arrival *a = in->batch.list[index];
	bool ride = index + 1 < in->batch.count && in->batch.list[index + 1]->rides;
	batch_remove(&in->batch, index);
	answer(in, a, outcome, NULL);
	while (ride) {
		struct arrival *rider = in->batch.list[index];
		ride = index + 1 < in->batch.count && in->batch.list[index + 1]->rides;
		batch_remove(&in->batch, index);
		if (outcome == ACCEPTED_CONFLICT)
			TAILQ_INSERT_HEAD(&in->pending, rider, pending);
		else
			answer(in, rider, ACCEPTED_AGAIN, NULL);
	}
}

/* The batch's statement failed.  Data that the server refuses is the fault of one member, so each goes alone, and
 * alone is told; two transactions that met are simply sent again; else nobody can be promised anything. */
static void batch_failed(struct intake *in, const struct fault *f)
{
	bool resend = f->kind == FAULT_AGAIN || (f->kind == FAULT_INPUT && in->batch.count > 1);
	if (resend) {
		for (int i = 0; f->kind == FAULT_INPUT && i < in->batch.count; i++)
			in->batch.list[i]->alone = true;
		batch_return(&in->batch, &in->pending);
		return;
	}
	while (in->batch.count > 0) {
		struct arrival *a = in->batch.list[in->batch.count - 1];
		batch_remove(&in->batch, in->batch.count - 1);
		answer(in, a, ACCEPTED_NEW, f);
	}
	if (f->kind != FAULT_INPUT)
		answer_probes(in, f);
}

/* ---- the statements ---- */

/* The traces of the batch.  Ids hold no control characters and are UTF-8, so whatever they are it is JSON. */
static void add_traces(struct db_params *p, struct buf *traces, const struct batch *b)
{
	buf_reset(traces, TRACES_KEEP);
	for (int i = 0; i < b->count; i++) {
		const struct arrival *a = b->list[i];
		if (a->rides || !a->traceparent)
			continue;
		buf_add_text(traces, traces->len > 0 ? ",\"" : "{\"");
		buf_add_json(traces, a->source, strlen(a->source));
		buf_add_text(traces, "/");
		buf_add_json(traces, a->txn->transaction_id, strlen(a->txn->transaction_id));
		buf_add_format(traces, "\":\"%s\"", a->traceparent);
	}
	if (traces->len > 0)
		buf_add_text(traces, "}");
	/* Out of memory: the webhooks are worth more than their traces. */
	db_params_add_text(p, traces->len > 0 && buf_ok(traces) ? traces->data : NULL);
}

static void send_statement(
	struct intake *in, const struct statement *s, const struct db_params *params, lane_done *done)
{
	in->sent_us = clock_us();
	in->next = NEXT_BATCH;
	lane_send(in->lane, s, params, done);
}

void intake_params(
	struct db_params *p, struct db_array arrays[INTAKE_ARRAYS], struct buf *traces, const struct batch *b)
{
	for (int i = 0; i < INTAKE_ARRAYS; i++)
		db_array_start(&arrays[i], DB_TEXT);
	for (int i = 0; i < b->count; i++) {
		const struct arrival *a = b->list[i];
		if (a->rides)
			continue;
		db_array_add_text(&arrays[0], a->txn->transaction_id);
		db_array_add_text(&arrays[1], a->source);
		db_array_add_text(&arrays[2], a->txn->source_account);
		db_array_add_text(&arrays[3], a->txn->destination_account);
		db_array_add_text(&arrays[4], a->txn->amount.digits);
		db_array_add_text(&arrays[5], a->txn->currency);
	}
	for (int i = 0; i < INTAKE_ARRAYS; i++)
		db_params_add_array(p, &arrays[i]);
	add_traces(p, traces, b);
}

/* Who was told of as neither there nor stored goes through another batch: its row came in between. */
static void keep_differing(struct intake *in)
{
	struct batch all = in->batch;
	bool differs = false;
	in->batch.count = 0;
	for (int i = 0; i < all.count; i++) {
		struct arrival *a = all.list[i];
		differs = a->rides ? differs : a->differs;
		a->differs = false;
		if (differs) {
			in->batch.list[in->batch.count++] = a;
			continue;
		}
		a->in_batch = false;
		TAILQ_INSERT_HEAD(&in->pending, a, pending);
	}
}

static int count_new(const struct pg_result *r)
{
	int count = 0;
	for (int row = 0; row < db_rows(r); row++)
		count += db_null(r, row, 2);
	return count;
}

static void on_stored(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct intake *in = ctx;
	if (!r) {
		batch_failed(in, f);
		return;
	}
	int stored = count_new(r);
	if (stored > 0) {
		committed(in, stored);
		in->events->enqueued(in->ctx);
	}
	for (int row = 0; row < db_rows(r); row++) {
		int i = batch_find(&in->batch, db_text(r, row, 0), db_text(r, row, 1));
		if (i < 0)
			continue;
		if (db_null(r, row, 2))
			settle_member(in, i, ACCEPTED_NEW);
		else if (db_int8(r, row, 2))
			settle_member(in, i, ACCEPTED_AGAIN);
		else
			in->batch.list[i]->differs = true;
	}
	if (in->batch.count > 0)
		keep_differing(in);
	in->next = NEXT_KEEP;
}

static void on_kept(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct intake *in = ctx;
	if (!r) {
		batch_failed(in, f);
		return;
	}
	committed(in, db_rows(r));
	for (int row = 0; row < db_rows(r); row++) {
		int i = batch_find(&in->batch, db_text(r, row, 0), db_text(r, row, 1));
		if (i >= 0)
			settle_member(in, i, ACCEPTED_CONFLICT);
	}
	/* Whose place another process took goes through a batch again. */
	batch_return(&in->batch, &in->pending);
}

static void send_keep(struct intake *in)
{
	for (int i = 0; i < 4; i++)
		db_array_start(&in->arrays[i], i == 2 ? DB_BYTES : DB_TEXT);
	for (int i = 0; i < in->batch.count; i++) {
		const struct arrival *a = in->batch.list[i];
		if (a->rides)
			continue;
		db_array_add_text(&in->arrays[0], a->txn->transaction_id);
		db_array_add_text(&in->arrays[1], a->source);
		db_array_add(&in->arrays[2], a->body, a->body_len);
		db_array_add_text(&in->arrays[3], a->request_id);
	}
	struct db_params params = {0};
	for (int i = 0; i < 4; i++)
		db_params_add_array(&params, &in->arrays[i]);
	send_statement(in, &KEEP, &params, on_kept);
}

static void send_store(struct intake *in)
{
	struct db_params params = {0};
	intake_params(&params, in->arrays, &in->traces, &in->batch);
	send_statement(in, &INTAKE_STORE, &params, on_stored);
}

static void on_probed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct intake *in = ctx;
	if (r)
		committed(in, 0);
	else
		answer_probes(in, f);
}

/* ---- what to send, and when ---- */

static void send_next(struct intake *in)
{
	if (in->next == NEXT_KEEP && in->batch.count > 0) {
		send_keep(in);
		return;
	}
	batch_take(&in->batch, &in->pending);
	if (in->batch.count > 0)
		send_store(in);
	else if (!TAILQ_EMPTY(&in->probes))
		send_statement(in, &PROBE, &(struct db_params){0}, on_probed);
}

static void on_ready(void *ctx)
{
	send_next(ctx);
}

/* The webhooks that one turn of the loop brings go into one batch: this event was made active by the first of them
 * and runs after all. */
static void on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct intake *in = arg;
	if (lane_is_ready(in->lane))
		send_next(in);
}

static void send_soon(struct intake *in)
{
	if (lane_is_ready(in->lane))
		event_active(in->send_soon, EV_TIMEOUT, 0);
}

/* ---- the lane's news ---- */

static void on_up(void *ctx)
{
	struct intake *in = ctx;
	in->events->up(in->ctx);
}

static void on_down(void *ctx, const struct fault *why)
{
	struct intake *in = ctx;
	struct arrival *a;
	in->committed_ms = 0;
	while (!lane_has_hope(in->lane) && (a = TAILQ_FIRST(&in->pending))) {
		TAILQ_REMOVE(&in->pending, a, pending);
		answer(in, a, ACCEPTED_NEW, why);
	}
	if (!lane_has_hope(in->lane))
		answer_probes(in, why);
	in->events->down(in->ctx, why);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {&INTAKE_STORE, &KEEP, &PROBE};

static const struct lane_plan PLAN = {
	.name = "payhook-app accept",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = LANE_BY_KEY,
	.answer_ms = ANSWER_MS,
	.up = on_up,
	.ready = on_ready,
	.down = on_down,
};

struct intake *intake_create(struct lanes *lanes, const struct intake_events *events, void *ctx)
{
	struct intake *in = calloc(1, sizeof *in);
	if (!in)
		return NULL;
	in->events = events;
	in->ctx = ctx;
	in->traces = BUF_INIT(INTAKE_TRACES_MAX);
	TAILQ_INIT(&in->pending);
	TAILQ_INIT(&in->probes);
	in->send_soon = event_new(lanes->base, -1, 0, on_send_soon, in);
	in->lane = lane_create(lanes, &PLAN, in);
	if (!in->send_soon || !in->lane) {
		intake_destroy(in);
		return NULL;
	}
	return in;
}

void intake_destroy(struct intake *in)
{
	if (!in)
		return;
	lane_destroy(in->lane);
	if (in->send_soon)
		event_free(in->send_soon);
	for (size_t i = 0; i < COUNT_OF(in->arrays); i++)
		db_array_finish(&in->arrays[i]);
	buf_finish(&in->traces);
	free(in);
}

void intake_accept(struct intake *in, struct arrival *a)
{
	struct fault f;
	if (!lane_has_hope(in->lane)) {
		fault_set(&f, FAULT_BUSY, "the database is away");
		a->done(a, ACCEPTED_NEW, &f);
		return;
	}
	if (in->waiting >= INTAKE_WAITING_MAX) {
		fault_set(&f, FAULT_BUSY, "%d webhooks are waiting already", INTAKE_WAITING_MAX);
		a->done(a, ACCEPTED_NEW, &f);
		return;
	}
	a->number = in->arrivals++;
	a->in_batch = a->rides = a->differs = a->alone = false;
	TAILQ_INSERT_TAIL(&in->pending, a, pending);
	in->waiting++;
	send_soon(in);
}

void intake_withdraw(struct intake *in, struct arrival *a)
{
	in->waiting--;
	if (!a->in_batch) {
		TAILQ_REMOVE(&in->pending, a, pending);
		return;
	}
	for (int i = 0; i < in->batch.count; i++) {
		if (in->batch.list[i] == a) {
			batch_remove(&in->batch, i);
			return;
		}
	}
}

void intake_ask(struct intake *in, struct intake_probe *p)
{
	struct fault f;
	int64_t now = clock_ms();
	if (!lane_has_hope(in->lane)) {
		fault_set(&f, FAULT_BUSY, "the database is away");
		p->done(p, &f);
		return;
	}
	if (in->committed_ms && now - in->committed_ms < INTAKE_FRESH_MS) {
		p->done(p, NULL);
		return;
	}
	TAILQ_INSERT_TAIL(&in->probes, p, waiting);
	send_soon(in);
}

void intake_unask(struct intake *in, struct intake_probe *p)
{
	TAILQ_REMOVE(&in->probes, p, waiting);
}
