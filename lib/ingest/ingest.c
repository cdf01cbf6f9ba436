/* ingest.c - the accept path: from a pending insert to its outcome, which is given after the commit and never before.
 *
 * A batch goes through one statement or two.  STORE reports which webhooks are stored already, with the same content or
 * with different content, and stores the new ones with their jobs.  KEEP records the different ones as conflicts.
 * After each statement the members with an outcome leave the batch; those without one go through STORE again.  So the
 * batch holds exactly the webhooks of the statement under way.  A withdrawn webhook leaves as well, and the statement
 * goes on: if it stores the webhook, the provider's next attempt finds the row.  Deadlines of requests are left to the
 * caller. */

#include "ingest/ingest.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ingest/pending.h"
#include "ingest/statements.h"

#define ANSWER_MS 3000 /* for a statement; the requests that wait for it expire earlier */

/* Gathering: while webhooks come faster than statements end, a batch is sent GATHER_US after the one before at the earliest,
 * or when GATHER_FULL webhooks have come.  PostgreSQL takes as long for a batch of one as for ten rows more, so at a
 * moderate rate this is processor time saved, and less waiting for it.  A webhook that comes alone waits for nothing. */
#define GATHER_US 1000
#define GATHER_FULL 16
#define COMPANY_ONE 32 /* company: an exponential mean over some eight batches, 256 if each had any */
#define COMPANY_LEAST 64

struct ingest {
	struct connection *connection;
	const struct ingest_events *events;
	void *ctx;
	struct event *send_soon;  /* sends the next batch at the end of this turn of the loop */
	struct event *send_later; /* sends it when it has been gathered */
	int company;              /* how many of the last batches had others come while they were under way */
	int gathered;             /* webhooks that have come since the last batch was sent */
	struct pending *pending;
	struct batch batch;                    /* the webhooks of the statement under way */
	int sent;                              /* members in that statement, also those withdrawn since */
	enum { NEXT_BATCH, NEXT_KEEP } next;   /* what to send when the connection is ready */
	struct db_array arrays[INGEST_ARRAYS]; /* parameters; kept for their memory */
	struct buf traces;                     /* the seventh parameter of STORE */
	int64_t sent_us;                       /* clock_us() when the statement was sent */
	struct readiness readiness;
	struct event *retry; /* sends the next probe while not ready */
	bool passed_by;      /* the last statement was a batch though a probe was due */
};

/* ---- outcomes ---- */

static void ingest_answer(
	struct ingest *in, struct pending_insert *insert, enum accepted outcome, const struct fault *f)
{
	pending_forget(in->pending, insert);
	insert->done(insert, outcome, f);
}

/* Answers a webhook that was taken from where it waited, and its copies.  If it was stored now, they find it stored
 * already.  Each leaves the copies before its done(), which may free it. */
static void answer_with_copies(
	struct ingest *in, struct pending_insert *first, enum accepted outcome, const struct fault *f)
{
	while (first) {
		struct pending_insert *next = copies_leave(first);
		ingest_answer(in, first, outcome, f);
		outcome = outcome == ACCEPTED_NEW ? ACCEPTED_AGAIN : outcome;
		first = next;
	}
}

/* Microseconds until the next batch is to be sent; 0: now. */
static int64_t gather_us(const struct ingest *in)
{
	if (in->company < COMPANY_LEAST || in->gathered >= GATHER_FULL || in->next == NEXT_KEEP)
		return 0;
	int64_t left = in->sent_us + GATHER_US - clock_us();
	return left > 0 ? left : 0;
}

static void ingest_send_soon(struct ingest *in)
{
	if (!connection_is_ready(in->connection))
		return;
	int64_t wait_us = gather_us(in);
	if (wait_us == 0)
		event_active(in->send_soon, EV_TIMEOUT, 0);
	else if (!evtimer_pending(in->send_later, NULL))
		evtimer_add(in->send_later, &(struct timeval){.tv_usec = (suseconds_t)wait_us});
}

/* Reports a commit of this many webhooks or conflicts. */
static void report_commit(struct ingest *in, int rows)
{
	if (rows > 0 && in->events->committed)
		in->events->committed(in->ctx, rows, clock_us() - in->sent_us);
}

/* ---- readiness ---- */

static void ingest_on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct ingest *in = arg;
	readiness_resume(&in->readiness);
	ingest_send_soon(in);
}

static void retry_later(struct ingest *in)
{
	struct timeval tv = clock_timeval(READINESS_RETRY_MS);
	evtimer_add(in->retry, &tv);
}

/* New webhooks or a probe are committed.  The webhooks of a commit that took too long were answered 503. */
static void prove_if_prompt(struct ingest *in)
{
	if (clock_us() - in->sent_us <= INGEST_PROMPT_MS * 1000) {
		readiness_prove(&in->readiness, clock_ms());
		return;
	}
	readiness_pause(&in->readiness);
	retry_later(in);
}

static void refuse(struct ingest *in, const struct fault *f)
{
	readiness_refuse(&in->readiness, f);
	retry_later(in);
}

/* ---- outcomes of a batch ---- */

/* Gives a member, its copies and its duplicates their outcome.  They have the same content, so if it was stored now, the
 * others find it stored already.  In a conflict each duplicate has bytes of its own to record, and those of the copies
 * are counted if has_copies; the others go into another batch. */
static void settle_member(struct ingest *in, int index, enum accepted outcome, bool has_copies)
{
	struct pending_insert *insert = in->batch.list[index];
	bool more = index + 1 < in->batch.count && in->batch.list[index + 1]->is_duplicate;
	batch_remove(&in->batch, index);
	struct pending_insert *copy = has_copies ? NULL : copies_leave(insert);
	answer_with_copies(in, insert, outcome, NULL);
	if (copy)
		pending_put_back(in->pending, copy, true);
	while (more) {
		struct pending_insert *duplicate = in->batch.list[index];
		more = index + 1 < in->batch.count && in->batch.list[index + 1]->is_duplicate;
		batch_remove(&in->batch, index);
		if (outcome == ACCEPTED_CONFLICT)
			pending_put_back(in->pending, duplicate, true);
		else
			answer_with_copies(in, duplicate, ACCEPTED_AGAIN, NULL);
	}
}

/* Puts every member back, in the order of arrival. */
static void return_batch(struct ingest *in, bool is_contested)
{
	batch_sort_by_age(&in->batch);
	for (int i = 0; i < in->batch.count; i++)
		pending_put_back(in->pending, in->batch.list[i], is_contested);
	in->batch.count = 0;
}

/* Whether the statement under way had the data of one webhook, and that one still waits. */
static bool had_only_one(const struct ingest *in)
{
	return in->sent == 1 && in->batch.count == 1 && in->batch.list[0]->is_sent;
}

/* The batch's statement failed.  If the server rejects the data of one member, each is sent alone, and only that one
 * fails; it may have been withdrawn, so the members sent count and not those left.  After a deadlock the batch is sent
 * again.  Otherwise every member fails: none is known to be durable. */
static void batch_failed(struct ingest *in, const struct fault *f)
{
	bool resend = f->kind == FAULT_AGAIN || (f->kind == FAULT_INPUT && !had_only_one(in));
	if (resend) {
		for (int i = 0; f->kind == FAULT_INPUT && i < in->batch.count; i++)
			in->batch.list[i]->alone = true;
		return_batch(in, f->kind == FAULT_INPUT);
		return;
	}
	while (in->batch.count > 0) {
		struct pending_insert *insert = in->batch.list[in->batch.count - 1];
		batch_remove(&in->batch, in->batch.count - 1);
		answer_with_copies(in, insert, ACCEPTED_NEW, f);
	}
	if (f->kind != FAULT_INPUT)
		refuse(in, f);
}

/* ---- the statements ---- */

/* Notes which members the statement has: a duplicate becomes the first of its identity if that one is withdrawn. */
static void mark_sent(struct ingest *in)
{
	in->sent = 0;
	for (int i = 0; i < in->batch.count; i++) {
		in->batch.list[i]->is_sent = !in->batch.list[i]->is_duplicate;
		in->sent += in->batch.list[i]->is_sent;
	}
}

static void send_statement(
	struct ingest *in, const struct statement *s, const struct db_params *params, connection_done *done)
{
	mark_sent(in);
	in->sent_us = clock_us();
	in->next = NEXT_BATCH;
	connection_send(in->connection, s, params, done);
}

/* Keeps differing members for KEEP, BATCH_CONFLICTS_MAX and their duplicates; the others have their turn later.  A member
 * that was not returned goes into another batch: it lost a race. */
static void keep_differing(struct ingest *in)
{
	int kept = 0, conflicts = 0;
	bool differs = false;
	for (int i = 0; i < in->batch.count; i++) {
		struct pending_insert *insert = in->batch.list[i];
		if (!insert->is_duplicate) {
			differs = insert->differs;
			conflicts += differs;
		}
		insert->differs = false;
		if (differs && conflicts <= BATCH_CONFLICTS_MAX)
			in->batch.list[kept++] = insert;
		else
			pending_put_back(in->pending, insert, differs);
	}
	in->batch.count = kept;
}

static int count_unkept(const struct pg_result *r)
{
	int count = 0;
	for (int row = 0; row < db_rows(r); row++)
		count += !db_null(r, row, 4);
	return count;
}

static int count_new(const struct pg_result *r)
{
	int count = 0;
	for (int row = 0; row < db_rows(r); row++)
		count += db_null(r, row, 2);
	return count;
}

static void ingest_on_stored(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct ingest *in = ctx;
	if (!r) {
		batch_failed(in, f);
		return;
	}
	int stored = count_new(r), unkept = count_unkept(r);
	if (unkept > 0)
		in->events->unkept(in->ctx, unkept);
	if (stored > 0) {
		report_commit(in, stored);
		prove_if_prompt(in);
		in->events->enqueued(in->ctx);
	}
	for (int row = 0; row < db_rows(r); row++) {
		if (!db_null(r, row, 3))
			in->events->parked(in->ctx, db_int8(r, row, 3));
		int i = batch_find(&in->batch, db_text(r, row, 0), db_text(r, row, 1));
		if (i < 0)
			continue;
		if (db_null(r, row, 2))
			settle_member(in, i, ACCEPTED_NEW, true);
		else if (db_int8(r, row, 2))
			settle_member(in, i, ACCEPTED_AGAIN, true);
		else
			in->batch.list[i]->differs = true;
	}
	if (in->batch.count > 0)
		keep_differing(in);
	in->next = NEXT_KEEP;
}

static void ingest_on_kept(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct ingest *in = ctx;
	if (!r) {
		batch_failed(in, f);
		return;
	}
	int64_t recorded = 0;
	for (int row = 0; row < db_rows(r); row++) {
		int i = batch_find(&in->batch, db_text(r, row, 0), db_text(r, row, 1));
		int64_t count = db_int8(r, row, 2);
		recorded += count;
		if (i >= 0 && in->batch.list[i]->is_sent)
			settle_member(in, i, ACCEPTED_CONFLICT, count >= copies_count(in->batch.list[i]));
	}
	report_commit(in, (int)recorded);
	/* A member that lost its place to another process goes into another batch, and so does a duplicate whose first was
	 * withdrawn: that one's bytes are kept, its own are not. */
	return_batch(in, true);
}

static void send_keep(struct ingest *in)
{
	struct db_params params = {0};
	ingest_keep_params(&params, in->arrays, &in->batch);
	send_statement(in, &INGEST_KEEP, &params, ingest_on_kept);
}

static void send_store(struct ingest *in)
{
	event_del(in->send_later);
	in->company -= in->company * COMPANY_ONE / 256;
	in->gathered = 0;
	struct db_params params = {0};
	const struct statement *store = ingest_params(&params, in->arrays, &in->traces, &in->batch);
	send_statement(in, store, &params, ingest_on_stored);
}

static void ingest_on_probed(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct ingest *in = ctx;
	if (r)
		prove_if_prompt(in);
	else
		refuse(in, f);
}

/* ---- sending ---- */

/* A probe that is due lets one batch pass, which may make it needless. */
static void ingest_send_next(struct ingest *in)
{
	if (in->next == NEXT_KEEP && in->batch.count > 0) {
		send_keep(in);
		return;
	}
	bool due = readiness_is_due(&in->readiness);
	if (!due || !in->passed_by)
		pending_take_batch(in->pending, &in->batch);
	in->passed_by = due && in->batch.count > 0;
	if (in->batch.count > 0)
		send_store(in);
	else if (due)
		send_statement(in, &INGEST_PROBE, &(struct db_params){0}, ingest_on_probed);
}

static void ingest_on_ready(void *ctx)
{
	struct ingest *in = ctx;
	if (in->gathered > 0)
		in->company += COMPANY_ONE;
	if (gather_us(in) > 0)
		ingest_send_soon(in);
	else
		ingest_send_next(in);
}

/* Sends the webhooks of one turn of the loop as one batch: the first of them makes this event active, and it runs at
 * the end of the turn. */
static void ingest_on_send_soon(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct ingest *in = arg;
	if (connection_is_ready(in->connection))
		ingest_send_next(in);
}

/* ---- the connection's callbacks ---- */

static void ingest_on_up(void *ctx)
{
	struct ingest *in = ctx;
	in->events->up(in->ctx);
}

static void ingest_on_down(void *ctx, const struct fault *why)
{
	struct ingest *in = ctx;
	struct pending_insert *insert;
	readiness_reset(&in->readiness);
	while (!connection_is_reachable(in->connection) && (insert = pending_take(in->pending)))
		answer_with_copies(in, insert, ACCEPTED_NEW, why);
	if (!connection_is_reachable(in->connection))
		readiness_answer(&in->readiness, why);
	in->events->down(in->ctx, why);
}

/* ---- the interface ---- */

static const struct statement *const STATEMENTS[] = {&INGEST_STORE, &INGEST_STORE_ALL, &INGEST_KEEP, &INGEST_PROBE};

static const struct connection_plan PLAN = {
	.name = "payhook-app accept",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = CONNECTION_BY_KEY,
	.answer_ms = ANSWER_MS,
	.up = ingest_on_up,
	.ready = ingest_on_ready,
	.down = ingest_on_down,
};

struct ingest *ingest_create(struct connect_state *connect_state, const struct ingest_events *events, void *ctx)
{
	struct ingest *in = calloc(1, sizeof *in);
	if (!in)
		return NULL;
	in->events = events;
	in->ctx = ctx;
	in->traces = BUF_INIT(INGEST_TRACES_MAX);
	in->pending = pending_create();
	readiness_init(&in->readiness);
	in->send_soon = event_new(connect_state->base, -1, 0, ingest_on_send_soon, in);
	in->send_later = evtimer_new(connect_state->base, ingest_on_send_soon, in);
	in->retry = evtimer_new(connect_state->base, ingest_on_retry, in);
	in->connection = connection_create(connect_state, &PLAN, in);
	if (!in->pending || !in->send_soon || !in->send_later || !in->retry || !in->connection) {
		ingest_destroy(in);
		return NULL;
	}
	return in;
}

void ingest_destroy(struct ingest *in)
{
	if (!in)
		return;
	connection_destroy(in->connection);
	if (in->send_soon)
		event_free(in->send_soon);
	if (in->send_later)
		event_free(in->send_later);
	if (in->retry)
		event_free(in->retry);
	for (size_t i = 0; i < COUNT_OF(in->arrays); i++)
		db_array_finish(&in->arrays[i]);
	buf_finish(&in->traces);
	pending_destroy(in->pending);
	free(in);
}

void ingest_accept(struct ingest *in, struct pending_insert *insert)
{
	struct fault f;
	if (!connection_is_reachable(in->connection)) {
		fault_set(&f, FAULT_BUSY, "the database is away");
		insert->done(insert, ACCEPTED_NEW, &f);
		return;
	}
	if (!pending_add(in->pending, insert, &f)) {
		insert->done(insert, ACCEPTED_NEW, &f);
		return;
	}
	in->gathered++;
	ingest_send_soon(in);
}

void ingest_withdraw(struct ingest *in, struct pending_insert *insert)
{
	pending_forget(in->pending, insert);
	if (insert->is_copy || !insert->in_batch)
		pending_withdraw(in->pending, insert);
	else
		batch_withdraw(&in->batch, insert);
}

void ingest_probe_health(struct ingest *in, struct ingest_probe *p)
{
	struct fault f;
	if (!connection_is_reachable(in->connection)) {
		fault_set(&f, FAULT_BUSY, "the database is away");
		p->done(p, &f);
		return;
	}
	readiness_ask(&in->readiness, p, clock_ms());
	if (readiness_is_due(&in->readiness))
		ingest_send_soon(in);
}

void ingest_withdraw_probe(struct ingest *in, struct ingest_probe *p)
{
	readiness_withdraw(&in->readiness, p);
}
