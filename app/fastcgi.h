#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "http.h"

/* The gate: FastCGI on one side, requests and replies on the other.  The door of libfcgi.
 *
 * It owns a fixed number of slots.  A slot holds a connection from nginx, idle between two requests, or a request
 * that waits for its outcome.  When slots run out, idle connections are closed first, so that a sender who waits
 * never starves behind a connection that nobody uses. */

#define FASTCGI_SLOTS 1024 /* more than nginx keeps: its workers times the upstream's keepalive, plus the peak */

struct event_base;
struct fastcgi;

/* Takes requests from a listening unix socket, which it makes non-blocking.  Nothing is accepted before fastcgi_open().
 * NULL: out of memory, or libfcgi cannot start. */
MUST_USE struct fastcgi *fastcgi_create(struct event_base *base, int listener, struct service *service);
void fastcgi_destroy(struct fastcgi *g);

/* Begins to accept connections.  May be called again. */
void fastcgi_open(struct fastcgi *g);

/* Accepts no more, answers what is under way and what still comes over kept connections for a moment, closes them all,
 * then calls done().  Takes REQUEST_WAIT_MS and a moment at most. */
void fastcgi_drain(struct fastcgi *g, void (*done)(void *ctx), void *ctx);
