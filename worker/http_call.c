/* http_call.c - the request for an HTTP processor, and the meaning of its response.
 *
 * Only the status decides about a transaction, and Retry-After about the pause.  The body is never interpreted, logged or
 * stored.  A call is repeated after a timeout or a lost response, though the processor may have done its work; the
 * idempotency key lets it recognise the repetition. */

#include "http_call.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "queue/retry_policy.h"

#define SOURCE "transactions" /* the built-in source */

/* Adds a string, or null if text is NULL.  name includes its quotes, the colon and the comma or brace before it. */
static void http_call_add_text(struct buf *b, const char *name, const char *text)
{
	buf_add_text(b, name);
	if (!text) {
		buf_add_text(b, "null");
		return;
	}
	buf_add_text(b, "\"");
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\"");
}

/* The amount is inserted as it was received, not by way of a double: 1500.10 stays 1500.10.  It stands there as a text
 * too, since clients that are generated from a schema make a double of a number. */
void http_call_body(struct buf *b, const struct job *j)
{
	http_call_add_text(b, "{\"transaction_id\":", j->transaction_id);
	http_call_add_text(b, ",\"source_account\":", j->source_account);
	http_call_add_text(b, ",\"destination_account\":", j->destination_account);
	buf_add_format(b, ",\"amount\":%s", j->amount ? j->amount : "null");
	http_call_add_text(b, ",\"currency\":", j->currency);
	http_call_add_text(b, ",\"created_at\":", j->created_at);
	http_call_add_text(b, ",\"source\":", j->source);
	http_call_add_text(b, ",\"kind\":", j->kind);
	http_call_add_text(b, ",\"payment_id\":", j->payment_id);
	http_call_add_text(b, ",\"occurred_at\":", j->occurred_at);
	http_call_add_text(b, ",\"amount_text\":", j->amount);
	buf_add_text(b, "}");
}

void http_call_encode(struct buf *b, const char *text, const char *also)
{
	for (; *text; text++) {
		if (*text > ' ' && *text <= '~' && !strchr(also, *text))
			buf_add(b, text, 1);
		else
			buf_add_format(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

/* The slash is encoded too, so that the one between source and transaction_id is the only one.  Otherwise transaction
 * "a/b" of the built-in source and transaction "b" of source "a" would have the same key, and the processor would never
 * process the second. */
void http_call_key(struct buf *b, const struct job *j)
{
	if (strcmp(j->source, SOURCE) != 0) {
		http_call_encode(b, j->source, "%/");
		buf_add_text(b, "/");
	}
	http_call_encode(b, j->transaction_id, "%/");
}

/* Keeps the value of a Retry-After line without the blanks around it.  A value that is too long is ignored. */
static void take_retry_after(struct response *r, const char *line, size_t len)
{
	static const char NAME[] = "Retry-After:";
	size_t name_len = sizeof NAME - 1;
	if (len < name_len || strncasecmp(line, NAME, name_len) != 0)
		return;
	const char *value = line + name_len, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (value < end && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r' || end[-1] == '\n'))
		end--;
	size_t value_len = (size_t)(end - value);
	if (value_len >= sizeof r->retry_after)
		return;
	memcpy(r->retry_after, value, value_len);
	r->retry_after[value_len] = '\0';
}

bool response_line(struct response *r, const char *line, size_t len)
{
	r->head_bytes += len;
	if (r->head_bytes > RESPONSE_HEAD_MAX)
		return false;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		r->in_head = true;
		r->retry_after[0] = '\0';
	} else if (r->in_head) {
		take_retry_after(r, line, len);
		r->in_head = line[0] != '\r' && line[0] != '\n';
	}
	return true;
}

bool response_body(struct response *r, size_t len)
{
	r->body_bytes += len;
	return r->body_bytes <= RESPONSE_BODY_MAX;
}

/* RFC 9110, 15: the classes of status codes.  A 4xx means that the request is at fault, so repeating it is useless,
 * except after 408 Request Timeout, 425 Too Early and 429 Too Many Requests.  Redirects are a configuration error:
 * following one would send account numbers to another server.
 *
 * 409 Conflict answers a repeated Idempotency-Key while the first call is still under way
 * (draft-ietf-httpapi-idempotency-key-header, 2.6).  That call may yet succeed, so a 409 is never final by itself, not
 * even at the first attempt: an attempt of 1 does not prove that there was no earlier call.  Calls while the circuit is
 * open are not counted, a crash of the database undoes the claim of a call that was made, and a retry by an operator
 * begins at 1.  Where 409 means another conflict, the job fails when its attempts are used up. */
static enum call_result result_of(int status)
{
	if (status >= 200 && status < 300)
		return CALL_DONE;
	if (status == 409)
		return CALL_UNDER_WAY;
	bool later = status == 408 || status == 425 || status == 429;
	return status >= 300 && status < 500 && !later ? CALL_GIVE_UP : CALL_AGAIN;
}

static const char *explain(int status)
{
	if (status == 409)
		return ": an earlier call with this Idempotency-Key may be under way";
	return status >= 300 && status < 400 ? ": redirects are not followed" : "";
}

/* The error text of a library may quote the peer, so bytes that are not printable ASCII are replaced before it is
 * logged or stored. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (!ascii_is_printable(*text))
			*text = '?';
	}
}

struct call_outcome response_outcome(
	const struct response *r, int status, const char *error, time_t now, char why[RESPONSE_WHY_MAX])
{
	if (r->head_bytes > RESPONSE_HEAD_MAX)
		error = "its head is too long";
	else if (r->body_bytes > RESPONSE_BODY_MAX)
		error = NULL; /* reading was stopped on purpose: the status decides */
	struct call_outcome o = {.result = error ? CALL_AGAIN : result_of(status), .pause_ms = -1, .why = why};
	if (o.result == CALL_AGAIN || o.result == CALL_UNDER_WAY)
		o.pause_ms = retry_policy_after_ms(r->retry_after, now);
	if (o.result == CALL_UNDER_WAY && o.pause_ms < RESPONSE_UNDER_WAY_MS)
		o.pause_ms = RESPONSE_UNDER_WAY_MS;
	if (!error)
		snprintf(why, RESPONSE_WHY_MAX, "HTTP %d from the processor%s", status, explain(status));
	else if (status)
		snprintf(why, RESPONSE_WHY_MAX, "HTTP %d from the processor, but no whole answer: %s", status, error);
	else
		snprintf(why, RESPONSE_WHY_MAX, "no answer from the processor: %s", error);
	make_printable(why);
	return o;
}
