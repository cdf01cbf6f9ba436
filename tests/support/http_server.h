#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* An HTTP server for tests of what calls one, on the test's own event loop.  It answers by a script, well or badly, and
 * keeps a log of the calls it heard. */

struct event_base;
struct http_server;

/* All zero: 200 without a body, at once, and the connection is kept. */
struct http_answer {
	const char *bytes; /* the answer as it stands on the wire; NULL: 200 without a body */
	size_t filler;     /* then so many bytes "x" */
	int delay_ms;      /* before the first of them */
	bool never;        /* no byte ever comes */
	bool close;        /* after them the connection is closed */
};

/* A call that was heard to its end. */
struct http_heard {
	int connection; /* counted from 1 */
	char *head;     /* its lines, with a NUL after the empty one */
	char *body;     /* with a NUL after it */
};

/* Listens on a port of 127.0.0.1 that is free. */
struct http_server *http_server_open(struct event_base *base);
void http_server_close(struct http_server *s);

int http_server_port(const struct http_server *s);

/* The calls that come next get this answer, the count of them; then others added, in their order; then 200.  The bytes are
 * borrowed until the server is closed. */
void http_server_answer(struct http_server *s, int count, struct http_answer answer);

/* Takes no more connections: each is closed as it comes. */
void http_server_hang_up(struct http_server *s);

/* From now on answers wait for release(). */
void http_server_hold(struct http_server *s);
void http_server_release(struct http_server *s);

/* Closes the connections that wait for a call. */
void http_server_close_idle(struct http_server *s);

/* Since the start, and now. */
int http_server_calls(const struct http_server *s);
int http_server_connections(const struct http_server *s);
int http_server_open_connections(const struct http_server *s);

/* The call of that number, from 0; it must have come. */
const struct http_heard *http_server_heard(const struct http_server *s, int number);

/* The value of a head line, or NULL: there is none; asserts that there are not two.  Valid until the next call of it. */
const char *http_heard_value(const struct http_heard *h, const char *name);
