/* auth_failures.c - a bounded buffer in memory, written at a bounded rate to bounded rings of rows.
 *
 * A flood of forged requests costs the database no more than a trickle: a failure that does not fit is counted and
 * dropped.  No answer to a client waits for this file.  A dropped failure is still in the log. */

#include "ingest/auth_failures.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

#define ANSWER_MS 3000

/* Bytes of the texts; the checks of payhook.rejected_requests have the same bounds. */
#define SOURCE_MAX 64
#define DETAIL_MAX 255
#define ADDRESS_MAX 64
#define ID_MAX 32

/* Adds failures to the rings of rows (schema/0016_auth_failure_rings.sql).  Any number of processes may do so at once:
 * each row has an id of its own, and where two ids share a slot of a ring, the higher id stays.
 *
 * Each element of the arrays is one failure.  Its age is sent instead of its time, so only the server's clock counts.
 * A lost answer is not followed by a second try: the failures may then be recorded, and are counted as lost. */
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

/* A failure that waits, its texts already cut and made printable. */
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
	struct event *rest;       /* pending: the pause after the last statement is still running */
	struct event *rates_rest; /* the same, after the counts were sent */
	struct rates rates;
	auth_failures_lost *lost;
	void *ctx;
	int under_way;        /* failures in the statement under way */
	int errors_under_way; /* validation errors in it: it has one of the two */
	int count;            /* of those in waiting, oldest first */
	struct waiting waiting[AUTH_FAILURE_CAUSE_COUNT * AUTH_FAILURES_WAITING_MAX];
	int of_cause[AUTH_FAILURE_CAUSE_COUNT]; /* of those in waiting */
	struct db_array columns[COLUMNS];
	struct validation_errors errors;
	bool is_errors_turn; /* a flood of the one does not keep the other waiting */
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
	case AUTH_FAILURE_REUSED:
		return "reused";
	default:
		return signature_cause_name((enum signature_cause)cause);
	}
}

/* Control characters and bytes that are not UTF-8 could control the terminal that shows the row. */
static void keep_text(char *ret, size_t max, const char *text)
{
	utf8_printable(ret, max + 1, text ? text : "");
}

static void auth_failures_lose(struct auth_failures *af, int failures, int errors)
{
	if (failures + errors > 0 && af->lost)
		af->lost(af->ctx, failures, errors);
}

static void auth_failures_on_recorded(void *ctx, const struct pg_result *result, const struct fault *f)
{
	(void)f;
	struct auth_failures *af = ctx;
	int failures = af->under_way, errors = af->errors_under_way;
	af->under_way = af->errors_under_way = 0;
	if (!result)
		auth_failures_lose(af, failures, errors);
}

static void fill_columns(struct auth_failures *af)
{
	int64_t now_us = clock_us();
	for (int c = 0; c < COLUMNS; c++)
		db_array_start(&af->columns[c], TYPES[c]);
	for (int i = 0; i < af->count; i++) {
		const struct waiting *w = &af->waiting[i];
		db_array_add_text(&af->columns[SOURCE], w->source);
		db_array_add_text(&af->columns[CAUSE], auth_failure_cause_name(w->cause));
		db_array_add_text(&af->columns[DETAIL], w->detail);
		db_array_add_int8(&af->columns[SKEW], w->skew_s);
		db_array_add_text(&af->columns[ADDRESS], w->address);
		db_array_add_text(&af->columns[ID], w->id);
		db_array_add_int8(&af->columns[AGE], now_us - w->since_us);
	}
}

/* The pause after a statement is proportional to the number of failures in it, which limits the rate over time to
 * AUTH_FAILURES_PER_SECOND. */
static void auth_failures_rest(struct auth_failures *af, int count)
{
	int rest_ms = count * 1000 / AUTH_FAILURES_PER_SECOND;
	struct timeval tv = clock_timeval(rest_ms < AUTH_FAILURES_REST_MS ? AUTH_FAILURES_REST_MS : rest_ms);
	evtimer_add(af->rest, &tv);
}

static void auth_failures_send_errors(struct auth_failures *af)
{
	struct db_params params = {0};
	validation_errors_params(&af->errors, &params);
	af->errors_under_way = validation_errors_empty(&af->errors);
	auth_failures_rest(af, af->errors_under_way);
	connection_send(af->connection, &VALIDATION_ERRORS_RECORD, &params, auth_failures_on_recorded);
}

static void auth_failures_send(struct auth_failures *af)
{
	fill_columns(af);
	struct db_params params = {0};
	for (int c = 0; c < COLUMNS; c++)
		db_params_add_array(&params, &af->columns[c]);
	auth_failures_rest(af, af->count);
	af->under_way = af->count;
	af->count = 0;
	memset(af->of_cause, 0, sizeof af->of_cause);
	connection_send(af->connection, &RECORD, &params, auth_failures_on_recorded);
}

/* Sends what waits, in turn failures and validation errors, unless the pause after the last statement is still running. */
static void auth_failures_send_if_due(struct auth_failures *af)
{
	int errors = validation_errors_count(&af->errors);
	if (af->count + errors == 0 || !connection_is_ready(af->connection) || evtimer_pending(af->rest, NULL))
		return;
	bool is_errors_turn = errors > 0 && (af->is_errors_turn || af->count == 0);
	af->is_errors_turn = !is_errors_turn;
	if (is_errors_turn)
		auth_failures_send_errors(af);
	else
		auth_failures_send(af);
}

static void auth_failures_on_counted(void *ctx, const struct pg_result *result, const struct fault *f)
{
	(void)ctx, (void)result, (void)f;
}

static void send_rates_if_due(struct auth_failures *af)
{
	if (!rates_are_due(&af->rates) || !connection_is_ready(af->connection) || evtimer_pending(af->rates_rest, NULL))
		return;
	struct timeval tv = clock_timeval(RATES_EVERY_MS);
	struct db_params params = {0};
	evtimer_add(af->rates_rest, &tv);
	rates_params(&af->rates, &params);
	connection_send(af->connection, &RATES_ADD, &params, auth_failures_on_counted);
}

static void auth_failures_send_next(struct auth_failures *af)
{
	auth_failures_send_if_due(af);
	send_rates_if_due(af);
}

static void auth_failures_on_ready(void *ctx)
{
	auth_failures_send_next(ctx);
}

static void auth_failures_on_rest(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	auth_failures_send_next(arg);
}

static const struct statement *const STATEMENTS[] = {&RECORD, &VALIDATION_ERRORS_RECORD, &RATES_ADD};

/* A crash of the server may lose the last failures, which is acceptable; so the commit does not wait for the disk. */
static const struct connection_plan PLAN = {
	.name = "payhook-app auth-failures",
	.statements = STATEMENTS,
	.statement_count = COUNT_OF(STATEMENTS),
	.options = "-c synchronous_commit=off",
	.answer_ms = ANSWER_MS,
	.ready = auth_failures_on_ready,
};

struct auth_failures *auth_failures_create(struct connect_state *connect_state, auth_failures_lost *lost, void *ctx)
{
	struct auth_failures *af = calloc(1, sizeof *af);
	if (!af)
		return NULL;
	af->lost = lost;
	af->ctx = ctx;
	af->rest = evtimer_new(connect_state->base, auth_failures_on_rest, af);
	af->rates_rest = evtimer_new(connect_state->base, auth_failures_on_rest, af);
	af->connection = connection_create(connect_state, &PLAN, af);
	if (!af->rest || !af->rates_rest || !af->connection) {
		auth_failures_destroy(af);
		return NULL;
	}
	return af;
}

void auth_failures_destroy(struct auth_failures *af)
{
	if (!af)
		return;
	connection_destroy(af->connection);
	if (af->rest)
		event_free(af->rest);
	if (af->rates_rest)
		event_free(af->rates_rest);
	rates_finish(&af->rates);
	auth_failures_lose(af, af->under_way + af->count, af->errors_under_way + validation_errors_count(&af->errors));
	validation_errors_finish(&af->errors);
	for (int c = 0; c < COLUMNS; c++)
		db_array_finish(&af->columns[c]);
	free(af);
}

void auth_failures_count(struct auth_failures *af, const char *source, enum rate what)
{
	rates_add(&af->rates, source, what);
	send_rates_if_due(af);
}

void auth_failures_add(struct auth_failures *af, const struct auth_failure *failure)
{
	if (af->of_cause[failure->cause] == AUTH_FAILURES_WAITING_MAX) {
		auth_failures_lose(af, 1, 0);
		return;
	}
	af->of_cause[failure->cause]++;
	struct waiting *w = &af->waiting[af->count++];
	w->cause = failure->cause;
	w->skew_s = failure->skew_s;
	w->since_us = clock_us();
	keep_text(w->source, SOURCE_MAX, failure->source);
	keep_text(w->detail, DETAIL_MAX, failure->detail);
	keep_text(w->address, ADDRESS_MAX, failure->address);
	keep_text(w->id, ID_MAX, failure->request_id);
	auth_failures_send_if_due(af);
}

void auth_failures_add_invalid(struct auth_failures *af, const struct validation_error *error)
{
	if (!af)
		return;
	if (!validation_errors_add(&af->errors, error))
		auth_failures_lose(af, 0, 1);
	auth_failures_send_if_due(af);
}
