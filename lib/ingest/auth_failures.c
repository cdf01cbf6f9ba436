/* auth_failures.c - a bounded ring in memory, and from it a bounded ring of rows. */

#include "ingest/auth_failures.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

#define ANSWER_MS 3000

/* Bytes of the texts, as payhook.rejected_requests bounds them. */
#define SOURCE_MAX 64
#define DETAIL_MAX 255
#define ADDRESS_MAX 64
#define ID_MAX 32

/* Any number of processes may at once: see schema/0013_auth_failures.sql. */
static const struct statement RECORD = {"record",
	"SELECT payhook.add_auth_failures($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],"
	" $7::bigint[])"};

enum column { SOURCE, CAUSE, DETAIL, SKEW, ADDRESS, ID, AGE, COLUMNS };
static const enum db_type TYPES[COLUMNS] = {[SOURCE] = DB_TEXT,
	[CAUSE] = DB_TEXT,
	[DETAIL] = DB_TEXT,
	[SKEW] = DB_INT8,
	[ADDRESS] = DB_TEXT,
	[ID] = DB_TEXT,
	[AGE] = DB_INT8};

/* A rejection that waits, its texts fit for the table. */
struct waiting {
	int cause;
	int64_t skew_s;
	int64_t since_us; /* clock_us() */
	char source[SOURCE_MAX + 1];
	char detail[DETAIL_MAX + 1];
	char address[ADDRESS_MAX + 1];
	char id[ID_MAX + 1];
};

struct auth_failures {
	struct connection *connection;
	struct event *rest; /* pending: some were sent a moment ago */
	void (*lost)(void *ctx, int count);
	void *ctx;
	int under_way; /* rows of the statement that is */
	int count;     /* of those that wait, in their order */
	struct waiting waiting[AUTH_FAILURES_WAITING_MAX];
	struct db_array columns[COLUMNS];
};

const char *auth_failure_cause_name(int cause)
{
	switch (cause) {
	case AUTH_FAILURE_ADDRESS:
		return "address";
	case AUTH_FAILURE_CERTIFICATE:
		return "certificate";
	case AUTH_FAILURE_API_KEY:
		return "api_key";
	default:
		return signature_cause_name((enum signature_cause)cause);
	}
}

/* C0, DEL and C1 could command the terminal that shows them; so could what is not a character at all. */
static bool is_printable(const char *character, size_t len)
{
	unsigned char first = (unsigned char)character[0];
	bool is_c1 = len == 2 && first == 0xc2 && (unsigned char)character[1] < 0xa0;
	return len > 0 && first >= 0x20 && first != 0x7f && !is_c1;
}

static void keep_text(char *ret, size_t max, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	size_t out = 0;
	for (size_t at = 0; at < len;) {
		size_t width = utf8_length(text + at, len - at);
		bool good = is_printable(text + at, width);
		size_t room = good ? width : 1;
		if (out + room > max)
			break;
		memcpy(ret + out, good ? text + at : "?", room);
		out += room;
		at += width ? width : 1;
	}
	ret[out] = '\0';
}

static void auth_failures_lose(struct auth_failures *r, int count)
{
	if (count > 0 && r->lost)
		r->lost(r->ctx, count);
}

static void auth_failures_on_recorded(void *ctx, const struct pg_result *result, const struct fault *f)
{
	(void)f;
	struct auth_failures *r = ctx;
	int count = r->under_way;
	r->under_way = 0;
	if (!result)
		auth_failures_lose(r, count);
}

static void fill_columns(struct auth_failures *r)
{
	int64_t now_us = clock_us();
	for (int c = 0; c < COLUMNS; c++)
		db_array_start(&r->columns[c], TYPES[c]);
	for (int i = 0; i < r->count; i++) {
		const struct waiting *w = &r->waiting[i];
		db_array_add_text(&r->columns[SOURCE], w->source);
		db_array_add_text(&r->columns[CAUSE], auth_failure_cause_name(w->cause));
		db_array_add_text(&r->columns[DETAIL], w->detail);
		db_array_add_int8(&r->columns[SKEW], w->skew_s);
		db_array_add_text(&r->columns[ADDRESS], w->address);
		db_array_add_text(&r->columns[ID], w->id);
		db_array_add_int8(&r->columns[AGE], now_us - w->since_us);
	}
}

/* The more were sent, the longer the rest: that is the bound of what is written over time. */
static void auth_failures_send_if_due(struct auth_failures *r)
{
	if (r->count == 0 || !connection_is_ready(r->connection) || evtimer_pending(r->rest, NULL))
		return;
	fill_columns(r);
	struct db_params params = {0};
	for (int c = 0; c < COLUMNS; c++)
		db_params_add_array(&params, &r->columns[c]);
	int rest_ms = r->count * 1000 / AUTH_FAILURES_PER_SECOND;
	if (rest_ms < AUTH_FAILURES_REST_MS)
		rest_ms = AUTH_FAILURES_REST_MS;
	struct timeval tv = {.tv_sec = rest_ms / 1000, .tv_usec = (rest_ms % 1000) * 1000};
	evtimer_add(r->rest, &tv);
	r->under_way = r->count;
	r->count = 0;
	connection_send(r->connection, &RECORD, &params, auth_failures_on_recorded);
}

static void auth_failures_on_ready(void *ctx)
{
	auth_failures_send_if_due(ctx);
}

static void auth_failures_on_rest(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	auth_failures_send_if_due(arg);
}

static const struct statement *const STATEMENTS[] = {&RECORD};

/* A rejection that a crash of the server forgets is no loss: nobody waits for the disk. */
static const struct connection_plan PLAN = {
	.name = "payhook-app auth-failures",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = "-c synchronous_commit=off",
	.answer_ms = ANSWER_MS,
	.ready = auth_failures_on_ready,
};

struct auth_failures *auth_failures_create(
	struct connect_state *connect_state, void (*lost)(void *ctx, int count), void *ctx)
{
	struct auth_failures *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->lost = lost;
	r->ctx = ctx;
	r->rest = evtimer_new(connect_state->base, auth_failures_on_rest, r);
	r->connection = connection_create(connect_state, &PLAN, r);
	if (!r->rest || !r->connection) {
		auth_failures_destroy(r);
		return NULL;
	}
	return r;
}

void auth_failures_destroy(struct auth_failures *r)
{
	if (!r)
		return;
	connection_destroy(r->connection);
	if (r->rest)
		event_free(r->rest);
	auth_failures_lose(r, r->under_way + r->count);
	for (int c = 0; c < COLUMNS; c++)
		db_array_finish(&r->columns[c]);
	free(r);
}

void auth_failures_add(struct auth_failures *r, const struct auth_failure *what)
{
	if (r->count == AUTH_FAILURES_WAITING_MAX) {
		auth_failures_lose(r, 1);
		return;
	}
	struct waiting *w = &r->waiting[r->count++];
	w->cause = what->cause;
	w->skew_s = what->skew_s;
	w->since_us = clock_us();
	keep_text(w->source, SOURCE_MAX, what->source);
	keep_text(w->detail, DETAIL_MAX, what->detail);
	keep_text(w->address, ADDRESS_MAX, what->address);
	keep_text(w->id, ID_MAX, what->request_id);
	auth_failures_send_if_due(r);
}
