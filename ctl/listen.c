/* listen.c - shows accepted events as they come, and posts them to a program under development.
 *
 * The database is read in rounds, in the order of acceptance, batch by batch; a notification only shortens the wait for the
 * next round, and losing one loses nothing.  A round begins a little before the newest event that is known, since
 * transactions are committed in another order than they began (seen.h).  So no event is shown twice in one run, and none is
 * left out if its commit took less than SEEN_OVERLAP_US.
 *
 * A program that does not answer, or answers with an error, is reported, and the next event is posted: this is a tool for
 * trials.  Nothing is settled by it; the worker and its processor do their work beside it. */

#include "listen.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/signature_header.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "ctl.h"
#include "http/url.h"
#include "pg/connection.h"
#include "post.h"
#include "runtime/settings.h"
#include "seen.h"
#include "source/sources_file.h"

#define BATCH 500       /* events of one statement */
#define ATTEMPTS_MAX 3  /* to connect at all; later ones go on for ever */
#define ANSWER_MS 10000 /* the first round after a --since long ago reads much */
#define SOON_MS 50      /* from a notification to a round: one for many commits */
#define LATER_MS 1000   /* from round to round without a notification */
#define GO_BACK_MS 2000 /* between two rounds that begin before the newest event */
#define KEY_MAX 2048    /* bytes of an Idempotency-Key, as of worker/http_call.h */
#define EVENT_TEXT_MAX 256

static const struct statement START = {
	"listen_start", "SELECT (extract(epoch FROM now()) * 1000000)::bigint, pg_is_in_recovery()::text"};

/* A batch of the events from a time on, behind one event of that time.  The object is what an HTTP processor receives. */
static const struct statement NEXT = {"listen_next",
	"SELECT (extract(epoch FROM t.created_at) * 1000000)::bigint, t.source, t.transaction_id,"
	"  to_char(t.created_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT
	"), t.kind, t.amount::text, t.currency, t.payment_id,"
	"  json_build_object('transaction_id', t.transaction_id, 'source_account', t.source_account,"
	"    'destination_account', t.destination_account, 'amount', t.amount, 'currency', t.currency,"
	"    'created_at', to_char(t.created_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT "), 'source', t.source,"
	"    'kind', t.kind, 'payment_id', t.payment_id,"
	"    'occurred_at', to_char(t.occurred_at AT TIME ZONE 'UTC', " DB_TIME_FORMAT "),"
	"    'amount_text', t.amount::text)::text"
	" FROM payhook.transactions t"
	" WHERE t.created_at >= timestamptz 'epoch' + $1::bigint * interval '1 microsecond'"
	"  AND (t.created_at, t.source, t.transaction_id)"
	"    > (timestamptz 'epoch' + $1::bigint * interval '1 microsecond', $2::text, $3::text)"
	"  AND coalesce(t.source = $4::text, true)"
	" ORDER BY t.created_at, t.source, t.transaction_id LIMIT $5::bigint"};
enum { TIME_US, SOURCE, ID, TIME, KIND, AMOUNT, CURRENCY, PAYMENT, OBJECT };

/* An event in the order of the statement. */
struct place {
	int64_t time_us;
	char source[EVENT_TEXT_MAX], id[EVENT_TEXT_MAX];
};

struct listening {
	const char *source; /* NULL: all */
	const char *url;    /* NULL: nothing is posted */
	bool is_json;
	int64_t since_us; /* no event before it is shown; -1: from the start of the command */
	struct place at;  /* the next batch begins behind it */
	struct place newest;
	struct seen seen;
	bool in_round;
	int64_t back_ms; /* when a round last began before the newest event */
	struct event_base *base;
	struct event *timer;
	struct connection *connection;
	bool was_up, is_down;
	int attempts; /* that failed, before the first that did not */
	int status;
};

static void listen_stop(struct listening *l, int status)
{
	l->status = status;
	event_base_loopbreak(l->base);
}

static void listen_rest(struct listening *l, int ms)
{
	struct timeval after = clock_timeval(ms);
	event_add(l->timer, &after);
}

/* ---- one event ---- */

/* As the worker makes it (worker/http_call.c): a transaction of the built-in source has its id alone. */
static void listen_key(struct buf *b, const char *source, const char *id)
{
	const char *const parts[] = {strcmp(source, SOURCE_BUILT_IN) == 0 ? "" : source, id};
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		for (const char *at = parts[i]; *at; at++) {
			if (*at > ' ' && *at <= '~' && *at != '%' && *at != '/')
				buf_add(b, at, 1);
			else
				buf_add_format(b, "%%%02X", (unsigned)(unsigned char)*at);
		}
		if (i == 0 && *parts[0])
			buf_add_text(b, "/");
	}
}

/* Reports on standard error what is no success, else on the line of the event. */
static void post_event(const struct listening *l, const struct pg_result *r, int row)
{
	struct post post = {.url = l->url, .count = 2, .line = {"Content-Type: application/json"}};
	struct post_answer answer;
	struct fault f;
	struct buf key = BUF_INIT(KEY_MAX);
	char shown[EVENT_TEXT_MAX], why[FAULT_TEXT_MAX];
	buf_add_text(&key, "Idempotency-Key: ");
	listen_key(&key, db_text(r, row, SOURCE), db_text(r, row, ID));
	post.line[1] = key.data;
	post.body = db_text(r, row, OBJECT);
	post.len = strlen(post.body);
	utf8_printable(shown, sizeof shown, db_text(r, row, ID));
	if (!post_send(&post, &answer, &f)) {
		fprintf(stderr, CTL_PROGRAM ": %s: there is no answer from %s: %s\n", shown, l->url,
			utf8_printable(why, sizeof why, f.text));
	} else {
		fprintf(stderr, CTL_PROGRAM ": %s: %s answers %d after %d ms\n", shown, l->url, answer.status,
			answer.ms);
		post_answer_finish(&answer);
	}
	buf_finish(&key);
}

static void print_text(const struct pg_result *r, int row, int column)
{
	char shown[EVENT_TEXT_MAX];
	printf(" %s", db_null(r, row, column) ? "-" : utf8_printable(shown, sizeof shown, db_text(r, row, column)));
}

static void listen_show(const struct listening *l, const struct pg_result *r, int row)
{
	if (l->is_json) {
		printf("%s\n", db_text(r, row, OBJECT));
	} else {
		printf("%s", db_text(r, row, TIME));
		for (int column = SOURCE; column <= PAYMENT; column++) {
			if (column != TIME)
				print_text(r, row, column);
		}
		printf("\n");
	}
}

static struct place place_of(const struct pg_result *r, int row)
{
	struct place p = {.time_us = db_int8(r, row, TIME_US)};
	snprintf(p.source, sizeof p.source, "%s", db_text(r, row, SOURCE));
	snprintf(p.id, sizeof p.id, "%s", db_text(r, row, ID));
	return p;
}

/* False: the event cannot be shown, and the command ends. */
static bool take_event(struct listening *l, const struct pg_result *r, int row)
{
	char text[2 * EVENT_TEXT_MAX + 1];
	bool is_new;
	l->at = place_of(r, row);
	int len = snprintf(text, sizeof text, "%s/%s", l->at.source, l->at.id);
	if (l->at.time_us >= l->newest.time_us)
		l->newest = l->at;
	if (!seen_add(&l->seen, l->at.time_us, text, (size_t)len, &is_new)) {
		ctl_complain("there is no memory for the events of the last seconds");
		return false;
	}
	if (!is_new)
		return true;
	listen_show(l, r, row);
	if (fflush(stdout) != 0) {
		ctl_complain("the events cannot be written to standard output");
		return false;
	}
	if (l->url)
		post_event(l, r, row);
	return true;
}

/* ---- rounds ---- */

/* Most rounds begin behind the newest event: the seconds before it are read again every GO_BACK_MS only. */
static void listen_begin_round(struct listening *l)
{
	int64_t now_ms = clock_ms();
	l->in_round = true;
	l->at = l->newest;
	if (now_ms - l->back_ms < GO_BACK_MS)
		return;
	l->back_ms = now_ms;
	int64_t back_us = l->newest.time_us - SEEN_OVERLAP_US;
	l->at = (struct place){.time_us = back_us > l->since_us ? back_us : l->since_us};
}

static void listen_on_batch(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct listening *l = ctx;
	if (!r && f->kind == FAULT_BUSY)
		return; /* the round goes on from where it was */
	if (!r) {
		char why[FAULT_TEXT_MAX];
		fprintf(stderr, CTL_PROGRAM ": the events cannot be read: %s\n",
			utf8_printable(why, sizeof why, f->text));
		listen_stop(l, 1);
		return;
	}
	int rows = db_rows(r);
	for (int row = 0; row < rows; row++) {
		if (!take_event(l, r, row)) {
			listen_stop(l, 1);
			return;
		}
	}
	l->in_round = rows == BATCH;
	if (!l->in_round)
		listen_rest(l, LATER_MS);
}

static void listen_on_start(void *ctx, const struct pg_result *r, const struct fault *f)
{
	struct listening *l = ctx;
	(void)f;
	if (!r)
		return;
	if (l->since_us < 0)
		l->since_us = db_int8(r, 0, 0);
	if (db_text(r, 0, 1)[0] == 't')
		ctl_complain("the server is a standby, which sends no notifications: events are shown within a second");
	l->newest = (struct place){.time_us = l->since_us};
	l->was_up = true;
	fprintf(stderr, CTL_PROGRAM ": listening; Ctrl-C stops it\n");
	listen_begin_round(l);
}

static void listen_send(struct listening *l)
{
	struct db_params params = {0};
	if (!l->was_up) {
		connection_send(l->connection, &START, &params, listen_on_start);
		return;
	}
	db_params_add_int8(&params, l->at.time_us);
	db_params_add_text(&params, l->at.source);
	db_params_add_text(&params, l->at.id);
	db_params_add_text(&params, l->source);
	db_params_add_int8(&params, BATCH);
	connection_send(l->connection, &NEXT, &params, listen_on_batch);
}

static void listen_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct listening *l = arg;
	if (l->was_up && !l->in_round)
		listen_begin_round(l);
	if (connection_is_ready(l->connection))
		listen_send(l);
}

/* ---- the connection's callbacks ---- */

static void listen_on_ready(void *ctx)
{
	struct listening *l = ctx;
	l->is_down = false;
	if (!l->was_up || l->in_round)
		listen_send(l);
}

static void listen_on_down(void *ctx, const struct fault *why)
{
	struct listening *l = ctx;
	char shown[FAULT_TEXT_MAX];
	if (!l->is_down)
		fprintf(stderr, CTL_PROGRAM ": the database cannot be asked: %s\n",
			utf8_printable(shown, sizeof shown, why->text));
	l->is_down = l->was_up;
	if (!l->was_up && ++l->attempts == ATTEMPTS_MAX)
		listen_stop(l, 1);
}

static void listen_on_notified(void *ctx)
{
	struct listening *l = ctx;
	if (l->was_up && !l->in_round)
		listen_rest(l, SOON_MS);
}

static const struct statement *const STATEMENTS[] = {&START, &NEXT};

static const struct connection_plan PLAN = {
	.name = CTL_PROGRAM " listen",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	/* The plan depends on how far back the time is.  Without statistics of the table it is a scan of the index all the same, and
	 * no round starts parallel workers. */
	.options = "-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c max_parallel_workers_per_gather=0",
	.greeting = "LISTEN jobs",
	.answer_ms = ANSWER_MS,
	.ready = listen_on_ready,
	.down = listen_on_down,
	.notified = listen_on_notified,
};

/* Returns the exit status. */
static int listen_until_stopped(struct listening *l, const char *conninfo)
{
	l->base = event_base_new();
	l->timer = l->base ? evtimer_new(l->base, listen_on_timer, l) : NULL;
	struct connect_state state = {.base = l->base, .conninfo = conninfo};
	l->connection = l->timer ? connection_create(&state, &PLAN, l) : NULL;
	l->status = 1;
	if (l->connection)
		event_base_dispatch(l->base);
	else
		ctl_complain("there is no memory for a connection");
	connection_destroy(l->connection);
	if (l->timer)
		event_free(l->timer);
	if (l->base)
		event_base_free(l->base);
	seen_finish(&l->seen);
	return l->status;
}

/* ---- arguments ---- */

/* Reads unix seconds, or RFC 3339 with any zone. */
static bool read_since(struct listening *l, const char *text)
{
	struct fault f;
	int64_t time_s;
	if (clock_read_us(text, &l->since_us))
		return true;
	if (signature_read_time(text, strlen(text), &time_s, &f)) {
		l->since_us = time_s * 1000000;
		return true;
	}
	fprintf(stderr,
		CTL_PROGRAM ": --since %s: no time as 2026-02-19T12:00:00Z, 2026-02-19T13:00:00+01:00 or"
			    " 1771502400 is one\n",
		text);
	return false;
}

static bool listen_url(struct listening *l, const char *text)
{
	struct fault f;
	l->url = text;
	if (url_check(text, &f))
		return true;
	/* The URL may have a password, which url_check() refuses. */
	fprintf(stderr, CTL_PROGRAM ": --to %s: %s\n", strchr(text, '@') ? "URL" : text, f.text);
	return false;
}

static bool listen_arguments(struct listening *l, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--json") == 0) {
			l->is_json = true;
			continue;
		}
		bool is_source = strcmp(argv[i], "--source") == 0, is_since = strcmp(argv[i], "--since") == 0;
		if (!value || (!is_source && !is_since && strcmp(argv[i], "--to") != 0)) {
			ctl_complain("usage: listen [--source NAME] [--since TIME] [--to URL] [--json]");
			return false;
		}
		i++;
		if (is_source)
			l->source = value;
		else if (!(is_since ? read_since(l, value) : listen_url(l, value)))
			return false;
	}
	return true;
}

/* A closed source counts: it may have events of the time before. */
static bool source_is_configured(const struct settings *s, const char *name)
{
	static struct sources sources; /* too large for the stack */
	bool is_there = false;
	if (!sources_load(s->sources_file, &s->extra_currencies, ctl_complain, &sources))
		return false;
	for (int i = 0; i < sources.count; i++)
		is_there = is_there || strcmp(sources.list[i].name, name) == 0;
	if (!is_there) {
		fprintf(stderr, CTL_PROGRAM ": --source %s: no source has this name; there are:", name);
		for (int i = 0; i < sources.count; i++)
			fprintf(stderr, " %s", sources.list[i].name);
		fprintf(stderr, "\n");
	}
	sources_finish(&sources);
	return is_there;
}

int listen_run(int argc, char **argv)
{
	static struct settings settings;
	static struct listening listening = {.since_us = -1, .back_ms = -GO_BACK_MS};
	struct listening *l = &listening;
	if (!listen_arguments(l, argc, argv) || !settings_read(&settings, ctl_complain))
		return 2;
	if (l->source && !source_is_configured(&settings, l->source))
		return 2;
	if (!*settings.database) {
		ctl_complain("DATABASE_URL is not set, nor POSTGRES_HOST: which PostgreSQL?");
		return 2;
	}
	return listen_until_stopped(l, settings.database);
}
