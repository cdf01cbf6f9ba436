/* processor_http.c - a processor that is called over HTTP: a POST for each job.
 *
 * It keeps the calls that are under way and those that could not be started; http_loop.c runs curl, and http_transfer.c
 * writes the request and reads the response. */

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/traceparent.h"
#include "http_loop.h"
#include "http_transfer.h"
#include "oauth.h"
#include "processor.h"
#include "runtime/descriptors.h"
#include "runtime/log.h"

#define SPARE_DESCRIPTORS 128 /* in addition to one connection for each call */

LIST_HEAD(transfers, transfer);

struct processor {
	struct http_loop *loop;
	struct oauth *oauth;                            /* NULL: calls have no token */
	struct event *end_not_started;                  /* ends the calls in not_started */
	struct curl_slist common[2 + CALL_HEADERS_MAX]; /* the header lines of all calls */
	const struct call_options *options;
	struct transfers under_way, idle;
	TAILQ_HEAD(, call) not_started; /* calls that could not be started; start() must not end them itself */
	TAILQ_HEAD(, call) waiting;     /* calls that wait for a token */
	struct call_outcome no_token;   /* of those, if there is none */
	call_ended *ended;
	void *ctx;
};

/* ---- the end of a call ---- */

/* A 401 concerns the token and not the transaction: it is never final while payhook fetches tokens.  A status of 5xx shows
 * nothing: the server that gave it may not have looked at the token. */
static void report_to_oauth(struct processor *p, const struct transfer *t, int status, struct call_outcome *o)
{
	if (status == 0 || status >= 500)
		return;
	if (status != 401) {
		oauth_accepted(p->oauth, t->token_number);
		return;
	}
	bool is_replaced = oauth_refused(p->oauth, t->token_number);
	o->result = CALL_AGAIN;
	o->why = is_replaced ? "HTTP 401 from the processor: the next call has a new token"
			     : "HTTP 401 from the processor, to a new token too";
}

/* The transfer becomes idle only after ended() has returned: the outcome's request id lies in it, and a call that
 * ended() might start must not overwrite it. */
static void processor_http_on_ended(struct http_request *x, CURLcode result)
{
	struct transfer *t = CONTAINER_OF(x, struct transfer, request);
	struct processor *p = t->owner;
	struct call *c = t->call;
	char why[RESPONSE_WHY_MAX];
	int status;
	struct call_outcome o = transfer_outcome(t, result, why, &status);
	if (t->token_number)
		report_to_oauth(p, t, status, &o);
	LOG(LOG_LEVEL_DEBUG, "call finished", LOG_TEXT("transaction_id", c->job->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(c->job->traceparent)), LOG_NUMBER("attempt", c->job->attempt),
		LOG_TEXT("request_id", o.request_id), LOG_NUMBER("status", status),
		LOG_NUMBER("ms", clock_ms() - t->started_ms));
	LIST_REMOVE(t, next);
	c->transfer = NULL;
	p->ended(p->ctx, c, &o);
	LIST_INSERT_HEAD(&p->idle, t, next);
}

static void processor_http_on_not_started(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct processor *p = arg;
	struct call *c;
	while ((c = TAILQ_FIRST(&p->not_started))) {
		TAILQ_REMOVE(&p->not_started, c, under_way);
		p->ended(p->ctx, c, c->not_started);
	}
}

/* ---- the interface ---- */

/* Reuses an idle transfer, or creates one.  There are never more transfers than the largest number of concurrent
 * calls. */
static struct transfer *take_transfer(struct processor *p)
{
	struct transfer *t = LIST_FIRST(&p->idle);
	if (t)
		LIST_REMOVE(t, next);
	else if ((t = transfer_create(p->options, processor_http_on_ended)))
		t->owner = p;
	return t;
}

/* A call that cannot be started ends from the event loop. */
static void end_soon(struct processor *p, struct call *c, const struct call_outcome *why)
{
	c->transfer = NULL;
	c->not_started = why;
	TAILQ_INSERT_TAIL(&p->not_started, c, under_way);
	event_active(p->end_not_started, EV_TIMEOUT, 0);
}

static void make_call(struct processor *p, struct call *c, const char *token, int64_t token_number)
{
	struct transfer *t = take_transfer(p);
	const struct call_outcome *why = t ? transfer_prepare(t, c->job, p->common, token) : NULL;
	if (t && !why && http_loop_start(p->loop, &t->request)) {
		t->token_number = token_number;
		t->call = c;
		c->transfer = t;
		LIST_INSERT_HEAD(&p->under_way, t, next);
		return;
	}
	if (t)
		LIST_INSERT_HEAD(&p->idle, t, next);
	end_soon(p, c, why ? why : &TRANSFER_NO_MEMORY);
}

static void set_no_token(struct processor *p, const char *why)
{
	p->no_token = (struct call_outcome){.result = CALL_AGAIN, .pause_ms = -1, .why = why};
}

static void processor_http_start(struct processor *p, struct call *c)
{
	int64_t number = 0;
	const char *token = p->oauth ? oauth_line(p->oauth, &number) : NULL, *why = NULL;
	if (token || !p->oauth) {
		make_call(p, c, token, number);
	} else if ((why = oauth_want(p->oauth))) {
		set_no_token(p, why);
		end_soon(p, c, &p->no_token);
	} else {
		c->transfer = NULL;
		c->not_started = NULL;
		TAILQ_INSERT_TAIL(&p->waiting, c, under_way);
	}
}

/* Starts the calls that have waited for the token, or ends them. */
static void processor_http_on_token(void *ctx, const char *why)
{
	struct processor *p = ctx;
	struct call *c;
	int64_t number = 0;
	const char *token = why ? NULL : oauth_line(p->oauth, &number);
	if (!token)
		set_no_token(p, why ? why : "no token: its life is over at once");
	while ((c = TAILQ_FIRST(&p->waiting))) {
		TAILQ_REMOVE(&p->waiting, c, under_way);
		if (token)
			make_call(p, c, token, number);
		else
			end_soon(p, c, &p->no_token);
	}
}

static bool processor_http_cancel(struct processor *p, struct call *c)
{
	struct transfer *t = c->transfer;
	if (!t && c->not_started) {
		TAILQ_REMOVE(&p->not_started, c, under_way);
		return false;
	}
	if (!t) {
		TAILQ_REMOVE(&p->waiting, c, under_way);
		return false;
	}
	http_loop_cancel(p->loop, &t->request);
	LIST_REMOVE(t, next);
	LIST_INSERT_HEAD(&p->idle, t, next);
	c->transfer = NULL;
	return t->sent;
}

/* A response may come at any time, so any call under way may end in time. */
static bool processor_http_ends_by(const struct processor *p, int64_t when_ms)
{
	(void)when_ms;
	return !LIST_EMPTY(&p->under_way) || !TAILQ_EMPTY(&p->not_started) || !TAILQ_EMPTY(&p->waiting);
}

/* For a token. */
static bool processor_http_is_waiting(const struct processor *p)
{
	return !TAILQ_EMPTY(&p->waiting);
}

/* Calls under way are dropped without touching their memory, which the worker may have freed. */
static void processor_http_destroy(struct processor *p)
{
	if (!p)
		return;
	for (struct transfer *t = LIST_FIRST(&p->under_way), *next; t; t = next) {
		next = LIST_NEXT(t, next);
		http_loop_cancel(p->loop, &t->request);
		transfer_destroy(t);
	}
	for (struct transfer *t = LIST_FIRST(&p->idle), *next; t; t = next) {
		next = LIST_NEXT(t, next);
		transfer_destroy(t);
	}
	if (p->end_not_started)
		event_free(p->end_not_started);
	oauth_destroy(p->oauth);
	http_loop_destroy(p->loop);
	free(p);
}

/* An empty "Expect:" keeps curl from waiting for a 100 (Continue) before it sends the body.  A webhook has its own
 * type.  The operator's headers are not copied: they hold secrets. */
static void link_common_lines(struct processor *p)
{
	static char no_expect[] = "Expect:", type[] = "Content-Type: application/json";
	const struct call_headers *h = &p->options->headers;
	int count = 0;
	p->common[count++].data = no_expect;
	if (p->options->settings->processor_body != PROCESSOR_BODY_ORIGINAL)
		p->common[count++].data = type;
	for (int i = 0; i < h->count; i++)
		p->common[count++].data = h->text.data + h->at[i];
	for (int i = 0; i + 1 < count; i++)
		p->common[i].next = &p->common[i + 1];
}

static bool begin_oauth(struct processor *p, struct event_base *base)
{
	if (!*p->options->settings->processor_token_url)
		return true;
	p->oauth = oauth_create(base, p->loop, p->options, processor_http_on_token, p);
	return p->oauth;
}

static struct processor *processor_http_create(
	struct event_base *base, const struct call_options *o, call_ended *ended, void *ctx)
{
	struct processor *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->options = o;
	p->ended = ended;
	p->ctx = ctx;
	LIST_INIT(&p->under_way);
	LIST_INIT(&p->idle);
	TAILQ_INIT(&p->not_started);
	TAILQ_INIT(&p->waiting);
	p->loop = http_loop_create(base, o->settings->worker_slots);
	p->end_not_started = event_new(base, -1, 0, processor_http_on_not_started, p);
	link_common_lines(p);
	if (!p->loop || !p->end_not_started || !begin_oauth(p, base)) {
		processor_http_destroy(p);
		return NULL;
	}
	/* Each call may need a connection.  Calls beyond the hard limit fail temporarily. */
	descriptors_raise(o->settings->worker_slots + SPARE_DESCRIPTORS);
	return p;
}

const struct processor_kind PROCESSOR_HTTP = {
	.name = "http",
	.wants_transaction = true,
	.create = processor_http_create,
	.destroy = processor_http_destroy,
	.start = processor_http_start,
	.cancel = processor_http_cancel,
	.ends_by = processor_http_ends_by,
	.is_waiting = processor_http_is_waiting,
};
