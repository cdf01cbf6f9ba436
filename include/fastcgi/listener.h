#pragma once

#include <stdbool.h>

#include "base/base.h"

/* Accepts the connections of a listening socket that several processes share, all at once or one of them before the others.
 *
 * A process that is a spare accepts nothing while another one does: one that is busy has larger batches than two that share the
 * work, so PostgreSQL has less of it.  When the backlog has not been empty for 20 ms, because the busy process is frozen, has
 * ended or does not keep up, the spare becomes a busy one too, until it has no connection and another process was faster. */

struct event_base;
struct listener;

struct listener_events {
	bool (*makes_room)(void *ctx);       /* whether one more connection can be taken; else the listener pauses */
	bool (*is_idle)(void *ctx);          /* there is no connection */
	void (*accepted)(void *ctx, int fd); /* takes over fd */
	/* accept(2) lacks descriptors or memory.  Whether some were released; else the listener pauses. */
	bool (*failed)(void *ctx, const char *reason);
};

/* fd is made non-blocking by the caller, and stays the caller's; events and ctx are borrowed.  Nothing is accepted before
 * listener_open().  NULL: out of memory. */
MUST_USE struct listener *listener_create(
	struct event_base *base, int fd, bool is_spare, const struct listener_events *events, void *ctx);

/* NULL is allowed. */
void listener_destroy(struct listener *l);

void listener_open(struct listener *l);

/* Ends a pause, which would be over after 50 ms otherwise. */
void listener_resume(struct listener *l);

/* Accepts nothing from now on. */
void listener_close(struct listener *l);
