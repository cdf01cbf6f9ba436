/* http_transfer.c - the request of a call as curl takes it, and the outcome of its response.
 *
 * A call is one request.  curl by itself would send a request once more, up to five times, if a kept connection is closed
 * before its answer: calls of which no attempt is recorded.  The second request is stopped before it is sent, and the
 * call fails, to be retried as any other.  The meaning of a response is decided in http_call.c. */

#include "http_transfer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http_failure.h"
#include "http_options.h"
#include "oauth_token.h"

#define TRANSFER_TOKEN_MAX (OAUTH_TOKEN_MAX + 64)

/* ---- receiving the response; to return anything but the length makes curl end the call ---- */

static size_t transfer_on_line(char *line, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	return response_line(&t->response, line, size * count) ? size * count : 0;
}

static size_t transfer_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	struct transfer *t = arg;
	return response_body(&t->response, size * count) ? size * count : 0;
}

static int transfer_on_request(void *arg, char *server, char *local, int server_port, int local_port)
{
	(void)server, (void)local, (void)server_port, (void)local_port;
	struct transfer *t = arg;
	t->repeats = t->sent;
	t->sent = true;
	return t->repeats ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* ---- transfers ---- */

void transfer_destroy(struct transfer *t)
{
	if (!t)
		return;
	http_request_finish(&t->request);
	buf_finish(&t->body);
	buf_finish(&t->key);
	buf_finish(&t->signed_id);
	if (t->token.data)
		explicit_bzero(t->token.data, t->token.cap);
	buf_finish(&t->token);
	buf_finish(&t->original.text);
	free(t);
}

/* A curl that was built without HTTP/2 returns an error for CURL_HTTP_VERSION_2TLS and uses HTTP/1.1, so that result is
 * ignored. */
static int set_request(struct transfer *t, const struct settings *s)
{
	CURL *easy = t->request.easy;
	int bad = 0;
	bad |= (int)curl_easy_setopt(easy, CURLOPT_URL, s->processor_url);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_USERAGENT, "payhook/" PAYHOOK_VERSION);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->lines);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, transfer_on_line);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, transfer_on_request);
	bad |= (int)curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	return bad;
}

struct transfer *transfer_create(const struct call_options *o, void (*ended)(struct http_request *x, CURLcode result))
{
	struct transfer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->options = o;
	t->body = BUF_INIT(HTTP_CALL_BODY_MAX);
	t->key = BUF_INIT(HTTP_CALL_KEY_MAX + sizeof TRANSFER_KEY);
	t->signed_id = BUF_INIT(HTTP_CALL_KEY_MAX + sizeof TRANSFER_SIGNED_ID);
	t->token = BUF_INIT(TRANSFER_TOKEN_MAX);
	t->original.text = BUF_INIT(HTTP_ORIGINAL_BYTES_MAX);
	if (!http_request_init(&t->request, ended) || !http_options_set(t->request.easy, o) ||
		set_request(t, o->settings)) {
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
	snprintf(span_id, sizeof span_id, "%s", t->request_id + strlen(TRANSFER_REQUEST_ID));
	if (!traceparent_child(j->traceparent, span_id, &trace))
		return false;
	snprintf(t->traceparent, sizeof t->traceparent, "%s%s", TRANSFER_TRACE, trace.text);
	return true;
}

static void write_request_id(struct transfer *t)
{
	unsigned char random[TRANSFER_REQUEST_ID_BYTES];
	arc4random_buf(random, sizeof random);
	int at = snprintf(t->request_id, sizeof t->request_id, "%s", TRANSFER_REQUEST_ID);
	for (size_t i = 0; i < sizeof random; i++)
		at += snprintf(t->request_id + at, sizeof t->request_id - (size_t)at, "%02x", random[i]);
}

static void add_line(struct transfer *t, char *line)
{
	t->lines[t->line_count++] = (struct curl_slist){.data = line};
}

/* Signs the request; its id is the idempotency key: all calls of a transaction have the same one, as Standard Webhooks
 * wants it.  False: memory is exhausted. */
static bool sign(struct transfer *t, const char *body, size_t len)
{
	const struct call_signer *s = &t->options->signer;
	if (s->count == 0)
		return true;
	int64_t now_s = time(NULL);
	const char *id = t->key.data + strlen(TRANSFER_KEY);
	buf_reset(&t->signed_id, HTTP_CALL_KEY_MAX + sizeof TRANSFER_SIGNED_ID);
	buf_add_format(&t->signed_id, "%s%s", TRANSFER_SIGNED_ID, id);
	snprintf(t->signed_at, sizeof t->signed_at, "%s%" PRId64, TRANSFER_SIGNED_AT, now_s);
	size_t at = (size_t)snprintf(t->signatures, sizeof t->signatures, "%s", TRANSFER_SIGNATURES);
	if (!buf_ok(&t->signed_id) || !call_signer_sign(s, id, now_s, body, len, t->signatures + at))
		return false;
	add_line(t, t->signed_id.data);
	add_line(t, t->signed_at);
	add_line(t, t->signatures);
	return true;
}

/* Whether a line is of the headers of Standard Webhooks, under its own names or Svix's, which receivers look for first. */
static bool is_of_signature(const char *line)
{
	static const char *const PREFIXES[] = {"webhook-", "svix-"};
	for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
		if (strncmp(line, PREFIXES[i], strlen(PREFIXES[i])) == 0)
			return true;
	}
	return false;
}

/* The provider's headers, but for those that the operator's file sets.  If payhook signs the call, the provider's own
 * signature of the same scheme is left out: nobody could know the two apart. */
static void add_original(struct transfer *t)
{
	const struct call_options *o = t->options;
	for (int i = 0; i < t->original.count; i++) {
		char *line = t->original.text.data + t->original.at[i];
		if (!(o->signer.count > 0 && is_of_signature(line)) && !call_headers_have(&o->headers, line))
			add_line(t, line);
	}
}

/* Links the call's own header lines before the common ones.  The list is built here, not by curl_slist_append(), so
 * nothing is allocated for a call, and nothing can fail. */
static void link_lines(struct transfer *t, struct curl_slist *common)
{
	for (int i = 0; i < t->line_count; i++)
		t->lines[i].next = i + 1 < t->line_count ? &t->lines[i + 1] : common;
}

/* Writes the header lines for a request with this body.  False: memory is exhausted. */
static bool write_lines(
	struct transfer *t, const struct job *j, const char *body, size_t len, struct curl_slist *common)
{
	t->line_count = 0;
	write_request_id(t);
	add_line(t, t->key.data);
	add_line(t, t->request_id);
	if (write_trace(t, j))
		add_line(t, t->traceparent);
	if (t->token.len > 0)
		add_line(t, t->token.data);
	if (!sign(t, body, len))
		return false;
	add_original(t);
	link_lines(t, common);
	return true;
}

const struct call_outcome TRANSFER_NO_MEMORY = {
	.result = CALL_POSTPONED, .pause_ms = -1, .why = "this machine could not make the call: out of memory"};
static const struct call_outcome NO_TRANSACTION = {
	.result = CALL_ABSENT, .pause_ms = -1, .why = "the transaction is not in the database any more"};
static const struct call_outcome NO_REQUEST = {.result = CALL_ABSENT,
	.pause_ms = -1,
	.why = "its request is not kept, and PROCESSOR_BODY=original sends nothing else"};
static const struct call_outcome NO_HEADERS = {
	.result = CALL_ABSENT, .pause_ms = -1, .why = "the headers that are kept with its request cannot be sent"};

/* Sets the bytes that are sent, which are the job's own if they are the webhook's.  False: memory is exhausted. */
static bool set_body(struct transfer *t, const char *bytes, size_t len)
{
	return curl_easy_setopt(t->request.easy, CURLOPT_POSTFIELDS, bytes) == CURLE_OK &&
	       curl_easy_setopt(t->request.easy, CURLOPT_POSTFIELDSIZE, (long)len) == CURLE_OK;
}

/* The token may be replaced while the call is under way, and curl does not copy the line.  The buffer has its whole size
 * from the start, so that wiping it wipes every copy. */
static bool copy_token(struct transfer *t, const char *token)
{
	buf_reset(&t->token, TRANSFER_TOKEN_MAX + 1);
	if (!token)
		return true;
	if (!buf_room(&t->token, TRANSFER_TOKEN_MAX))
		return false;
	buf_add_text(&t->token, token);
	return buf_ok(&t->token);
}

/* Why there is nothing to send; NULL: there is something. */
static const struct call_outcome *find_nothing(const struct job *j, bool original)
{
	if (!j->created_at)
		return &NO_TRANSACTION;
	return j->body || !original ? NULL : &NO_REQUEST;
}

const struct call_outcome *transfer_prepare(
	struct transfer *t, const struct job *j, struct curl_slist *common, const char *token)
{
	bool original = t->options->settings->processor_body == PROCESSOR_BODY_ORIGINAL;
	const struct call_outcome *nothing = find_nothing(j, original);
	if (nothing)
		return nothing;
	buf_reset(&t->body, HTTP_CALL_BODY_MAX + 1);
	buf_reset(&t->key, HTTP_CALL_KEY_MAX + sizeof TRANSFER_KEY);
	if (original && !http_original_lines(&t->original, j))
		return &NO_HEADERS;
	if (!original)
		http_call_body(&t->body, j);
	if (!copy_token(t, token))
		return &TRANSFER_NO_MEMORY;
	buf_add_text(&t->key, TRANSFER_KEY);
	http_call_key(&t->key, j);
	if (!buf_ok(&t->body) || !buf_ok(&t->key) || !buf_ok(&t->original.text))
		return &TRANSFER_NO_MEMORY;
	t->response = (struct response){0};
	t->sent = t->repeats = false;
	t->started_ms = clock_ms();
	const char *body = original ? j->body : t->body.data;
	size_t len = original ? j->body_len : t->body.len;
	return write_lines(t, j, body, len, common) && set_body(t, body, len) ? NULL : &TRANSFER_NO_MEMORY;
}

/* ---- the end of a call ---- */

/* Why there is no whole answer; NULL: there is one. */
static const char *transfer_error(const struct transfer *t, CURLcode result)
{
	if (result == CURLE_OK)
		return NULL;
	if (t->repeats)
		return "the connection was closed before it answered";
	return *t->request.error ? t->request.error : curl_easy_strerror(result);
}

struct call_outcome transfer_outcome(
	const struct transfer *t, CURLcode result, char why[RESPONSE_WHY_MAX], int *ret_status)
{
	CURL *easy = t->request.easy;
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
	const char *error = transfer_error(t, result);
	struct call_outcome o = response_outcome(&t->response, (int)status, error, time(NULL), why);
	const char *own = error ? http_failure_own(easy, result, t->request.socket_errno) : NULL;
	if (own) {
		o = (struct call_outcome){.result = CALL_POSTPONED, .pause_ms = -1, .why = why};
		snprintf(why, RESPONSE_WHY_MAX, "this machine could not make the call: %s", own);
	}
	o.request_id = t->request_id + strlen(TRANSFER_REQUEST_ID);
	return o;
}
