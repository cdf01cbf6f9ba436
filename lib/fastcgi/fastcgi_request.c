/* fastcgi_request.c - reads the parameters and the body of a request, and reports why that failed.
 *
 * libfcgi reports the end of a body and a failed read alike, as fewer bytes than asked for; only FCGX_GetError()
 * distinguishes them.  A clean end is not enough either: after an FCGI_ABORT_REQUEST the bytes are fewer than nginx
 * announced.  Therefore a body counts as read only if it ended without an error and has its length. */

#include "fastcgi/fastcgi_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* libfcgi's errors are an errno, or its own negative numbers. */
static enum body_end broken(FCGX_Stream *in, size_t got, unsigned long long length, struct fault *why)
{
	int error = FCGX_GetError(in);
	if (error == EAGAIN || error == EWOULDBLOCK)
		fault_set(why, FAULT_BUSY, "nginx sent no more after %zu of %llu bytes of the body", got, length);
	else if (error > 0)
		fault_set(why, FAULT_BUSY, "after %zu of %llu bytes of the body: %s", got, length, strerror(error));
	else if (error < 0)
		fault_set(why, FAULT_BUSY, "after %zu of %llu bytes of the body: FastCGI error %d", got, length, error);
	else
		fault_set(why, FAULT_BUSY, "the body ended after %zu bytes, of %llu announced", got, length);
	return BODY_BROKEN;
}

enum body_end fastcgi_request_body(
	FCGX_Stream *in, const char *content_length, size_t limit, struct buf *ret, struct fault *why)
{
	unsigned long long length = strtoull(content_length, NULL, 10);
	size_t got = 0;
	int n;
	do {
		char piece[BODY_KEEP];
		n = FCGX_GetStr(piece, sizeof piece, in);
		got += (size_t)n;
		if (got <= limit)
			buf_add(ret, piece, (size_t)n);
	} while (n == BODY_KEEP && got < BODY_DRAIN_MOST);
	if (n == BODY_KEEP)
		return BODY_ENDLESS;
	if (FCGX_GetError(in) != 0 || got != length)
		return broken(in, got, length, why);
	if (got > limit)
		return BODY_TOO_LARGE;
	if (buf_ok(ret))
		return BODY_WHOLE;
	fault_set(why, FAULT_BUSY, "no memory for a body of %zu bytes", got);
	return BODY_NO_MEMORY;
}

/* The parameters that a request is read from, in the order in which nginx/server.conf.in sends them.  The last two are
 * headers, and those follow. */
enum param {
	REQUEST_METHOD,
	REQUEST_URI,
	CONTENT_TYPE,
	CONTENT_LENGTH,
	REMOTE_ADDR,
	PAYHOOK_PEER,
	PAYHOOK_CLIENTS,
	PAYHOOK_REQUEST_ID,
	PAYHOOK_CLIENT_VERIFY,
	PAYHOOK_CLIENT_SUBJECT,
	PAYHOOK_METRICS,
	PAYHOOK_CERTIFICATE_EXPIRES,
	HTTP_TRACEPARENT,
	HTTP_CONTENT_ENCODING,
	PARAMS
};

#define NAMED(param) [param] = {#param "=", sizeof #param}

static const struct {
	const char *text; /* the name and "=" */
	size_t len;
} NAMES[PARAMS] = {NAMED(REQUEST_METHOD), NAMED(REQUEST_URI), NAMED(CONTENT_TYPE), NAMED(CONTENT_LENGTH),
	NAMED(REMOTE_ADDR), NAMED(PAYHOOK_PEER), NAMED(PAYHOOK_CLIENTS), NAMED(PAYHOOK_REQUEST_ID),
	NAMED(PAYHOOK_CLIENT_VERIFY), NAMED(PAYHOOK_CLIENT_SUBJECT), NAMED(PAYHOOK_METRICS),
	NAMED(PAYHOOK_CERTIFICATE_EXPIRES), NAMED(HTTP_TRACEPARENT), NAMED(HTTP_CONTENT_ENCODING)};

/* Finds the values in one pass over what was sent; FCGX_GetParam() would go through it for each of them.  The name after the
 * one just found is tried first, and with nginx it is mostly right.  A parameter that is absent becomes "", and of several
 * with one name the first counts. */
static void read_params(char *const *sent, const char *ret[PARAMS])
{
	static const char ABSENT[] = "";
	size_t at = 0;
	for (size_t i = 0; i < PARAMS; i++)
		ret[i] = ABSENT;
	for (; *sent; sent++) {
		for (size_t tried = 0; tried < PARAMS; tried++) {
			size_t i = at;
			at = at + 1 < PARAMS ? at + 1 : 0;
			if (**sent != *NAMES[i].text || strncmp(*sent, NAMES[i].text, NAMES[i].len) != 0)
				continue;
			if (ret[i] == ABSENT)
				ret[i] = *sent + NAMES[i].len;
			break;
		}
	}
}

/* The character of a variable's name that stands for this one of a header's name (RFC 3875, 4.1.18). */
static char variable_char(char c)
{
	if (c == '-')
		return '_';
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* FastCGI passes the header "webhook-id" as the parameter HTTP_WEBHOOK_ID.  Returns what follows the prefix, or NULL. */
static const char *header_of(const char *param)
{
	return *param == 'H' && strncmp(param, "HTTP_", 5) == 0 ? param + 5 : NULL;
}

/* Returns the value if the header has this name, otherwise NULL. */
static const char *header_value(const char *header, const char *name)
{
	for (; *name; name++, header++) {
		if (*header != variable_char(*name))
			return NULL;
	}
	return *header == '=' ? header + 1 : NULL;
}

const char *fastcgi_request_header(char *const *sent, const char *const names[], size_t count)
{
	for (; *sent; sent++) {
		const char *header = header_of(*sent);
		for (size_t i = 0; header && i < count; i++) {
			const char *value = header_value(header, names[i]);
			if (value)
				return value;
		}
	}
	return NULL;
}

bool fastcgi_request_repeats(char *const *sent, const char *name)
{
	int count = 0;
	for (; *sent; sent++) {
		const char *header = header_of(*sent);
		count += header && header_value(header, name);
	}
	return count > 1;
}

/* Without the parameter, as in a site of an earlier version, the address decides. */
static enum clients clients_of(const char *param)
{
	if (strcmp(param, "local") == 0)
		return CLIENTS_LOCAL;
	return strcmp(param, "remote") == 0 ? CLIENTS_REMOTE : CLIENTS_BY_ADDRESS;
}

enum body_end fastcgi_request_read(FCGX_Request *from, size_t limit, struct request *rq, struct fault *why)
{
	const char *params[PARAMS];
	read_params(from->envp, params);
	rq->method = params[REQUEST_METHOD];
	rq->target = params[REQUEST_URI];
	rq->content_type = params[CONTENT_TYPE];
	rq->content_encoding = params[HTTP_CONTENT_ENCODING];
	rq->address = params[REMOTE_ADDR];
	rq->peer = params[PAYHOOK_PEER];
	rq->client_verify = params[PAYHOOK_CLIENT_VERIFY];
	rq->client_subject = params[PAYHOOK_CLIENT_SUBJECT];
	rq->clients = clients_of(params[PAYHOOK_CLIENTS]);
	const char *id = params[PAYHOOK_REQUEST_ID];
	size_t len = strnlen(id, REQUEST_ID_MAX);
	memcpy(rq->id, id, len);
	rq->id[len] = '\0';
	traceparent_parse(params[HTTP_TRACEPARENT], &rq->trace);
	rq->expire = NULL;
	rq->reply.allow = NULL;
	rq->reply.accept_encoding = NULL;
	rq->reply.challenge = NULL;
	rq->reply.retry_after = 0;
	rq->reply.file_name = NULL;
	rq->route = 0;
	rq->outcome = 0;
	rq->source = NULL;
	rq->is_verified = false;
	rq->invalid_code = NULL;
	rq->on_problem = NULL;
	rq->may_see_metrics = *params[PAYHOOK_METRICS];
	rq->certificate_expires = strtoll(params[PAYHOOK_CERTIFICATE_EXPIRES], NULL, 10);
	buf_reset(&rq->body, BODY_KEEP);
	enum body_end end = fastcgi_request_body(from->in, params[CONTENT_LENGTH], limit, &rq->body, why);
	rq->body_too_large = end == BODY_TOO_LARGE || end == BODY_ENDLESS;
	return end;
}
