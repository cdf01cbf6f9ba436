/* connection.c - one connection with one statement at a time, and deadlines.
 *
 * The connection is a state machine: WAITING for the next attempt, CONNECTING, PREPARING the statements, then READY and
 * BUSY in turn.  Every failure leads back to WAITING, so the connection recovers without its owner.  STUCK is BUSY
 * after the caller has received a fault because the deadline passed; the connection is kept, since two others are
 * abandoned.  Each statement is a transaction of its own and has exactly one outcome.  After a timeout it is unknown
 * whether the server committed; no statement is repeated here, since only the caller knows whether that is safe. */

#include "pg/connection.h"

#include <event2/event.h>
#include <event2/util.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pg/conninfo.h"

#define CONNECT_MS 2000 /* for one attempt, with the preparation of all statements */
/* The bound of the pause between attempts doubles from the least to the most; the pause is random in its upper half. */
#define PAUSE_LEAST_MS 50
#define PAUSE_MOST_MS 1000
#define ABANDONED_MAX 2 /* connections of one process; pg/connection.h gives the reason */

enum connection_state { CONN_WAITING, CONN_CONNECTING, CONN_PREPARING, CONN_READY, CONN_BUSY, CONN_STUCK };

struct connection {
	struct connect_state *connect_state;
	const struct connection_plan *plan;
	void *ctx;
	enum connection_state state;
	PGconn *conn;
	struct event *readable;
	struct event *writable;
	struct event *timer; /* WAITING: the pause; CONNECTING, PREPARING, BUSY: the deadline */
	size_t prepared;     /* statements prepared so far; the greeting counts as one more */
	int failures;        /* failed attempts since the connection was last ready or lost */
	unsigned host_turns; /* failed attempts since the start: selects the first host */
	bool rolled_back;    /* the server itself rejected the last statement */
	bool unsent;         /* connection_send() failed; the timer reports it from the loop */
	bool refused;        /* its parameters were not complete, for the reason that follows */
	struct fault refusal;
	connection_done *done; /* of the statement in progress; NULL: none */
	PGresult *result;      /* its last result */
	bool left_standby;     /* it has committed without its synchronous standby */
};

/* A connection whose statement was not answered in time.  It has no owner any more. */
struct abandoned {
	struct connect_state *connect_state;
	PGconn *conn;
	struct event *readable;
};

static void connection_on_readable(evutil_socket_t fd, short what, void *arg);
static void connection_on_writable(evutil_socket_t fd, short what, void *arg);

static void event_drop(struct event *e)
{
	if (e)
		event_free(e);
}

/* Without memory for the timer it expires at once: too early is better than never. */
static void timer_set(struct connection *c, int ms)
{
	struct timeval tv = clock_timeval(ms);
	if (evtimer_add(c->timer, &tv) != 0)
		event_active(c->timer, EV_TIMEOUT, 0);
}

/* This precedes PQfinish(), since libevent must not poll a closed descriptor. */
static void events_remove(struct connection *c)
{
	event_del(c->readable);
	event_del(c->writable);
}

/* Moves the events, which are allocated once for all, to the socket that libpq has now. */
static void events_move(struct connection *c)
{
	struct event_base *base = c->connect_state->base;
	events_remove(c);
	event_assign(c->readable, base, PQsocket(c->conn), EV_READ | EV_PERSIST, connection_on_readable, c);
	event_assign(c->writable, base, PQsocket(c->conn), EV_WRITE, connection_on_writable, c);
}

/* ---- notices ---- */

/* libpq would print notices to stderr, among the log lines.  The connection is NULL once it is abandoned. */
static void connection_on_notice(void *arg, const PGresult *notice)
{
	struct connection *c = arg;
	if (c && db_left_standby(notice))
		c->left_standby = true;
}

/* The late answer of an abandoned connection is discarded.  Closing at once would not stop the statement: a stalled server
 * does not notice it. */
static void abandoned_end(struct abandoned *a)
{
	event_free(a->readable);
	PQfinish(a->conn);
	a->connect_state->abandoned--;
	free(a);
}

static void connection_on_abandoned_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct abandoned *a = arg;
	if (!PQconsumeInput(a->conn) || !PQisBusy(a->conn))
		abandoned_end(a);
}

/* Abandons the libpq connection of c.  Returns false, and c keeps it, at the limit or if there is no memory. */
static bool abandon(struct connection *c)
{
	if (c->connect_state->abandoned >= ABANDONED_MAX)
		return false;
	struct abandoned *a = calloc(1, sizeof *a);
	if (!a)
		return false;
	*a = (struct abandoned){.connect_state = c->connect_state, .conn = c->conn};
	a->readable = event_new(
		c->connect_state->base, PQsocket(a->conn), EV_READ | EV_PERSIST, connection_on_abandoned_readable, a);
	if (!a->readable || event_add(a->readable, NULL) != 0) {
		event_drop(a->readable);
		free(a);
		return false;
	}
	events_remove(c);
	PQsetNoticeReceiver(a->conn, connection_on_notice, NULL);
	c->connect_state->abandoned++;
	c->conn = NULL;
	return true;
}

/* ---- losing and making connections ---- */

/* Reports the end of the statement in progress, if there is one.  done is cleared first, so it is called once only. */
static void call_end(struct connection *c, const PGresult *result, const struct fault *f)
{
	connection_done *done = c->done;
	c->done = NULL;
	if (done)
		done(c->ctx, result, f);
}

static int pause_ms(const struct connection *c)
{
	int most = PAUSE_LEAST_MS;
	for (int i = 1; i < c->failures && most < PAUSE_MOST_MS; i++)
		most *= 2;
	if (most > PAUSE_MOST_MS)
		most = PAUSE_MOST_MS;
	return (int)clock_jitter(most / 2, most);
}

/* Closes the connection and schedules the next attempt: at once after a loss, with a growing pause after failed
 * attempts.  The callbacks come last, done() before down(), and see a connection that is waiting. */
static void connection_lose(struct connection *c, const struct fault *why)
{
	bool stood = c->state >= CONN_READY;
	c->failures = stood ? 0 : c->failures + 1;
	c->host_turns += !stood;
	c->state = CONN_WAITING;
	c->unsent = c->refused = false;
	events_remove(c);
	PQclear(c->result);
	c->result = NULL;
	PQfinish(c->conn);
	c->conn = NULL;
	timer_set(c, stood ? 0 : pause_ms(c));
	call_end(c, NULL, why);
	if (c->plan->down)
		c->plan->down(c->ctx, why);
}

static void lose_connection(struct connection *c)
{
	struct fault f;
	db_fault(&f, NULL, PQerrorMessage(c->conn));
	connection_lose(c, &f);
}

static void await(struct connection *c, struct event *e)
{
	struct fault f;
	if (event_add(e, NULL) == 0)
		return;
	fault_set(&f, FAULT_BUSY, "there is no memory to wait for the database");
	connection_lose(c, &f);
}

static void attempt(struct connection *c)
{
	c->state = CONN_CONNECTING;
	c->prepared = 0;
	c->left_standby = false;
	c->conn = conninfo_connect(
		c->connect_state->conninfo, c->plan->name, c->plan->options, c->plan->answer_ms, c->host_turns);
	timer_set(c, CONNECT_MS);
	if (!c->conn || PQstatus(c->conn) == CONNECTION_BAD) {
		lose_connection(c);
		return;
	}
	/* Without DETAIL and CONTEXT, which quote the row: its amounts and accounts must not reach a log. */
	PQsetErrorVerbosity(c->conn, PQERRORS_TERSE);
	PQsetNoticeReceiver(c->conn, connection_on_notice, c);
	events_move(c);
	await(c, c->writable);
}

/* ---- the statements of a new connection ---- */

static size_t preparations(const struct connection *c)
{
	return c->plan->statement_count + (c->plan->greeting ? 1 : 0);
}

static void flush(struct connection *c)
{
	int left = PQflush(c->conn);
	if (left == 1)
		await(c, c->writable);
	else if (left < 0)
		lose_connection(c);
}

static void become_ready(struct connection *c)
{
	evtimer_del(c->timer);
	c->failures = 0;
	c->state = CONN_READY;
	if (c->plan->up)
		c->plan->up(c->ctx);
	if (c->state == CONN_READY)
		c->plan->ready(c->ctx);
}

static void prepare_next(struct connection *c)
{
	if (c->prepared == preparations(c)) {
		become_ready(c);
		return;
	}
	int sent;
	if (c->prepared < c->plan->statement_count) {
		const struct statement *s = c->plan->statements[c->prepared];
		sent = PQsendPrepare(c->conn, s->name, s->sql, 0, NULL);
	} else {
		sent = PQsendQuery(c->conn, c->plan->greeting);
	}
	if (sent)
		flush(c);
	else
		lose_connection(c);
}

/* One step of connecting.  At any step libpq may have moved to another address and thus another socket, so the events
 * are moved. */
static void connect_poll(struct connection *c)
{
	PostgresPollingStatusType status = PQconnectPoll(c->conn);
	if (status == PGRES_POLLING_FAILED) {
		lose_connection(c);
		return;
	}
	events_move(c);
	await(c, status == PGRES_POLLING_WRITING ? c->writable : c->readable);
	if (status == PGRES_POLLING_OK && c->conn) {
		PQsetnonblocking(c->conn, 1);
		c->state = CONN_PREPARING;
		prepare_next(c);
	}
}

/* Handles a complete answer.  A statement that cannot be prepared ends the attempt.  An answer in STUCK has no done()
 * any more: it is discarded, and the connection is usable again. */
static void connection_answered(struct connection *c)
{
	PGresult *result = c->result;
	enum connection_state state = c->state;
	ExecStatusType status = PQresultStatus(result);
	c->result = NULL;
	struct fault f;
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	c->rolled_back = !good && db_was_refused(result);
	if (!good)
		db_fault(&f, PQresultErrorField(result, PG_DIAG_SQLSTATE), PQresultErrorMessage(result));
	else if (c->left_standby)
		good = fault_set(&f, FAULT_BUSY, "the wait for the synchronous standby was cancelled");

	if (state == CONN_PREPARING && !good) {
		connection_lose(c, &f);
	} else if (state == CONN_PREPARING) {
		c->prepared++;
		prepare_next(c);
	} else {
		evtimer_del(c->timer);
		c->state = CONN_READY;
		call_end(c, good ? result : NULL, good ? NULL : &f);
		if (c->state == CONN_READY)
			c->plan->ready(c->ctx);
	}
	PQclear(result);
}

static void read_notifications(struct connection *c)
{
	bool any = false;
	for (PGnotify *n; (n = PQnotifies(c->conn)); any = true)
		PQfreemem(n);
	if (any && c->plan->notified && c->state >= CONN_READY)
		c->plan->notified(c->ctx);
}

/* Keeps the last result of an answer: rows come before the commit, and an error of the commit follows them.  NULL from
 * libpq ends the answer.  No result at all means that the connection broke. */
static void read_answer(struct connection *c)
{
	if (!PQconsumeInput(c->conn)) {
		lose_connection(c);
		return;
	}
	while (c->state != CONN_READY && c->state != CONN_WAITING && !c->refused && !PQisBusy(c->conn)) {
		PGresult *r = PQgetResult(c->conn);
		if (r) {
			PQclear(c->result);
			c->result = r;
		} else if (PQstatus(c->conn) == CONNECTION_BAD || !c->result) {
			lose_connection(c);
			return;
		} else {
			connection_answered(c);
			return;
		}
	}
	if (c->state == CONN_READY && PQstatus(c->conn) == CONNECTION_BAD)
		lose_connection(c);
}

static void connection_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *c = arg;
	if (c->state == CONN_CONNECTING) {
		connect_poll(c);
		return;
	}
	read_answer(c);
	if (c->conn && c->state >= CONN_READY)
		read_notifications(c);
}

static void connection_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *c = arg;
	if (c->state == CONN_CONNECTING)
		connect_poll(c);
	else
		flush(c);
}

static void answer_overdue(struct connection *c)
{
	struct fault f;
	fault_set(&f, FAULT_BUSY, "the database has not answered %s within %d ms", c->plan->name, c->plan->answer_ms);
	if (abandon(c)) {
		connection_lose(c, &f);
		return;
	}
	c->state = CONN_STUCK;
	call_end(c, NULL, &f);
}

/* The statement was not sent, so the connection is as it was. */
static void end_refused(struct connection *c)
{
	c->refused = false;
	c->state = CONN_READY;
	call_end(c, NULL, &c->refusal);
	if (c->state == CONN_READY)
		c->plan->ready(c->ctx);
}

static void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *c = arg;
	struct fault f;
	switch (c->state) {
	case CONN_WAITING:
		attempt(c);
		break;
	case CONN_CONNECTING:
	case CONN_PREPARING:
		fault_set(&f, FAULT_BUSY, "no connection to the database within %d ms", CONNECT_MS);
		connection_lose(c, &f);
		break;
	case CONN_BUSY:
		if (c->refused)
			end_refused(c);
		else if (c->unsent)
			lose_connection(c);
		else
			answer_overdue(c);
		break;
	case CONN_READY:
	case CONN_STUCK:
		break;
	}
}

/* ---- the interface ---- */

struct connection *connection_create(struct connect_state *connect_state, const struct connection_plan *plan, void *ctx)
{
	struct connection *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	*c = (struct connection){.connect_state = connect_state, .plan = plan, .ctx = ctx, .state = CONN_WAITING};
	c->timer = evtimer_new(connect_state->base, connection_on_timer, c);
	c->readable = event_new(connect_state->base, -1, EV_READ | EV_PERSIST, connection_on_readable, c);
	c->writable = event_new(connect_state->base, -1, EV_WRITE, connection_on_writable, c);
	if (!c->timer || !c->readable || !c->writable) {
		connection_destroy(c);
		return NULL;
	}
	timer_set(c, 0);
	return c;
}

void connection_destroy(struct connection *c)
{
	if (!c)
		return;
	event_drop(c->readable);
	event_drop(c->writable);
	event_drop(c->timer);
	PQclear(c->result);
	PQfinish(c->conn);
	free(c);
}

bool connection_is_ready(const struct connection *c)
{
	return c->state == CONN_READY;
}

bool connection_rolled_back(const struct connection *c)
{
	return c->rolled_back;
}

bool connection_is_reachable(const struct connection *c)
{
	return c->state != CONN_STUCK && c->failures == 0;
}

void connection_send(
	struct connection *c, const struct statement *s, const struct db_params *params, connection_done *done)
{
	c->state = CONN_BUSY;
	c->rolled_back = false;
	c->done = done;
	c->left_standby = false;
	timer_set(c, c->plan->answer_ms);
	c->refused = !db_params_ok(params, &c->refusal);
	if (c->refused) {
		timer_set(c, 0); /* done() must not run inside connection_send() */
		return;
	}
	int sent =
		PQsendQueryPrepared(c->conn, s->name, params->count, params->value, params->length, params->format, 0);
	int left = sent ? PQflush(c->conn) : -1;
	if (left == 1 && event_add(c->writable, NULL) != 0)
		left = -1;
	if (left >= 0)
		return;
	/* done() must not run inside connection_send(), so the failure is reported by a timer of 0 ms. */
	c->unsent = true;
	timer_set(c, 0);
}
