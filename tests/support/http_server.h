#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* An HTTP server for tests of HTTP clients, on the test's own event loop.  It gives scripted answers, valid or not, and
 * records the calls that it receives. */

struct event_base;
struct http_server;

/* All zero: 200 without a body, at once, and the connection stays open. */
struct http_answer {
	const char *bytes; /* the raw bytes of the answer; NULL: 200 without a body */
	size_t filler;     /* followed by this number of bytes "x" */
	int delay_ms;      /* before the first byte */
	bool never;        /* no byte is ever sent */
	bool close;        /* the connection is closed after the answer */
};

/* A call that was received completely. */
struct http_heard {
	int connection; /* counted from 1 */
	char *head;     /* the header lines, ended by NUL after the empty line */
	char *body;     /* ended by NUL */
	size_t body_len;
};

/* Listens on a free port of 127.0.0.1. */
struct http_server *http_server_open(struct event_base *base);
void http_server_close(struct http_server *s);

int http_server_port(const struct http_server *s);

/* The next calls get this answer, as many as count; then the answers added after it, in order; then 200.  The bytes are
 * borrowed until the server is closed. */
void http_server_answer(struct http_server *s, int count, struct http_answer answer);

/* Accepts no more connections: each is closed at once. */
void http_server_hang_up(struct http_server *s);

/* From now on answers are held until http_server_release(). */
void http_server_hold(struct http_server *s);
void http_server_release(struct http_server *s);

/* Closes the connections that are idle. */
void http_server_close_idle(struct http_server *s);

/* The numbers since the start, and of the connections that are open now. */
int http_server_calls(const struct http_server *s);
int http_server_connections(const struct http_server *s);
int http_server_open_connections(const struct http_server *s);

/* The nth call, from 0; it must have been received. */
const struct http_heard *http_server_heard(const struct http_server *s, int number);

/* Returns the value of a header, or NULL if there is none; fails the test if there are two.  Valid until the next
 * call. */
const char *http_heard_value(const struct http_heard *h, const char *name);
