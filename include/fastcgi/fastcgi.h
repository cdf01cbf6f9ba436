#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "fastcgi/request.h"

/* The FastCGI server: accepts connections from nginx, passes each request to the program, and writes the replies.
 * It alone includes libfcgi; the routes see struct request and struct reply.
 *
 * The server owns a number of slots.  A slot holds one connection: idle between two requests, or with a request
 * that waits for its outcome.  When all slots are taken, the oldest idle connection is closed, so that an unused
 * connection never keeps a new request waiting.  When all slots hold requests, new connections wait in the socket's
 * backlog. */

struct event_base;
struct fastcgi;

/* What a program serves, and within which bounds. */
struct fastcgi_plan {
	int slots;
	int wait_ms;     /* from a request read to its expire(), if it is not answered by then */
	bool is_spare;   /* leaves new connections to another process with this listener, while that one accepts them */
	size_t body_max; /* bytes of a body; of a longer one nothing is kept (request.body_too_large) */
	size_t bodies_max; /* bytes of the bodies of all requests; a request beyond it is answered 503 */
	size_t reply_max;  /* bytes of the body of a reply */
	void (*begin)(struct request *rq);  /* a request has been read, or its body found to be too large */
	void (*handle)(struct request *rq); /* answers it, or sets expire and answers it later */
	void (*end)(struct request *rq);    /* it is answered; before the reply is written */
};

/* Creates a server for a listening unix socket, which becomes non-blocking and stays the caller's.  plan and service are
 * borrowed for the server's life.  Nothing is accepted before fastcgi_open().  NULL, and FAULT_BUSY: memory
 * cannot be allocated, the listener cannot be made non-blocking, or libfcgi cannot start. */
MUST_USE struct fastcgi *fastcgi_create(struct event_base *base, int listener, const struct fastcgi_plan *plan,
	struct service *service, struct fault *f);

/* Closes all connections at once, without a reply to waiting requests.  NULL is allowed. */
void fastcgi_destroy(struct fastcgi *fc);

/* Begins to accept connections.  Further calls, and calls while draining, have no effect. */
void fastcgi_open(struct fastcgi *fc);

/* Stops accepting connections, answers the requests in progress and those that still arrive on kept connections
 * within 100 ms, closes all connections, then calls done(), which may happen before fastcgi_drain() returns.  It
 * takes little more than the plan's wait_ms plus these 100 ms.  Further calls have no effect. */
void fastcgi_drain(struct fastcgi *fc, void (*done)(void *ctx), void *ctx);
