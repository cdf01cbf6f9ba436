#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* The events of one connection: its socket, and one timer.  All are allocated once, so that later only an event's place
 * in the loop can fail for want of memory. */

struct event;
struct event_base;

struct events {
	struct event_base *base;
	struct event *readable;
	struct event *writable;
	struct event *timer;
	void (*on_readable)(void *ctx);
	void (*on_writable)(void *ctx);
	void (*on_timer)(void *ctx);
	void *ctx;
};

/* Completes the events; base, callbacks and ctx are set.  The callbacks run from the loop.  w must not move.  Returns
 * false if there is no memory; events_finish() follows all the same. */
MUST_USE bool events_init(struct events *w);

/* Frees the events.  A zeroed struct is allowed. */
void events_finish(struct events *w);

/* Runs on_timer() once after this time, in place of an earlier call that is due.  Without memory it runs at once: too
 * early is better than never. */
void events_timer(struct events *w, int64_t ms);
void events_timer_off(struct events *w);

/* Moves to another socket, without waiting for it yet. */
void events_move(struct events *w, int fd);

/* Waits for the socket no more.  This precedes closing it, since libevent must not poll a closed descriptor. */
void events_off(struct events *w);

/* Waits until something can be read, each time, or until something can be written, once.  Returns false if there is no
 * memory. */
MUST_USE bool events_reads(struct events *w);
MUST_USE bool events_write(struct events *w);
