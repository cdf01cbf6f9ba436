/* processor_http.c - a processor that is called over HTTP: a POST for each job.
 *
 * curl's multi interface reports the sockets that it waits for and the time at which it must run again; the worker's
 * event loop watches both.  So nothing here waits, and the work for one event does not grow with the number of
 * calls.
 *
 * Each call uses an idle connection, a new one, or a stream of an HTTP/2 connection.  The number of connections is
 * not limited in curl: the worker limits the calls, and a call that curl queued would use up its time limit while it
 * waits.  For the same reason no call waits to learn whether another's connection will speak HTTP/2
 * (CURLOPT_PIPEWAIT).
 *
 * A call is one request.  curl by itself would send a request once more, up to five times, if a kept connection is closed
 * before its answer: calls of which no attempt is recorded.  The second request is stopped before it is sent, and the
 * call fails, to be retried as any other.  The meaning of a response is decided in http_call.c. */

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/traceparent.h"
#include "http_call.h"
#include "http_failure.h"
#include "http_options.h"
#include "http_original.h"
#include "processor.h"
#include "runtime/descriptors.h"
#include "runtime/log.h"

#define SPARE_DESCRIPTORS 128 /* in addition to one connection for each call */
#define KEY "Idempotency-Key: "
#define REQUEST_ID "X-Request-Id: "
#define REQUEST_ID_BYTES ((size_t)16)
#define TRACE "traceparent: "

/* A curl handle with its request and response.  It serves one call at a time and is reused when idle. */
struct transfer {
	LIST_ENTRY(transfer) next; /* in the list under_way or idle */
	struct processor *processor;
	struct call *call;
	CURL *easy;
	struct buf body, key; /* of the request; curl does not copy them, so they stay until the call ends */
	char request_id[sizeof REQUEST_ID + 2 * REQUEST_ID_BYTES];
	char traceparent[sizeof TRACE + TRACEPARENT_LEN];
	struct curl_slist lines[3];    /* the header lines that differ from call to call; see write_lines() */
	struct http_original original; /* more of them, if the body is the webhook's */
	struct curl_slist more[HTTP_ORIGINAL_LINES_MAX];
	int64_t started_ms;

	struct response response;
	int socket_errno; /* why this machine has no socket for it, or cannot watch it; 0: it has and can */
	bool sent;        /* curl has begun to send the request */
	bool repeats;     /* curl wanted to send it again, on another connection */
	char error[CURL_ERROR_SIZE];
};

LIST_HEAD(transfers, transfer);

struct processor {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;           /* runs curl at the time for which it asked */
	struct event *end_not_started; /* ends the calls in not_started */
	struct curl_slist *common;     /* the header lines of all calls */
	const struct settings *settings;
	struct transfers under_way, idle;
	TAILQ_HEAD(, call) not_started; /* calls that could not be started; start() must not end them itself */
	call_ended *ended;
	void *ctx;
};

/* ---- receiving the response; to return anything but the length makes curl end the call ---- */

static size_t processor_http_on_line(char *line, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	return response_line(&t->response, line, size * count) ? size * count : 0;
}

static size_t processor_http_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	struct transfer *t = arg;
	return response_body(&t->response, size * count) ? size * count : 0;
}

/* Opens a connection's socket in curl's place, which would not report why there is none. */
static curl_socket_t processor_http_on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	struct transfer *t = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd < 0)
		t->socket_errno = errno;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int processor_http_on_request(void *arg, char *server, char *local, int server_port, int local_port)
{
	(void)server, (void)local, (void)server_port, (void)local_port;
	struct transfer *t = arg;
	t->repeats = t->sent;
	t->sent = true;
	return t->repeats ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- transfers ---- */

static void transfer_destroy(struct transfer *t)
{
	if (!t)
		return;
	curl_easy_cleanup(t->easy);
	buf_finish(&t->body);
	buf_finish(&t->key);
	buf_finish(&t->original.text);
	free(t);
}

/* A curl that was built without HTTP/2 returns an error for CURL_HTTP_VERSION_2TLS and uses HTTP/1.1, so that result is
 * ignored. */
static int set_request(struct transfer *t, const struct settings *s)
{
	int bad = 0;
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_URL, s->processor_url);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "payhook/" PAYHOOK_VERSION);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, processor_http_on_line);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, processor_http_on_body);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, processor_http_on_open_socket);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, processor_http_on_request);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error);
	bad |= (int)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	return bad;
}

static struct transfer *transfer_create(struct processor *p)
{
	struct transfer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->processor = p;
	t->body = BUF_INIT(HTTP_CALL_BODY_MAX);
	t->key = BUF_INIT(HTTP_CALL_KEY_MAX + sizeof KEY);
	t->original.text = BUF_INIT(HTTP_ORIGINAL_BYTES_MAX);
	t->easy = curl_easy_init();
	if (!t->easy || !http_options_set(t->easy, p->settings) || set_request(t, p->settings)) {
		transfer_destroy(t);
		return NULL;
	}
	return t;
}

/* Writes the traceparent header (W3C Trace Context).  The span id of a call is the first half of its request id, so
 * that either leads to the other in logs.  False: the webhook had no trace, or the span id is all zero, which is not
 * allowed and happens in one call of 2^64. */
static bool write_trace(struct transfer *t, const struct job *j)
{
	char span_id[SPAN_ID_LEN + 1];
	struct traceparent trace;
	snprintf(span_id, sizeof span_id, "%s", t->request_id + strlen(REQUEST_ID));
	if (!traceparent_child(j->traceparent, span_id, &trace))
		return false;
	snprintf(t->traceparent, sizeof t->traceparent, "%s%s", TRACE, trace.text);
	return true;
}

/* Links the call's own header lines before the common ones.  The list is built here, not by curl_slist_append(), so
 * nothing is allocated for a call, and nothing can fail. */
static void write_lines(struct transfer *t, const struct job *j)
{
	unsigned char random[REQUEST_ID_BYTES];
	arc4random_buf(random, sizeof random);
	int at = snprintf(t->request_id, sizeof t->request_id, "%s", REQUEST_ID);
	for (size_t i = 0; i < sizeof random; i++)
		at += snprintf(t->request_id + at, sizeof t->request_id - (size_t)at, "%02x", random[i]);
	struct curl_slist *common = t->processor->common;
	for (int i = t->original.count - 1; i >= 0; i--) {
		t->more[i] = (struct curl_slist){.data = t->original.text.data + t->original.at[i], .next = common};
		common = &t->more[i];
	}
	t->lines[0] = (struct curl_slist){.data = t->key.data, .next = &t->lines[1]};
	t->lines[2] = (struct curl_slist){.data = t->traceparent, .next = common};
	struct curl_slist *rest = write_trace(t, j) ? &t->lines[2] : common;
	t->lines[1] = (struct curl_slist){.data = t->request_id, .next = rest};
}

static bool sends_original(const struct processor *p)
{
	return p->settings->processor_body == PROCESSOR_BODY_ORIGINAL;
}

static const struct call_outcome NO_MEMORY = {
	.result = CALL_POSTPONED, .pause_ms = -1, .why = "this machine could not make the call: out of memory"};
static const struct call_outcome NO_TRANSACTION = {
	.result = CALL_ABSENT, .pause_ms = -1, .why = "the transaction is not in the database any more"};
static const struct call_outcome NO_REQUEST = {.result = CALL_ABSENT,
	.pause_ms = -1,
	.why = "its request is not kept, and PROCESSOR_BODY=original sends nothing else"};
static const struct call_outcome NO_HEADERS = {
	.result = CALL_ABSENT, .pause_ms = -1, .why = "the headers that are kept with its request cannot be sent"};

/* Why there is nothing to send; NULL: there is something. */
static const struct call_outcome *find_nothing(const struct processor *p, const struct job *j)
{
	if (!j->created_at)
		return &NO_TRANSACTION;
	return j->body || !sends_original(p) ? NULL : &NO_REQUEST;
}

/* Sets the bytes that are sent, which are the job's own if they are the webhook's.  False: memory is exhausted. */
static bool set_body(struct transfer *t, const char *bytes, size_t len)
{
	return curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, bytes) == CURLE_OK &&
	       curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)len) == CURLE_OK;
}

/* Writes the request.  Returns NULL, or why it cannot be made. */
static const struct call_outcome *processor_http_prepare(struct transfer *t, const struct job *j)
{
	bool original = sends_original(t->processor);
	buf_reset(&t->body, HTTP_CALL_BODY_MAX + 1);
	buf_reset(&t->key, HTTP_CALL_KEY_MAX + sizeof KEY);
	if (original && !http_original_lines(&t->original, j))
		return &NO_HEADERS;
	if (!original)
		http_call_body(&t->body, j);
	buf_add_text(&t->key, KEY);
	http_call_key(&t->key, j);
	if (!buf_ok(&t->body) || !buf_ok(&t->key) || !buf_ok(&t->original.text))
		return &NO_MEMORY;
	write_lines(t, j);
	t->response = (struct response){0};
	t->socket_errno = 0;
	t->sent = t->repeats = false;
	t->error[0] = '\0';
	t->started_ms = clock_ms();
	bool set = original ? set_body(t, j->body, j->body_len) : set_body(t, t->body.data, t->body.len);
	return set ? NULL : &NO_MEMORY;
}

/* ---- the end of a call ---- */

/* Why there is no whole answer; NULL: there is one. */
static const char *transfer_error(const struct transfer *t, CURLcode result)
{
	if (result == CURLE_OK)
		return NULL;
	if (t->repeats)
		return "the connection was closed before it answered";
	return *t->error ? t->error : curl_easy_strerror(result);
}

/* The transfer becomes idle only after ended() has returned: the outcome's request id lies in it, and a call that
 * ended() might start must not overwrite it. */
static void processor_http_outcome(struct processor *p, struct transfer *t, CURLcode result)
{
	struct call *c = t->call;
	char why[RESPONSE_WHY_MAX];
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	const char *error = transfer_error(t, result);
	struct call_outcome o = response_outcome(&t->response, (int)status, error, time(NULL), why);
	const char *own = error ? http_failure_own(t->easy, result, t->socket_errno) : NULL;
	if (own) {
		o = (struct call_outcome){.result = CALL_POSTPONED, .pause_ms = -1, .why = why};
		snprintf(why, sizeof why, "this machine could not make the call: %s", own);
	}
	o.request_id = t->request_id + strlen(REQUEST_ID);
	LOG(LOG_LEVEL_DEBUG, "call finished", LOG_TEXT("transaction_id", c->job->transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(c->job->traceparent)), LOG_NUMBER("attempt", c->job->attempt),
		LOG_TEXT("request_id", o.request_id), LOG_NUMBER("status", status),
		LOG_NUMBER("ms", clock_ms() - t->started_ms));
	curl_multi_remove_handle(p->multi, t->easy);
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

/* ---- curl and the loop ---- */

/* Lets curl act on a socket or on its timer, then ends the calls that curl reports as done.  ended() may cancel other
 * calls; curl then discards its pending messages about them, so they cannot end twice. */
static void act(struct processor *p, curl_socket_t fd, int events)
{
	int running, left;
	curl_multi_socket_action(p->multi, fd, events, &running);
	const CURLMsg *m;
	while ((m = curl_multi_info_read(p->multi, &left))) {
		void *t = NULL;
		CURLcode result = m->data.result;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		processor_http_outcome(p, t, result);
	}
}

static void processor_http_on_socket(evutil_socket_t fd, short what, void *arg)
{
	act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void processor_http_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* curl asks for other events on a socket, or for none.  If memory is exhausted and the socket cannot be watched, its
 * call ends by its time limit, which then does not count as the processor's: to return an error here would make curl abort all
 * transfers of the multi handle, for good. */
static int processor_http_on_curl_socket(CURL *easy, curl_socket_t fd, int wanted, void *arg, void *socket_event)
{
	struct processor *p = arg;
	struct event *e = socket_event;
	if (e)
		event_free(e);
	e = NULL;
	if (wanted != CURL_POLL_REMOVE) {
		short what = (short)((wanted & CURL_POLL_IN ? EV_READ : 0) | (wanted & CURL_POLL_OUT ? EV_WRITE : 0));
		e = event_new(p->base, fd, (short)(what | EV_PERSIST), processor_http_on_socket, p);
		struct transfer *t = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
		if ((!e || event_add(e, NULL)) && t)
			t->socket_errno = ENOMEM;
	}
	curl_multi_assign(p->multi, fd, e);
	return 0;
}

/* curl sets its timer; -1 deletes it.  curl must not be called from inside its own callbacks, so even a timeout of 0
 * goes through the event loop. */
static int processor_http_on_curl_timer(CURLM *multi, long ms, void *arg)
{
	(void)multi;
	struct processor *p = arg;
	struct timeval tv = clock_timeval(ms);
	if (ms < 0)
		event_del(p->timer);
	else
		event_add(p->timer, &tv);
	return 0;
}

/* ---- the interface ---- */

/* Reuses an idle transfer, or creates one.  There are never more transfers than the largest number of concurrent
 * calls. */
static void processor_http_start(struct processor *p, struct call *c)
{
	const struct call_outcome *why = find_nothing(p, c->job);
	struct transfer *t = why ? NULL : LIST_FIRST(&p->idle);
	if (t)
		LIST_REMOVE(t, next);
	else if (!why)
		t = transfer_create(p);
	if (t)
		why = processor_http_prepare(t, c->job);
	if (t && !why && curl_multi_add_handle(p->multi, t->easy) == CURLM_OK) {
		t->call = c;
		c->transfer = t;
		LIST_INSERT_HEAD(&p->under_way, t, next);
		return;
	}
	if (t)
		LIST_INSERT_HEAD(&p->idle, t, next);
	c->transfer = NULL;
	c->not_started = why ? why : &NO_MEMORY;
	TAILQ_INSERT_TAIL(&p->not_started, c, under_way);
	event_active(p->end_not_started, EV_TIMEOUT, 0);
}

/* For an HTTP/1.1 call curl closes the connection, because its response may still come; an HTTP/2 stream is reset. */
static bool processor_http_cancel(struct processor *p, struct call *c)
{
	struct transfer *t = c->transfer;
	if (!t) {
		TAILQ_REMOVE(&p->not_started, c, under_way);
		return false;
	}
	curl_multi_remove_handle(p->multi, t->easy);
	LIST_REMOVE(t, next);
	LIST_INSERT_HEAD(&p->idle, t, next);
	c->transfer = NULL;
	return t->sent;
}

/* A response may come at any time, so any call under way may end in time. */
static bool processor_http_ends_by(const struct processor *p, int64_t when_ms)
{
	(void)when_ms;
	return !LIST_EMPTY(&p->under_way) || !TAILQ_EMPTY(&p->not_started);
}

/* Calls under way are dropped without touching their memory, which the worker may have freed. */
static void processor_http_destroy(struct processor *p)
{
	if (!p)
		return;
	for (struct transfer *t = LIST_FIRST(&p->under_way), *next; t; t = next) {
		next = LIST_NEXT(t, next);
		curl_multi_remove_handle(p->multi, t->easy);
		transfer_destroy(t);
	}
	for (struct transfer *t = LIST_FIRST(&p->idle), *next; t; t = next) {
		next = LIST_NEXT(t, next);
		transfer_destroy(t);
	}
	curl_multi_cleanup(p->multi);
	curl_slist_free_all(p->common);
	if (p->timer)
		event_free(p->timer);
	if (p->end_not_started)
		event_free(p->end_not_started);
	free(p);
	curl_global_cleanup();
}

/* An empty "Expect:" keeps curl from waiting for a 100 (Continue) before it sends the body.  A webhook has its own
 * type. */
static bool add_common_lines(struct processor *p)
{
	static const char *const LINES[] = {"Expect:", "Content-Type: application/json"};
	for (size_t i = 0; i < (sends_original(p) ? 1 : COUNT_OF(LINES)); i++) {
		struct curl_slist *longer = curl_slist_append(p->common, LINES[i]);
		if (!longer)
			return false;
		p->common = longer;
	}
	return true;
}

/* curl keeps as many idle connections as there can be concurrent calls.  Its default follows the handles in use at
 * the moment, so connections would be closed between two bursts. */
static bool open_multi(struct processor *p)
{
	p->multi = curl_multi_init();
	return p->multi && !curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, processor_http_on_curl_socket) &&
	       !curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) &&
	       !curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, processor_http_on_curl_timer) &&
	       !curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) &&
	       !curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)p->settings->worker_slots);
}

static struct processor *processor_http_create(
	struct event_base *base, const struct settings *s, call_ended *ended, void *ctx)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return NULL;
	struct processor *p = calloc(1, sizeof *p);
	if (!p) {
		curl_global_cleanup();
		return NULL;
	}
	p->base = base;
	p->settings = s;
	p->ended = ended;
	p->ctx = ctx;
	LIST_INIT(&p->under_way);
	LIST_INIT(&p->idle);
	TAILQ_INIT(&p->not_started);
	p->timer = evtimer_new(base, processor_http_on_timer, p);
	p->end_not_started = event_new(base, -1, 0, processor_http_on_not_started, p);
	if (!p->timer || !p->end_not_started || !add_common_lines(p) || !open_multi(p)) {
		processor_http_destroy(p);
		return NULL;
	}
	/* Each call may need a connection.  Calls beyond the hard limit fail temporarily. */
	descriptors_raise(s->worker_slots + SPARE_DESCRIPTORS);
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
};
