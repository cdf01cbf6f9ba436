#pragma once

#include "base/buf.h"
#include "base/fault.h"
#include "fastcgi/request.h"

/* Replies: their heads, problem documents, and the status of a fault. */

/* Appends the head of a reply in the form of CGI (RFC 3875, 6.3): Status, headers, empty line.  Every reply has
 * Cache-Control: no-store, and every one but a 204 Content-Type and Content-Length (RFC 9110, 8.6). */
void http_head(const struct reply *reply, struct buf *ret);

/* Starts a reply with this status, Content-Type application/json and an empty body. */
void http_begin(struct request *rq, int status);

/* Answers with a problem document (RFC 9457) of type about:blank: the title is the status's phrase, the instance the
 * request id.  The client sees detail. */
void http_problem(struct request *rq, int status, const char *detail);

/* Appends a string member to a JSON object that has members already. */
void http_add_member(struct buf *b, const char *name, const char *text);

/* The first half of http_problem(): what it adds has no closing brace yet, and is not answered.  detail may be NULL, and is a
 * member that follows then. */
void http_problem_open(struct request *rq, int status, const char *detail);

/* Answers with the status of the fault's kind.  If the client can correct the request, the reply contains the fault's
 * text.  For FAULT_BUSY, FAULT_AGAIN and FAULT_BUG the reply is a 503 with Retry-After and a fixed text, since
 * the fault's text is for the log only. */
void http_fault(struct request *rq, const struct fault *f);
