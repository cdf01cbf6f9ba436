/* claimer.c - a minimal worker for tests of the queue: it claims jobs, keeps them and settles them on request. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/claimer.h"
#include "support/fresh_database.h"
#include "support/loop.h"

struct claimer me, other;
enum claim_form claimers_form;

static struct connect_state *connect_state;

static void on_up(void *ctx)
{
	((struct claimer *)ctx)->up = true;
}

static void on_down(void *ctx, const struct fault *why)
{
	(void)why;
	((struct claimer *)ctx)->up = false;
}

static void on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)doing, (void)f;
	((struct claimer *)ctx)->troubles++;
}

static int on_room(void *ctx)
{
	struct claimer *w = ctx;
	w->at_once = 0;
	return w->room;
}

/* The body may contain NUL. */
static void record_request(struct claimer *w, const struct job *row)
{
	memset(w->request, 0, sizeof w->request);
	w->body_bytes += row->body_len;
	w->requests += row->body != NULL;
	if (!row->body)
		return;
	int head = snprintf(w->request, sizeof w->request, "%s %s ", row->content_type, row->headers);
	size_t room = sizeof w->request - (size_t)head;
	memcpy(w->request + head, row->body, row->body_len < room ? row->body_len : room);
}

static const char *text(const char *text_or_null)
{
	return text_or_null ? text_or_null : "null";
}

static struct job *on_claimed(void *ctx, const struct job *row)
{
	struct claimer *w = ctx;
	w->room--;
	if (w->refuses)
		return NULL;
	cr_assert_lt(w->taken, CLAIMER_MOST);
	struct job *j = malloc(sizeof *j);
	cr_assert_not_null(j);
	*j = *row;
	j->transaction_id = strdup(row->transaction_id);
	j->source = strdup(row->source);
	snprintf(w->traceparent, sizeof w->traceparent, "%s", row->traceparent ? row->traceparent : "");
	j->traceparent = NULL;
	if (row->created_at)
		snprintf(w->whole, sizeof w->whole, "%s %s %s %s %s %s %s %s", text(row->source_account),
			text(row->destination_account), text(row->amount), text(row->currency), row->created_at,
			text(row->kind), text(row->payment_id), text(row->occurred_at));
	record_request(w, row);
	j->content_type = j->headers = j->body = NULL;
	w->at_once++;
	w->most_at_once = w->at_once > w->most_at_once ? w->at_once : w->most_at_once;
	j->began_ms = clock_ms();
	w->jobs[w->taken++] = j;
	return j;
}

static void forget(struct job *j)
{
	if (!j)
		return;
	free((char *)j->transaction_id);
	free((char *)j->source);
	free(j);
}

static void on_ended(void *ctx, struct job *j, enum settled how)
{
	struct claimer *w = ctx;
	w->ended[how]++;
	for (int i = 0; i < w->taken; i++) {
		if (w->jobs[i] == j)
			w->jobs[i] = NULL;
	}
	forget(j);
}

static void on_settlement(void *ctx, const struct settlement *s)
{
	(void)ctx, (void)s;
}

static void on_released(void *ctx, int64_t jobs, bool all)
{
	(void)all;
	struct claimer *w = ctx;
	w->released += jobs;
	w->releases++;
}

static const struct queue_events EVENTS = {.up = on_up,
	.down = on_down,
	.trouble = on_trouble,
	.room = on_room,
	.claimed = on_claimed,
	.ended = on_ended,
	.settlement = on_settlement,
	.released = on_released};

static bool is_up(void *ctx)
{
	return ((struct claimer *)ctx)->up;
}

static void begin(struct claimer *w)
{
	*w = (struct claimer){.room = CLAIMER_MOST};
	w->queue = queue_create(connect_state, CLAIMER_MOST, claimers_form, &EVENTS, w);
	cr_assert_not_null(w->queue);
	loop_until(is_up, w, "the queue is up");
}

static void end(struct claimer *w)
{
	queue_destroy(w->queue);
	for (int i = 0; i < w->taken; i++)
		forget(w->jobs[i]);
}

void claimer_init(void)
{
	database_init();
	connect_state = loop_open();
	begin(&me);
	begin(&other);
}

void claimer_fini(void)
{
	end(&me);
	end(&other);
	loop_close();
	database_drop();
}

void enqueue(int first, int last)
{
	database_exec("WITH stored AS (INSERT INTO payhook.transactions"
		      "    (transaction_id, source_account, destination_account, amount, currency)"
		      "  SELECT 't' || g, 'acc_user_' || g, 'acc_merchant_' || g %% 50, 1500.10, 'USD'"
		      "  FROM generate_series(%d, %d) g RETURNING transaction_id)"
		      " INSERT INTO payhook.jobs (transaction_id) SELECT transaction_id FROM stored",
		first, last);
}

void park(const char *payment, int first, int last)
{
	database_exec(
		"WITH stored AS (INSERT INTO payhook.transactions"
		"    (transaction_id, source_account, destination_account, amount, currency, payment_id)"
		"  SELECT 't' || g, 'from', 'to', 1500.10, 'USD', '%s' FROM generate_series(%d, %d) g)"
		" INSERT INTO payhook.parked_jobs (lane, lane_no, source, transaction_id)"
		" SELECT payhook.lane_of('transactions', '%s'), nextval('payhook.lane_numbers'), 'transactions', 't' || g"
		" FROM generate_series(%d, %d) g",
		payment, first, last, payment, first, last);
}

static struct claimer *awaited;
static int awaited_count;

static bool has_taken(void *ctx)
{
	(void)ctx;
	return awaited->taken >= awaited_count;
}

static bool has_ended(void *ctx)
{
	(void)ctx;
	return awaited->ended[0] + awaited->ended[1] + awaited->ended[2] >= awaited_count;
}

static bool has_released(void *ctx)
{
	(void)ctx;
	return awaited->releases >= awaited_count;
}

static void until(bool (*holds)(void *ctx), struct claimer *w, int count, const char *what)
{
	awaited = w;
	awaited_count = count;
	loop_until(holds, NULL, what);
}

void until_taken(struct claimer *w, int count)
{
	until(has_taken, w, count, "jobs are claimed");
}

void until_ended(struct claimer *w, int count)
{
	until(has_ended, w, count, "jobs have ended");
}

void until_released(struct claimer *w, int count)
{
	until(has_released, w, count, "jobs are released");
}

void claim(struct claimer *w, int64_t owner, int count)
{
	queue_own(w->queue, owner);
	until_taken(w, count);
}

void settle_with(struct claimer *w, int i, enum job_outcome outcome, int64_t delay_ms, const char *error)
{
	struct job *j = w->jobs[i];
	j->outcome = outcome;
	j->delay_ms = delay_ms;
	j->error = error;
	queue_settle(w->queue, j);
}

void settle_all(struct claimer *w)
{
	settle_all_with(w, JOB_PROCESSED, 0, NULL);
}

void settle_all_with(struct claimer *w, enum job_outcome outcome, int64_t delay_ms, const char *error)
{
	int count = 0;
	for (int i = 0; i < w->taken; i++) {
		if (!w->jobs[i])
			continue;
		settle_with(w, i, outcome, delay_ms, error);
		count++;
	}
	until_ended(w, w->ended[0] + w->ended[1] + w->ended[2] + count);
}

long long count_jobs(const char *where)
{
	return database_number("SELECT count(*) FROM payhook.jobs WHERE %s", where);
}

long long count_status(const char *status)
{
	return database_number("SELECT count(*) FROM payhook.transactions WHERE status = '%s'", status);
}

static bool is_blocked(void *ctx)
{
	(void)ctx;
	return database_number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
			       " AND application_name = 'payhook-worker queue' AND wait_event_type = 'Lock'") > 0;
}

PGconn *lock(const char *table)
{
	char sql[128];
	PGconn *c = database_connect();
	snprintf(sql, sizeof sql, "BEGIN; LOCK TABLE payhook.%s IN ACCESS EXCLUSIVE MODE", table);
	PGresult *r = PQexec(c, sql);
	cr_assert_eq(PQresultStatus(r), PGRES_COMMAND_OK, "%s", PQerrorMessage(c));
	PQclear(r);
	return c;
}

void unlock(PGconn *c)
{
	PQclear(PQexec(c, "COMMIT"));
	PQfinish(c);
}

void until_blocked(void)
{
	loop_until(is_blocked, NULL, "the statement is under way");
}

void cut_the_blocked(void)
{
	until_blocked();
	database_exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
		      " AND application_name = 'payhook-worker queue' AND wait_event_type = 'Lock'");
}

void lose(int64_t owner, const char *ids)
{
	database_exec("UPDATE payhook.jobs SET owner = %lld, claimed_at = now(), attempt = attempt + 1"
		      " WHERE transaction_id IN (%s)",
		(long long)owner, ids);
}
