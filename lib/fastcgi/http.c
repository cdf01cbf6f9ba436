/* http.c - writes replies, and turns faults into HTTP statuses.
 *
 * Errors are problem documents (RFC 9457).  http_fault() is the only place where the kind of a fault becomes a
 * status; its switch has no default, so a new kind does not compile until it has a status.  A reply that does not fit
 * in memory leaves its buffer marked, and fastcgi.c then sends nothing. */

#include "fastcgi/http.h"

#include <string.h>

/* The reason phrases of RFC 9110, 15, for the statuses that the programs answer. */
static const char *http_phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 202:
		return "Accepted";
	case 204:
		return "No Content";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 500:
		return "Internal Server Error";
	case 503:
		return "Service Unavailable";
	default:
		return "Unknown";
	}
}

static void add_header(struct buf *b, const char *name, const char *value)
{
	buf_add_text(b, name);
	buf_add_text(b, value);
	buf_add_text(b, "\r\n");
}

void http_head(const struct reply *reply, struct buf *ret)
{
	buf_add_text(ret, "Status: ");
	buf_add_number(ret, (size_t)reply->status);
	add_header(ret, " ", http_phrase(reply->status));
	if (reply->status != 204) {
		add_header(ret, "Content-Type: ", reply->type);
		buf_add_text(ret, "Content-Length: ");
		buf_add_number(ret, reply->body.len);
		buf_add_text(ret, "\r\n");
	}
	buf_add_text(ret, "Cache-Control: no-store\r\n");
	if (reply->allow)
		add_header(ret, "Allow: ", reply->allow);
	if (reply->accept_encoding)
		add_header(ret, "Accept-Encoding: ", reply->accept_encoding);
	if (reply->challenge)
		add_header(ret, "WWW-Authenticate: ", reply->challenge);
	if (reply->retry_after > 0) {
		buf_add_text(ret, "Retry-After: ");
		buf_add_number(ret, (size_t)reply->retry_after);
		buf_add_text(ret, "\r\n");
	}
	if (reply->file_name) {
		buf_add_text(ret, "Content-Disposition: attachment; filename=\"");
		buf_add_text(ret, reply->file_name);
		buf_add_text(ret, "\"\r\n");
	}
	buf_add_text(ret, "\r\n");
}

void http_begin(struct request *rq, int status)
{
	rq->reply.status = status;
	rq->reply.type = "application/json";
	buf_reset(&rq->reply.body, rq->reply.body.max);
}

void http_add_member(struct buf *b, const char *name, const char *text)
{
	buf_add_format(b, ",\"%s\":\"", name);
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\"");
}

void http_problem_open(struct request *rq, int status, const char *detail)
{
	struct buf *b = &rq->reply.body;
	http_begin(rq, status);
	rq->reply.type = "application/problem+json";
	buf_add_text(b, "{\"type\":\"about:blank\"");
	http_add_member(b, "title", http_phrase(status));
	buf_add_format(b, ",\"status\":%d", status);
	if (detail)
		http_add_member(b, "detail", detail);
	http_add_member(b, "instance", rq->id);
}

void http_problem(struct request *rq, int status, const char *detail)
{
	if (rq->on_problem)
		rq->on_problem(rq, status, NULL);
	http_problem_open(rq, status, detail);
	buf_add_text(&rq->reply.body, "}");
	rq->answer(rq);
}

void http_fault(struct request *rq, const struct fault *f)
{
	switch (f->kind) {
	case FAULT_MALFORMED:
		http_problem(rq, 400, f->text);
		return;
	case FAULT_INPUT:
		http_problem(rq, 422, f->text);
		return;
	case FAULT_TOO_LARGE:
		http_problem(rq, 413, f->text);
		return;
	case FAULT_ABSENT:
		http_problem(rq, 404, f->text);
		return;
	case FAULT_CONFLICT:
		http_problem(rq, 409, f->text);
		return;
	/* The text of these may name hosts or quote the database, so the reply does not contain it. */
	case FAULT_BUSY:
	case FAULT_AGAIN:
	case FAULT_BUG:
		rq->reply.retry_after = 1;
		http_problem(rq, 503, "not now; the same request may be sent again");
		return;
	}
}
