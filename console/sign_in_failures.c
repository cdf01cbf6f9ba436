/* sign_in_failures.c - keeps failed sign-ins for a moment, and writes them in one statement.
 *
 * A call that the database does not answer loses the failures in it; one that was never sent, as the database is away, leaves them
 * waiting.  The timer bounds the statements, whatever comes, and a statement under way the next one. */

#include "sign_in_failures.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "calls.h"
#include "fastcgi/request.h"

/* Bytes, as the checks of payhook.rejected_requests have them. */
#define DETAIL_MAX 255
#define ADDRESS_MAX 64

enum { DETAIL, ADDRESS, ID, AGE, COLUMNS };

static const enum db_type TYPES[COLUMNS] = {DB_TEXT, DB_TEXT, DB_TEXT, DB_INT8};

const struct statement SIGN_IN_FAILURES_RECORD = {
	"sign_ins_failed", "SELECT payhook.console_sign_ins_failed($1::text[], $2::text[], $3::text[], $4::bigint[])"};

struct sign_in_failures {
	struct calls *calls;
	struct event *rest; /* pending: the pause after the last statement is still running */
	struct call call;
	bool is_busy; /* the call is not done yet */
	int count;    /* of those in waiting, oldest first */
	struct {
		char detail[DETAIL_MAX + 1], address[ADDRESS_MAX + 1], id[REQUEST_ID_MAX + 1];
		int64_t since_us;
	} waiting[SIGN_IN_FAILURES_MAX];
	struct db_array columns[COLUMNS];
};

static void sign_in_failures_fill(struct call *call, struct db_params *params)
{
	struct sign_in_failures *s = CONTAINER_OF(call, struct sign_in_failures, call);
	int64_t now_us = clock_us();
	for (int c = 0; c < COLUMNS; c++)
		db_array_start(&s->columns[c], TYPES[c]);
	for (int i = 0; i < s->count; i++) {
		db_array_add_text(&s->columns[DETAIL], s->waiting[i].detail);
		db_array_add_text(&s->columns[ADDRESS], s->waiting[i].address);
		db_array_add_text(&s->columns[ID], s->waiting[i].id);
		db_array_add_int8(&s->columns[AGE], now_us - s->waiting[i].since_us);
	}
	for (int c = 0; c < COLUMNS; c++)
		db_params_add_array(params, &s->columns[c]);
	s->count = 0;
}

static void sign_in_failures_on_done(
	struct call *call, const struct pg_result *result, const struct fault *f, bool is_undone)
{
	struct sign_in_failures *s = CONTAINER_OF(call, struct sign_in_failures, call);
	(void)result, (void)f, (void)is_undone;
	s->is_busy = false;
}

static void sign_in_failures_send_if_due(struct sign_in_failures *s)
{
	struct timeval tv = clock_timeval(SIGN_IN_FAILURES_REST_MS);
	if (s->count == 0 || evtimer_pending(s->rest, NULL))
		return;
	evtimer_add(s->rest, &tv);
	if (s->is_busy)
		return;
	s->is_busy = true;
	s->call = (struct call){
		.statement = &SIGN_IN_FAILURES_RECORD, .fill = sign_in_failures_fill, .done = sign_in_failures_on_done};
	calls_send(s->calls, &s->call);
}

static void sign_in_failures_on_rest(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	sign_in_failures_send_if_due(arg);
}

struct sign_in_failures *sign_in_failures_create(struct event_base *base, struct calls *calls)
{
	struct sign_in_failures *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->calls = calls;
	s->rest = evtimer_new(base, sign_in_failures_on_rest, s);
	if (s->rest)
		return s;
	free(s);
	return NULL;
}

void sign_in_failures_destroy(struct sign_in_failures *s)
{
	if (!s)
		return;
	event_free(s->rest);
	for (int c = 0; c < COLUMNS; c++)
		db_array_finish(&s->columns[c]);
	free(s);
}

void sign_in_failures_add(struct sign_in_failures *s, const struct request *rq, const char *key, const char *why)
{
	char detail[2 * DETAIL_MAX];
	if (!s || s->count == SIGN_IN_FAILURES_MAX)
		return;
	snprintf(detail, sizeof detail, "%s%s%s%s", *key ? "key " : "", key, *key ? ": " : "", why);
	utf8_printable(s->waiting[s->count].detail, sizeof s->waiting[0].detail, detail);
	utf8_printable(s->waiting[s->count].address, sizeof s->waiting[0].address, rq->address);
	utf8_printable(s->waiting[s->count].id, sizeof s->waiting[0].id, rq->id);
	s->waiting[s->count++].since_us = clock_us();
	sign_in_failures_send_if_due(s);
}
