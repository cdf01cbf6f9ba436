/* fastcgi_request.c - reads the parameters and the body of a request, and reports why that failed.
 *
 * libfcgi reports the end of a body and a failed read alike, as fewer bytes than asked for; only FCGX_GetError()
 * distinguishes them.  A clean end is not enough either: after an FCGI_ABORT_REQUEST the bytes are fewer than nginx
 * announced.  Therefore a body counts as read only if it ended without an error and has its length. */

#include "fastcgi_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/payload.h"

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

enum body_end fastcgi_request_body(FCGX_Stream *in, const char *content_length, struct buf *ret, struct fault *why)
{
	unsigned long long length = strtoull(content_length, NULL, 10);
	size_t got = 0;
	int n;
	do {
		char piece[BODY_KEEP];
		n = FCGX_GetStr(piece, sizeof piece, in);
		got += (size_t)n;
		if (got <= PAYLOAD_MAX)
			buf_add(ret, piece, (size_t)n);
	} while (n == BODY_KEEP && got < BODY_DRAIN_MOST);
	if (n == BODY_KEEP)
		return BODY_ENDLESS;
	if (FCGX_GetError(in) != 0 || got != length)
		return broken(in, got, length, why);
	if (got > PAYLOAD_MAX)
		return BODY_TOO_LARGE;
	if (buf_ok(ret))
		return BODY_WHOLE;
	fault_set(why, FAULT_BUSY, "no memory for a body of %zu bytes", got);
	return BODY_NO_MEMORY;
}

static const char *param(FCGX_Request *from, const char *name)
{
	const char *value = FCGX_GetParam(name, from->envp);
	return value ? value : "";
}

/* Without the parameter, as in a site of an earlier version, the address decides. */
static enum clients clients_of(const char *param)
{
	if (strcmp(param, "local") == 0)
		return CLIENTS_LOCAL;
	return strcmp(param, "remote") == 0 ? CLIENTS_REMOTE : CLIENTS_BY_ADDRESS;
}

enum body_end fastcgi_request_read(FCGX_Request *from, struct request *rq, struct fault *why)
{
	rq->method = param(from, "REQUEST_METHOD");
	rq->target = param(from, "REQUEST_URI");
	rq->content_type = param(from, "CONTENT_TYPE");
	rq->address = param(from, "REMOTE_ADDR");
	rq->peer = param(from, "PAYHOOK_PEER");
	rq->client_verify = param(from, "PAYHOOK_CLIENT_VERIFY");
	rq->client_subject = param(from, "PAYHOOK_CLIENT_SUBJECT");
	rq->clients = clients_of(param(from, "PAYHOOK_CLIENTS"));
	const char *id = param(from, "PAYHOOK_REQUEST_ID");
	size_t len = strnlen(id, REQUEST_ID_MAX);
	memcpy(rq->id, id, len);
	rq->id[len] = '\0';
	traceparent_parse(param(from, "HTTP_TRACEPARENT"), &rq->trace);
	rq->expire = NULL;
	rq->reply.allow = NULL;
	rq->reply.challenge = NULL;
	rq->reply.retry_after = 0;
	rq->route = ROUTE_OTHER;
	rq->outcome = WEBHOOK_NONE;
	rq->may_see_metrics = *param(from, "PAYHOOK_METRICS");
	rq->certificate_expires = strtoll(param(from, "PAYHOOK_CERTIFICATE_EXPIRES"), NULL, 10);
	buf_reset(&rq->body, BODY_KEEP);
	enum body_end end = fastcgi_request_body(from->in, param(from, "CONTENT_LENGTH"), &rq->body, why);
	rq->body_too_large = end == BODY_TOO_LARGE || end == BODY_ENDLESS;
	return end;
}
