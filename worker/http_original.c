/* http_original.c - the header lines of a call that carries a webhook as it came.
 *
 * A sender chose the values of the kept headers, and the operator the names of some.  So a line is written only if its
 * name is a token that payhook does not set itself and that has no meaning for a connection, and its value has no
 * control character: no value can begin a line of its own. */

#include "http_original.h"

#include <string.h>

#include "http_call.h"
#include "json/scan.h"
#include "json/value.h"

#define NAME_MAX 256
#define VALUE_MAX (32 * 1024) /* nginx takes a header of 8 KiB at most */

static const char TOKEN[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";

/* Names of kept headers that are not sent.  Those of RFC 9110, 7.6.1 and 8, end at each hop or describe the message
 * that curl writes. */
static const char *const NOT_SENT[] = {"accept-encoding", "authorization", "connection", "content-length",
	"content-type", "cookie", "expect", "host", "http2-settings", "idempotency-key", "keep-alive", "te",
	"traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-request-id"};
static const char *const NOT_SENT_PREFIXES[] = {"proxy-", "x-payhook-"};

static bool is_sent(const char *name)
{
	if (!*name || name[strspn(name, TOKEN)])
		return false;
	for (size_t i = 0; i < COUNT_OF(NOT_SENT); i++) {
		if (strcmp(name, NOT_SENT[i]) == 0)
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(NOT_SENT_PREFIXES); i++) {
		if (strncmp(name, NOT_SENT_PREFIXES[i], strlen(NOT_SENT_PREFIXES[i])) == 0)
			return false;
	}
	return true;
}

static bool is_value(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool begin_line(struct http_original *o)
{
	if (o->count == HTTP_ORIGINAL_LINES_MAX)
		return false;
	o->at[o->count++] = o->text.len;
	return true;
}

static void end_line(struct http_original *o)
{
	buf_add(&o->text, "", 1);
}

/* curl leaves out a line without a value, unless it is written with a semicolon. */
static bool add_kept(struct http_original *o, const char *name, const char *value, size_t len)
{
	if (!begin_line(o))
		return false;
	buf_add_text(&o->text, name);
	buf_add_text(&o->text, len > 0 ? ": " : ";");
	buf_add(&o->text, value, len);
	end_line(o);
	return true;
}

/* One of payhook's own; none if the transaction has no such value. */
static void add_own(struct http_original *o, const char *name, const char *value)
{
	if (!value || !begin_line(o))
		return;
	buf_add_text(&o->text, name);
	buf_add_text(&o->text, ": ");
	http_call_encode(&o->text, value, "%");
	end_line(o);
}

/* Without a usable type the line has no value, which keeps curl from sending the type of a form. */
static void add_content_type(struct http_original *o, const char *type)
{
	if (!begin_line(o))
		return;
	buf_add_text(&o->text, "Content-Type: ");
	if (type && is_value(type, strlen(type)))
		buf_add_text(&o->text, type);
	end_line(o);
}

static void add_all_own(struct http_original *o, const struct job *j)
{
	const struct {
		const char *name, *value;
	} own[] = {{"X-Payhook-Transaction-Id", j->transaction_id}, {"X-Payhook-Source", j->source},
		{"X-Payhook-Created-At", j->created_at}, {"X-Payhook-Source-Account", j->source_account},
		{"X-Payhook-Destination-Account", j->destination_account}, {"X-Payhook-Amount", j->amount},
		{"X-Payhook-Currency", j->currency}, {"X-Payhook-Kind", j->kind},
		{"X-Payhook-Payment-Id", j->payment_id}, {"X-Payhook-Occurred-At", j->occurred_at}};
	for (size_t i = 0; i < COUNT_OF(own); i++)
		add_own(o, own[i].name, own[i].value);
}

bool http_original_lines(struct http_original *ret, const struct job *j)
{
	static char text[VALUE_MAX]; /* too large for the stack */
	char name[NAME_MAX];
	struct json_value key, value;
	struct fault f;
	size_t len, headers_len = j->headers ? strlen(j->headers) : 0;
	ret->count = 0;
	buf_reset(&ret->text, HTTP_CALL_BODY_MAX);
	add_content_type(ret, j->content_type);
	add_all_own(ret, j);
	if (headers_len > HTTP_ORIGINAL_KEPT_MAX || !json_scan(j->headers ? j->headers : "", headers_len, &f) ||
		json_value_kind(json_value_of(j->headers, headers_len)) != JSON_IS_OBJECT)
		return false;
	for (struct json_walk w = json_walk_into(json_value_of(j->headers, headers_len));
		json_walk_next(&w, &key, &value);) {
		if (!json_value_text(key, name, sizeof name, &len) || !is_sent(name))
			continue;
		if (!json_value_text(value, text, sizeof text, &len) || !is_value(text, len))
			continue;
		if (!add_kept(ret, name, text, len))
			return false;
	}
	return true;
}
