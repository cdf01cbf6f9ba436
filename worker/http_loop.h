#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "base/base.h"

/* curl's multi interface on the worker's event loop: requests, of which any number are under
 * way at once.  Nothing here waits. */

struct event_base;
struct http_loop;

/* A request with its response, part of what it is for.  Its easy handle serves one request at a time and is used again. */
struct http_request {
	CURL *easy;
	int socket_errno; /* why this machine has no socket for it, or cannot watch it; 0: it has and can */
	char error[CURL_ERROR_SIZE];
	/* The request has ended, and may be started again or finished.  Called from the event loop only. */
	void (*ended)(struct http_request *x, CURLcode result);
};

/* Creates the easy handle; the caller sets its options but for those of its socket, its private pointer and its error.
 * False: memory is exhausted; http_request_finish() is allowed then too. */
MUST_USE bool http_request_init(struct http_request *x, void (*ended)(struct http_request *x, CURLcode result));

/* Not of a request that is under way.  Accepts one that is all zero. */
void http_request_finish(struct http_request *x);

/* connections: as many idle ones are kept.  NULL: out of memory. */
MUST_USE struct http_loop *http_loop_create(struct event_base *base, long connections);

/* No request may be under way.  Accepts NULL. */
void http_loop_destroy(struct http_loop *l);

/* Starts a request, which ends by ended() or http_loop_cancel().  False: out of memory. */
MUST_USE bool http_loop_start(struct http_loop *l, struct http_request *x);

/* Ends a request that is under way, without ended().  For HTTP/1.1 curl closes the connection, because its response may
 * still come; an HTTP/2 stream is reset. */
void http_loop_cancel(struct http_loop *l, struct http_request *x);
