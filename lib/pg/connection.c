/* connection.c - one connection, one statement at a time, and a deadline on every wait.
 *
 * The life of a lane is a circle: WAITING for its next attempt, CONNECTING, PREPARING its statements, then READY and
 * BUSY in turn; whatever goes wrong leads back to WAITING.  STUCK is BUSY after its caller was told that no answer
 * came: the connection is kept because too many others are already set aside. */

#include "pg/connection.h"

#include <event2/event.h>
#include <event2/util.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/hosts.h"

#define CONNECT_MS 2000 /* for one attempt, names resolved and statements prepared */
#define PAUSE_LEAST_MS \
	50 /* between attempts; doubled each time up to the most, then taken at random from its upper half */
#define PAUSE_MOST_MS 1000
#define OPTIONS_MAX 64  /* of a connection; libpq 15 knows 43 */
#define ABANDONED_MAX 2 /* connections a process may leave hanging in a server that does not answer */

enum connection_state { CONN_WAITING, CONN_CONNECTING, CONN_PREPARING, CONN_READY, CONN_BUSY, CONN_STUCK };

struct connection {
	struct connect_state *connect_state;
	const struct connection_plan *plan;
	void *ctx;
	enum connection_state state;
	PGconn *conn;
	struct event *readable;
	struct event *writable;
	struct event *timer;   /* WAITING: the pause; CONNECTING, PREPARING, BUSY: the deadline */
	size_t prepared;       /* statements prepared, the greeting counted as one more */
	int failures;          /* attempts that failed in a row */
	unsigned host_turns;   /* attempts that failed ever: which host comes first */
	bool unsent;           /* connection_send() could not send: the timer tells */
	connection_done *done; /* the call under way */
	PGresult *result;      /* its first result */
};

/* A connection whose statement was not answered in time. */
struct abandoned {
	struct connect_state *connect_state;
	PGconn *conn;
	struct event *readable;
};

static void connection_on_readable(evutil_socket_t fd, short what, void *arg);
static void connection_on_writable(evutil_socket_t fd, short what, void *arg);

static void timer_set(struct connection *l, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
	evtimer_add(l->timer, &tv);
}

/* Drops the events of the connection: before the connection itself, since libevent must not poll a closed descriptor. */
static void events_drop(struct connection *l)
{
	if (l->readable)
		event_free(l->readable);
	if (l->writable)
		event_free(l->writable);
	l->readable = l->writable = NULL;
}

static bool events_make(struct connection *l)
{
	events_drop(l);
	int fd = PQsocket(l->conn);
	l->readable = event_new(l->connect_state->base, fd, EV_READ | EV_PERSIST, connection_on_readable, l);
	l->writable = event_new(l->connect_state->base, fd, EV_WRITE, connection_on_writable, l);
	return l->readable && l->writable;
}

/* ---- strays ---- */

static void abandoned_end(struct abandoned *s)
{
	event_free(s->readable);
	PQfinish(s->conn);
	s->connect_state->abandoned--;
	free(s);
}

static void connection_on_abandoned_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct abandoned *s = arg;
	if (!PQconsumeInput(s->conn) || !PQisBusy(s->conn))
		abandoned_end(s);
}

/* Sets the lane's connection aside.  False: it stays, since enough are out or memory is. */
static bool abandon(struct connection *l)
{
	if (l->connect_state->abandoned >= ABANDONED_MAX)
		return false;
	struct abandoned *s = calloc(1, sizeof *s);
	if (!s)
		return false;
	events_drop(l);
	*s = (struct abandoned){.connect_state = l->connect_state, .conn = l->conn};
	s->readable = event_new(
		l->connect_state->base, PQsocket(s->conn), EV_READ | EV_PERSIST, connection_on_abandoned_readable, s);
	if (!s->readable) {
		free(s);
		return false;
	}
	event_add(s->readable, NULL);
	l->connect_state->abandoned++;
	l->conn = NULL;
	return true;
}

/* ---- losing and making connections ---- */

/* Ends the call under way, if there is one.  The caller of done may not send from it: ready() is for that. */
static void call_end(struct connection *l, const PGresult *result, const struct fault *f)
{
	connection_done *done = l->done;
	l->done = NULL;
	if (done)
		done(l->ctx, result, f);
}

static int pause_ms(const struct connection *l)
{
	int most = PAUSE_LEAST_MS;
	for (int i = 1; i < l->failures && most < PAUSE_MOST_MS; i++)
		most *= 2;
	if (most > PAUSE_MOST_MS)
		most = PAUSE_MOST_MS;
	uint32_t random;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	return most / 2 + (int)(random % (uint32_t)(most / 2 + 1));
}

/* Gives the connection up and plans the next attempt: at once after a loss, later and later after failed attempts. */
static void connection_lose(struct connection *l, const struct fault *why)
{
	bool stood = l->state >= CONN_READY;
	l->failures = stood ? 0 : l->failures + 1;
	l->host_turns += !stood;
	l->state = CONN_WAITING;
	l->unsent = false;
	events_drop(l);
	PQclear(l->result);
	l->result = NULL;
	PQfinish(l->conn);
	l->conn = NULL;
	timer_set(l, stood ? 0 : pause_ms(l));
	call_end(l, NULL, why);
	if (l->plan->down)
		l->plan->down(l->ctx, why);
}

static void lose_connection(struct connection *l)
{
	struct fault f;
	db_fault(&f, NULL, PQerrorMessage(l->conn));
	connection_lose(l, &f);
}

/* libpq goes through the hosts in their order, and waits for one that is silent as long as we let it.  So each attempt
 * after a failed one begins with the next. */
static void turn_hosts(PQconninfoOption *parsed, unsigned turns)
{
	for (; parsed->keyword; parsed++) {
		if (parsed->val && (strcmp(parsed->keyword, "host") == 0 || strcmp(parsed->keyword, "hostaddr") == 0 ||
					   strcmp(parsed->keyword, "port") == 0))
			hosts_turn(parsed->val, turns);
	}
}

/* The lane's server settings, and behind them the connection string's own, which have the last word where both name one:
 * libpq would take the string's alone. */
static void add_options(const struct connection *l, PQconninfoOption *parsed, struct buf *options)
{
	buf_add_format(
		options, "-c statement_timeout=%d %s", l->plan->answer_ms, l->plan->options ? l->plan->options : "");
	for (; parsed && parsed->keyword; parsed++) {
		if (parsed->val && strcmp(parsed->keyword, "options") == 0) {
			buf_add_format(options, " %s", parsed->val);
			PQfreemem(parsed->val);
			parsed->val = NULL;
		}
	}
}

/* Keys that a connection string may override: libpq takes the later of two.  One that libpq cannot read goes there as it
 * stands, for its complaint. */
static PGconn *connect_start(const struct connection *l)
{
	const char *keys[OPTIONS_MAX + 1] = {"options", "keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "fallback_application_name"};
	const char *values[OPTIONS_MAX + 1] = {NULL, "10", "3", "3", "5000", l->plan->name};
	struct buf options = BUF_INIT(65536);
	size_t count = 6;
	PQconninfoOption *parsed = PQconninfoParse(l->connect_state->conninfo, NULL);
	if (parsed)
		turn_hosts(parsed, l->host_turns);
	add_options(l, parsed, &options);
	values[0] = options.data;
	for (const PQconninfoOption *o = parsed; o && o->keyword && count < OPTIONS_MAX; o++) {
		if (o->val) {
			keys[count] = o->keyword;
			values[count++] = o->val;
		}
	}
	if (!parsed) {
		keys[count] = "dbname";
		values[count++] = l->connect_state->conninfo;
	}
	PGconn *conn = buf_ok(&options) ? PQconnectStartParams(keys, values, parsed == NULL) : NULL;
	PQconninfoFree(parsed);
	buf_finish(&options);
	return conn;
}

static void ignore_notice(void *arg, const char *message)
{
	(void)arg, (void)message;
}

static void attempt(struct connection *l)
{
	l->state = CONN_CONNECTING;
	l->prepared = 0;
	l->conn = connect_start(l);
	timer_set(l, CONNECT_MS);
	if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD || !events_make(l)) {
		lose_connection(l);
		return;
	}
	PQsetNoticeProcessor(l->conn, ignore_notice, NULL);
	event_add(l->writable, NULL);
}

/* ---- the statements of a new connection ---- */

static size_t preparations(const struct connection *l)
{
	return l->plan->statement_count + (l->plan->greeting ? 1 : 0);
}

static void flush(struct connection *l)
{
	int left = PQflush(l->conn);
	if (left == 1)
		event_add(l->writable, NULL);
	else if (left < 0)
		lose_connection(l);
}

static void become_ready(struct connection *l)
{
	evtimer_del(l->timer);
	l->failures = 0;
	l->state = CONN_READY;
	if (l->plan->up)
		l->plan->up(l->ctx);
	if (l->state == CONN_READY)
		l->plan->ready(l->ctx);
}

static void prepare_next(struct connection *l)
{
	if (l->prepared == preparations(l)) {
		become_ready(l);
		return;
	}
	int sent;
	if (l->prepared < l->plan->statement_count) {
		const struct statement *s = l->plan->statements[l->prepared];
		sent = PQsendPrepare(l->conn, s->name, s->sql, 0, NULL);
	} else {
		sent = PQsendQuery(l->conn, l->plan->greeting);
	}
	if (sent)
		flush(l);
	else
		lose_connection(l);
}

/* libpq may have gone on to another address, and so to another socket, at any step: the events are made anew. */
static void connect_poll(struct connection *l)
{
	PostgresPollingStatusType status = PQconnectPoll(l->conn);
	if (status == PGRES_POLLING_FAILED || !events_make(l)) {
		lose_connection(l);
	} else if (status == PGRES_POLLING_WRITING) {
		event_add(l->writable, NULL);
	} else if (status == PGRES_POLLING_READING) {
		event_add(l->readable, NULL);
	} else {
		PQsetnonblocking(l->conn, 1);
		event_add(l->readable, NULL);
		l->state = CONN_PREPARING;
		prepare_next(l);
	}
}

/* ---- answers ---- */

/* The call's answer is complete: tells it, and asks for the next. */
static void connection_answered(struct connection *l)
{
	PGresult *result = l->result;
	enum connection_state state = l->state;
	ExecStatusType status = PQresultStatus(result);
	l->result = NULL;
	struct fault f;
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	if (!good)
		db_fault(&f, PQresultErrorField(result, PG_DIAG_SQLSTATE), PQresultErrorMessage(result));

	if (state == CONN_PREPARING && !good) {
		connection_lose(l, &f);
	} else if (state == CONN_PREPARING) {
		l->prepared++;
		prepare_next(l);
	} else {
		evtimer_del(l->timer);
		l->state = CONN_READY;
		call_end(l, good ? result : NULL, good ? NULL : &f);
		if (l->state == CONN_READY)
			l->plan->ready(l->ctx);
	}
	PQclear(result);
}

static void read_notifications(struct connection *l)
{
	bool any = false;
	for (PGnotify *n; (n = PQnotifies(l->conn)); any = true)
		PQfreemem(n);
	if (any && l->plan->notified && l->state >= CONN_READY)
		l->plan->notified(l->ctx);
}

static void read_answer(struct connection *l)
{
	if (!PQconsumeInput(l->conn)) {
		lose_connection(l);
		return;
	}
	while (l->state != CONN_READY && l->state != CONN_WAITING && !PQisBusy(l->conn)) {
		PGresult *r = PQgetResult(l->conn);
		if (r && !l->result) {
			l->result = r;
		} else if (r) {
			PQclear(r);
		} else if (PQstatus(l->conn) == CONNECTION_BAD || !l->result) {
			lose_connection(l);
			return;
		} else {
			connection_answered(l);
			return;
		}
	}
	if (l->state == CONN_READY && PQstatus(l->conn) == CONNECTION_BAD)
		lose_connection(l);
}

static void connection_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *l = arg;
	if (l->state == CONN_CONNECTING) {
		connect_poll(l);
		return;
	}
	read_answer(l);
	if (l->conn && l->state >= CONN_READY)
		read_notifications(l);
}

static void connection_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *l = arg;
	if (l->state == CONN_CONNECTING)
		connect_poll(l);
	else
		flush(l);
}

/* ---- deadlines ---- */

static void answer_overdue(struct connection *l)
{
	struct fault f;
	fault_set(&f, FAULT_BUSY, "the database has not answered %s within %d ms", l->plan->name, l->plan->answer_ms);
	if (abandon(l)) {
		connection_lose(l, &f);
		return;
	}
	l->state = CONN_STUCK;
	call_end(l, NULL, &f);
}

static void connection_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct connection *l = arg;
	struct fault f;
	switch (l->state) {
	case CONN_WAITING:
		attempt(l);
		break;
	case CONN_CONNECTING:
	case CONN_PREPARING:
		fault_set(&f, FAULT_BUSY, "no connection to the database within %d ms", CONNECT_MS);
		connection_lose(l, &f);
		break;
	case CONN_BUSY:
		if (l->unsent)
			lose_connection(l);
		else
			answer_overdue(l);
		break;
	case CONN_READY:
	case CONN_STUCK:
		break;
	}
}

/* ---- the interface ---- */

struct connection *connection_create(struct connect_state *connect_state, const struct connection_plan *plan, void *ctx)
{
	struct connection *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	*l = (struct connection){.connect_state = connect_state, .plan = plan, .ctx = ctx, .state = CONN_WAITING};
	l->timer = evtimer_new(connect_state->base, connection_on_timer, l);
	if (!l->timer) {
		free(l);
		return NULL;
	}
	timer_set(l, 0);
	return l;
}

void connection_destroy(struct connection *l)
{
	if (!l)
		return;
	events_drop(l);
	event_free(l->timer);
	PQclear(l->result);
	PQfinish(l->conn);
	free(l);
}

bool connection_is_ready(const struct connection *l)
{
	return l->state == CONN_READY;
}

bool connection_is_reachable(const struct connection *l)
{
	return l->state != CONN_STUCK && l->failures == 0;
}

void connection_send(
	struct connection *l, const struct statement *s, const struct db_params *params, connection_done *done)
{
	l->state = CONN_BUSY;
	l->done = done;
	timer_set(l, l->plan->answer_ms);
	int sent = !params->overflow && PQsendQueryPrepared(l->conn, s->name, params->count, params->value,
						params->length, params->format, 0);
	int left = sent ? PQflush(l->conn) : -1;
	if (left == 1)
		event_add(l->writable, NULL);
	if (left >= 0)
		return;
	l->unsent = true;
	timer_set(l, 0);
}
