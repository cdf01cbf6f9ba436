/* events.c - libevent's events of one connection.  What they lead to is connection.c. */

#include "pg/events.h"

#include <event2/event.h>

#include "base/clock.h"

static void events_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct events *w = arg;
	w->on_readable(w->ctx);
}

static void events_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct events *w = arg;
	w->on_writable(w->ctx);
}

static void events_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct events *w = arg;
	w->on_timer(w->ctx);
}

bool events_init(struct events *w)
{
	w->timer = evtimer_new(w->base, events_on_timer, w);
	w->readable = event_new(w->base, -1, EV_READ | EV_PERSIST, events_on_readable, w);
	w->writable = event_new(w->base, -1, EV_WRITE, events_on_writable, w);
	return w->timer && w->readable && w->writable;
}

void events_finish(struct events *w)
{
	struct event *all[] = {w->readable, w->writable, w->timer};
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (all[i])
			event_free(all[i]);
	}
}

void events_timer(struct events *w, int64_t ms)
{
	struct timeval tv = clock_timeval(ms);
	if (evtimer_add(w->timer, &tv) != 0)
		event_active(w->timer, EV_TIMEOUT, 0);
}

void events_timer_off(struct events *w)
{
	evtimer_del(w->timer);
}

void events_off(struct events *w)
{
	event_del(w->readable);
	event_del(w->writable);
}

void events_move(struct events *w, int fd)
{
	events_off(w);
	event_assign(w->readable, w->base, fd, EV_READ | EV_PERSIST, events_on_readable, w);
	event_assign(w->writable, w->base, fd, EV_WRITE, events_on_writable, w);
}

bool events_reads(struct events *w)
{
	return event_add(w->readable, NULL) == 0;
}

bool events_write(struct events *w)
{
	return event_add(w->writable, NULL) == 0;
}
