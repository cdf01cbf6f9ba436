/* http_call.c - what is said to an HTTP processor, and what its answer means. */

#include "http_call.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "queue/retry_policy.h"

#define SOURCE "transactions" /* the built-in one */

static void http_call_add_text(struct buf *b, const char *name, const char *text)
{
	buf_add_format(b, "\"%s\":\"", name);
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\"");
}

void http_call_body(struct buf *b, const struct job *j)
{
	buf_add_text(b, "{");
	http_call_add_text(b, "transaction_id", j->transaction_id);
	buf_add_text(b, ",");
	http_call_add_text(b, "source_account", j->source_account);
	buf_add_text(b, ",");
	http_call_add_text(b, "destination_account", j->destination_account);
	buf_add_format(b, ",\"amount\":%s,", j->amount);
	http_call_add_text(b, "currency", j->currency);
	buf_add_text(b, ",");
	http_call_add_text(b, "created_at", j->created_at);
	buf_add_text(b, "}");
}

/* The slash too, so that the one between source and transaction_id is the only one: else transaction "a/b" of the
 * built-in source and transaction "b" of source "a" would be one to the processor, and the second never be done. */
static void add_encoded(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text > ' ' && *text <= '~' && *text != '%' && *text != '/')
			buf_add(b, text, 1);
		else
			buf_add_format(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void http_call_key(struct buf *b, const struct job *j)
{
	if (strcmp(j->source, SOURCE) != 0) {
		add_encoded(b, j->source);
		buf_add_text(b, "/");
	}
	add_encoded(b, j->transaction_id);
}

/* Takes the value of a Retry-After line, without the space around it. */
static void take_retry_after(struct response *a, const char *line, size_t len)
{
	static const char NAME[] = "Retry-After:";
	size_t name_len = sizeof NAME - 1;
	if (len < name_len || strncasecmp(line, NAME, name_len) != 0)
		return;
	const char *value = line + name_len, *outcome = line + len;
	while (value < outcome && (*value == ' ' || *value == '\t'))
		value++;
	while (value < outcome &&
		(outcome[-1] == ' ' || outcome[-1] == '\t' || outcome[-1] == '\r' || outcome[-1] == '\n'))
		outcome--;
	size_t value_len = (size_t)(outcome - value);
	if (value_len >= sizeof a->retry_after)
		return;
	memcpy(a->retry_after, value, value_len);
	a->retry_after[value_len] = '\0';
}

bool response_line(struct response *a, const char *line, size_t len)
{
	a->head_bytes += len;
	if (a->head_bytes > RESPONSE_HEAD_MAX)
		return false;
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		a->in_head = true;
		a->retry_after[0] = '\0';
	} else if (a->in_head) {
		take_retry_after(a, line, len);
		a->in_head = line[0] != '\r' && line[0] != '\n';
	}
	return true;
}

bool response_body(struct response *a, size_t len)
{
	a->body_bytes += len;
	return a->body_bytes <= RESPONSE_BODY_MAX;
}

static enum call_result result(int status)
{
	if (status >= 200 && status < 300)
		return CALL_DONE;
	bool later = status == 408 || status == 425 || status == 429;
	return status >= 300 && status < 500 && !later ? CALL_GIVE_UP : CALL_AGAIN;
}

/* Whoever speaks to the processor may quote it; what is kept is fit for any log and any column. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

struct call_outcome response_outcome(
	const struct response *a, int status, const char *error, time_t now, char why[RESPONSE_WHY_MAX])
{
	if (a->head_bytes > RESPONSE_HEAD_MAX)
		error = "its head is too long";
	else if (a->body_bytes > RESPONSE_BODY_MAX)
		error = NULL; /* the status has come, and the body counts for nothing */
	struct call_outcome o = {.result = error ? CALL_AGAIN : result(status), .pause_ms = -1, .why = why};
	if (o.result == CALL_AGAIN)
		o.pause_ms = retry_policy_after_ms(a->retry_after, now);
	if (!error)
		snprintf(why, RESPONSE_WHY_MAX, "HTTP %d from the processor%s", status,
			status >= 300 && status < 400 ? ": redirects are not followed" : "");
	else if (status)
		snprintf(why, RESPONSE_WHY_MAX, "HTTP %d from the processor, but no whole answer: %s", status, error);
	else
		snprintf(why, RESPONSE_WHY_MAX, "no answer from the processor: %s", error);
	make_printable(why);
	return o;
}
