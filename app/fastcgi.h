#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "http.h"

/* The FastCGI server: accepts connections from nginx, passes each request to route_request(), and writes the replies.
 * It alone includes libfcgi; the routes see struct request and struct reply.
 *
 * The server owns FASTCGI_SLOTS slots.  A slot holds one connection: idle between two requests, or with a request
 * that waits for its outcome.  When all slots are taken, the oldest idle connection is closed, so that an unused
 * connection never keeps a new request waiting.  When all slots hold requests, new connections wait in the socket's
 * backlog. */

/* nginx keeps at most 4 x 192 = 768 idle connections: its worker processes (ops/nginx.sh) times the upstream's keepalive
 * (nginx/payhook.conf.in).  All may lead to one responder, which then has 256 slots for requests on new connections.
 * An nginx of the host may run more worker processes; then the responder closes the connections that were idle longest.
 * tests/style/bounds.py compares the numbers. */
#define FASTCGI_SLOTS 1024

struct event_base;
struct fastcgi;

/* Creates a server for a listening unix socket, which becomes non-blocking and stays the caller's.  service is
 * borrowed for the server's life.  Nothing is accepted before fastcgi_open().  NULL, and FAULT_BUSY: memory
 * cannot be allocated, the listener cannot be made non-blocking, or libfcgi cannot start. */
MUST_USE struct fastcgi *fastcgi_create(
	struct event_base *base, int listener, struct service *service, struct fault *f);

/* Closes all connections at once, without a reply to waiting requests.  NULL is allowed. */
void fastcgi_destroy(struct fastcgi *fc);

/* Begins to accept connections.  Further calls, and calls while draining, have no effect. */
void fastcgi_open(struct fastcgi *fc);

/* Stops accepting connections, answers the requests in progress and those that still arrive on kept connections
 * within 100 ms, closes all connections, then calls done(), which may happen before fastcgi_drain() returns.  It
 * takes little more than REQUEST_WAIT_MS plus these 100 ms.  Further calls have no effect. */
void fastcgi_drain(struct fastcgi *fc, void (*done)(void *ctx), void *ctx);
