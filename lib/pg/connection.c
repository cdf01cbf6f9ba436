/* connection.c - one connection with one statement at a time, and deadlines.
 *
 * The connection is a state machine: WAITING for the next attempt, CONNECTING, PREPARING the statements, then READY and
 * BUSY in turn.  Every failure leads back to WAITING, so the connection recovers without its owner.  A connection whose
 * deadline has passed is left, always; what its server may get instead is limited by abandoned.c.  Each statement is a
 * transaction of its own and has exactly one outcome.  After a timeout it is unknown whether the server committed; no
 * statement is repeated here, since only the caller knows whether that is safe. */

#include "pg/connection.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/abandoned.h"
#include "pg/conninfo.h"
#include "pg/events.h"
#include "pg/pause.h"
#include "pg/session.h"

#define CONNECT_MS 2000 /* for one attempt, with the preparation of all statements */

enum connection_state { CONN_WAITING, CONN_CONNECTING, CONN_PREPARING, CONN_READY, CONN_BUSY };

struct connection {
	struct connect_state *connect_state;
	const struct connection_plan *plan;
	void *ctx;
	enum connection_state state;
	PGconn *conn;
	struct events events;         /* its timer in WAITING: the pause; CONNECTING, PREPARING, BUSY: the deadline */
	size_t prepared;              /* steps of preparation so far, see session_send() */
	int failures;                 /* failed attempts since the connection was last ready or lost */
	int refusals;                 /* times that the server made it leave, since the last statement that succeeded */
	int unanswered;               /* statements in a row that had no answer in time */
	bool is_read_only;            /* the server was left as read-only: the next one must be writable */
	bool is_left;                 /* the process has connected to another server; the timer ends this connection */
	unsigned turns;               /* by how many places its lists of hosts are rotated */
	char server[SERVER_NAME_MAX]; /* "host:port" of its host */
	bool rolled_back;             /* the server itself rejected the last statement */
	bool unsent;                  /* connection_send() failed; the timer reports it from the loop */
	bool refused;                 /* its parameters were not complete, for the reason that follows */
	struct fault refusal;
	connection_done *done; /* of the statement in progress; NULL: none */
	PGresult *result;      /* its last result */
	bool left_standby;     /* it has committed without its synchronous standby */
	LIST_ENTRY(connection) next;
};

/* ---- notices ---- */

/* libpq would print notices to stderr, among the log lines. */
static void connection_on_notice(void *arg, const PGresult *notice)
{
	struct connection *c = arg;
	if (db_left_standby(notice))
		c->left_standby = true;
}

/* Leaves a statement under way to the server. */
static void abandon(struct connection *c)
{
	events_off(&c->events);
	abandoned_add(c->connect_state, c->conn, c->server, c->unanswered);
	c->conn = NULL;
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

/* The place of the host that libpq is at, in turns of the lists. */
static unsigned place(const struct connection *c)
{
	return c->turns + (c->conn ? conninfo_place(c->conn) : 0);
}

/* The next attempt of the process begins behind this host, unless another connection has moved on already: libpq tries
 * the hosts in their order, and a silent one takes the whole time of an attempt. */
static void turn_past(struct connection *c)
{
	unsigned *turns = &c->connect_state->turns;
	if (*turns == c->turns || *turns == place(c))
		*turns = place(c) + 1;
}

/* Closes the connection and schedules the next attempt: at once after a loss, with a growing pause after failed
 * attempts.  The callbacks come last, done() before down(), and see a connection that is waiting. */
static void connection_lose(struct connection *c, const struct fault *why)
{
	bool stood = c->state >= CONN_READY;
	if (!stood && !c->is_left)
		turn_past(c);
	c->failures = stood ? 0 : c->failures + !c->is_left;
	c->state = CONN_WAITING;
	c->unsent = c->refused = c->is_left = false;
	events_off(&c->events);
	PQclear(c->result);
	c->result = NULL;
	PQfinish(c->conn);
	c->conn = NULL;
	events_timer(&c->events, pause_ms(c->failures + c->refusals));
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

static void await(struct connection *c, bool is_awaited)
{
	struct fault f;
	if (is_awaited)
		return;
	fault_set(&f, FAULT_BUSY, "there is no memory to wait for the database");
	connection_lose(c, &f);
}

/* Notes the host that libpq is at.  Returns false if it is to get no further connection. */
static bool note_server(struct connection *c)
{
	struct fault f;
	snprintf(c->server, sizeof c->server, "%s:%s", PQhost(c->conn), PQport(c->conn));
	if (abandoned_count(c->connect_state, c->server) < ABANDONED_MAX)
		return true;
	fault_set(&f, FAULT_BUSY, "the database at %s has left %d statements unanswered", c->server, ABANDONED_MAX);
	connection_lose(c, &f);
	return false;
}

static void attempt(struct connection *c)
{
	c->state = CONN_CONNECTING;
	c->prepared = 0;
	c->turns = c->connect_state->turns;
	c->left_standby = false;
	c->conn = conninfo_connect(
		c->connect_state->conninfo, c->plan->name, c->plan->options, c->plan->answer_ms, c->turns);
	events_timer(&c->events, CONNECT_MS);
	if (!c->conn || PQstatus(c->conn) == CONNECTION_BAD) {
		lose_connection(c);
		return;
	}
	/* Without DETAIL and CONTEXT, which quote the row: its amounts and accounts must not reach a log. */
	PQsetErrorVerbosity(c->conn, PQERRORS_TERSE);
	PQsetNoticeReceiver(c->conn, connection_on_notice, c);
	if (!note_server(c))
		return;
	events_move(&c->events, PQsocket(c->conn));
	await(c, events_write(&c->events));
}

/* ---- the statements of a new connection ---- */

static void flush(struct connection *c)
{
	int left = PQflush(c->conn);
	if (left == 1)
		await(c, events_write(&c->events));
	else if (left < 0)
		lose_connection(c);
}

/* The process has connected to another server than before: all its connections use that one now.  Those to the old one
 * end from the loop, and until then nothing is sent or read on them. */
static void leave_old_server(struct connection *c)
{
	struct connection *other;
	LIST_FOREACH (other, &c->connect_state->connections, next) {
		if (other->state == CONN_WAITING) {
			events_timer(&other->events, 0);
		} else if (strcmp(other->server, c->server) != 0) {
			other->is_left = true;
			events_timer(&other->events, 0);
		}
	}
}

static void become_ready(struct connection *c)
{
	events_timer_off(&c->events);
	c->failures = 0;
	c->is_read_only = false;
	c->state = CONN_READY;
	c->connect_state->turns = place(c);
	if (strcmp(c->connect_state->server, c->server) != 0) {
		snprintf(c->connect_state->server, sizeof c->connect_state->server, "%s", c->server);
		leave_old_server(c);
	}
	if (c->plan->up)
		c->plan->up(c->ctx);
	if (c->state == CONN_READY)
		c->plan->ready(c->ctx);
}

static void prepare_next(struct connection *c)
{
	const struct connection_plan *p = c->plan;
	if (session_send(c->conn, p->statements, p->statement_count, p->greeting, &c->prepared))
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
	if (!note_server(c))
		return;
	events_move(&c->events, PQsocket(c->conn));
	await(c, status == PGRES_POLLING_WRITING ? events_write(&c->events) : events_reads(&c->events));
	if (status == PGRES_POLLING_OK && c->conn) {
		PQsetnonblocking(c->conn, 1);
		c->state = CONN_PREPARING;
		prepare_next(c);
	}
}

static bool is_session_checked(const struct connection *c)
{
	return c->state == CONN_PREPARING && session_is_complete(c->prepared, c->plan->statement_count);
}

static bool answer_is_good(const struct connection *c, const PGresult *result, struct fault *f)
{
	if (!session_answer_is_good(c->conn, result, f))
		return false;
	if (c->left_standby)
		return fault_set(f, FAULT_BUSY, "the wait for the synchronous standby was cancelled");
	return !is_session_checked(c) ||
	       session_check(result, c->plan->statements, c->plan->statement_count, c->is_read_only, f);
}

/* The session is of no more use, for this reason, or its server is read-only: another host is tried first. */
static void leave_server(struct connection *c, const PGresult *result, const struct fault *why)
{
	c->refusals++;
	c->is_read_only = db_is_read_only(result);
	turn_past(c);
	connection_lose(c, why);
}

/* Handles a complete answer.  A statement that cannot be prepared ends the attempt. */
static void connection_answered(struct connection *c)
{
	PGresult *result = c->result;
	struct fault f;
	c->result = NULL;
	bool good = answer_is_good(c, result, &f);
	c->rolled_back = !good && db_was_refused(result);
	if (c->state == CONN_PREPARING && !good) {
		connection_lose(c, &f);
	} else if (is_session_checked(c)) {
		become_ready(c);
	} else if (c->state == CONN_PREPARING) {
		c->prepared++;
		prepare_next(c);
	} else if (!good && (db_ends_session(result) || !session_is_primary(c->conn))) {
		leave_server(c, result, &f);
	} else {
		events_timer_off(&c->events);
		c->state = CONN_READY;
		c->unanswered = 0;
		if (good)
			c->refusals = 0;
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

static void connection_on_readable(void *ctx)
{
	struct connection *c = ctx;
	if (c->is_left)
		return;
	if (c->state == CONN_CONNECTING) {
		connect_poll(c);
		return;
	}
	read_answer(c);
	if (c->conn && c->state >= CONN_READY)
		read_notifications(c);
}

static void connection_on_writable(void *ctx)
{
	struct connection *c = ctx;
	if (c->is_left)
		return;
	if (c->state == CONN_CONNECTING)
		connect_poll(c);
	else
		flush(c);
}

static void answer_overdue(struct connection *c)
{
	struct fault f;
	fault_set(&f, FAULT_BUSY, "the database has not answered %s within %d ms", c->plan->name, c->plan->answer_ms);
	c->unanswered++;
	abandon(c);
	connection_lose(c, &f);
}

/* A statement under way is not awaited: the old server may answer once more, without knowing that it is not the
 * primary any longer. */
static void end_left(struct connection *c)
{
	struct fault f;
	fault_set(&f, FAULT_BUSY, "the process has connected to the database at %s", c->connect_state->server);
	c->rolled_back = false;
	if (c->state == CONN_BUSY && !c->refused && !c->unsent)
		abandon(c);
	connection_lose(c, &f);
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

static void connection_on_timer(void *ctx)
{
	struct connection *c = ctx;
	struct fault f;
	if (c->is_left) {
		end_left(c);
		return;
	}
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
	LIST_INSERT_HEAD(&connect_state->connections, c, next);
	c->events = (struct events){.base = connect_state->base,
		.on_readable = connection_on_readable,
		.on_writable = connection_on_writable,
		.on_timer = connection_on_timer,
		.ctx = c};
	if (!events_init(&c->events)) {
		connection_destroy(c);
		return NULL;
	}
	events_timer(&c->events, 0);
	return c;
}

void connection_destroy(struct connection *c)
{
	if (!c)
		return;
	events_finish(&c->events);
	PQclear(c->result);
	PQfinish(c->conn);
	LIST_REMOVE(c, next);
	if (LIST_EMPTY(&c->connect_state->connections))
		abandoned_finish(c->connect_state);
	free(c);
}

bool connection_is_ready(const struct connection *c)
{
	return c->state == CONN_READY && !c->is_left;
}

bool connection_rolled_back(const struct connection *c)
{
	return c->rolled_back;
}

bool connection_is_reachable(const struct connection *c)
{
	return c->failures == 0;
}

void connection_send(
	struct connection *c, const struct statement *s, const struct db_params *params, connection_done *done)
{
	c->state = CONN_BUSY;
	c->rolled_back = false;
	c->done = done;
	c->left_standby = false;
	events_timer(&c->events, c->plan->answer_ms);
	c->refused = !db_params_ok(params, &c->refusal);
	if (c->refused) {
		events_timer(&c->events, 0); /* done() must not run inside connection_send() */
		return;
	}
	int sent =
		PQsendQueryPrepared(c->conn, s->name, params->count, params->value, params->length, params->format, 0);
	int left = sent ? PQflush(c->conn) : -1;
	if (left == 1 && !events_write(&c->events))
		left = -1;
	if (left >= 0)
		return;
	/* done() must not run inside connection_send(), so the failure is reported by a timer of 0 ms. */
	c->unsent = true;
	events_timer(&c->events, 0);
}
