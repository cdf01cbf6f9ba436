#pragma once

#include <fcgiapp.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "fastcgi/request.h"

/* Reading a FastCGI request: its parameters, and its body to the end.
 *
 * nginx has received the whole request, and counted its bytes, before it sends any of it.  A body that does not arrive
 * whole is therefore never the sender's fault, and must not be answered 4xx: providers do not repeat after that. */

#define BODY_KEEP 4096            /* bytes of each buffer that a request keeps for the next; also those of one read */
#define BODY_DRAIN_MOST (2 << 20) /* bytes; a longer body is not read to its end */

enum body_end {
	BODY_WHOLE,     /* all of it is in the buffer */
	BODY_TOO_LARGE, /* longer than the limit: read to its end, not kept */
	BODY_ENDLESS, /* longer than BODY_DRAIN_MOST: the rest is unread, so the connection must close with the reply */
	BODY_NO_MEMORY, /* read to its end, but the buffer could not hold it: 503 */
	BODY_BROKEN, /* the connection failed: it must be closed without a reply, and nginx tries another responder */
};

/* Fills *rq from the parameters of an accepted request, empties what the request before left in it, and reads a body of up
 * to limit bytes into rq->body, of which the maximum may be less.  The texts in *rq are those of *from, valid until it
 * is finished.  *why is written for BODY_NO_MEMORY and BODY_BROKEN, and is then FAULT_BUSY.  Each wait for nginx has
 * the connection's timeout. */
MUST_USE enum body_end fastcgi_request_read(FCGX_Request *from, size_t limit, struct request *rq, struct fault *why);

/* The body alone: reads one of up to limit bytes into *ret, which is empty.  content_length is nginx's CONTENT_LENGTH;
 * "" is 0.  The rest is as for fastcgi_request_read(). */
MUST_USE enum body_end fastcgi_request_body(
	FCGX_Stream *in, const char *content_length, size_t limit, struct buf *ret, struct fault *why);

/* The value of the first header that has one of these names, in lower case, among the parameters sent, which end with
 * NULL; NULL if there is none.  It is valid as long as they are. */
const char *fastcgi_request_header(char *const *sent, const char *const names[], size_t count);

/* Whether several of the parameters sent are headers of this name, in lower case.  nginx before 1.23 sends each of them, later
 * versions join their values with commas. */
bool fastcgi_request_repeats(char *const *sent, const char *name);
