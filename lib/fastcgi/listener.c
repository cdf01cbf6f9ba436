/* listener.c - accepts the connections of a socket that several processes share. */

#include "fastcgi/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define PAUSE_MS 50 /* until the next accept when the process is out of descriptors or room */
#define SPARE_MS 20 /* that connections have to wait, without a moment in which none does, until a spare accepts them */
#define SPREAD_MS 16 /* and some more, by the number of the process */
#define BURST 64     /* connections that a process with spares accepts at once */

struct listener {
	const struct listener_events *events;
	void *ctx;
	int fd;
	struct event *acceptable; /* pending: open, not paused, and not waiting as a spare */
	struct event *pause;
	struct event *spare; /* each millisecond while connections wait and this process is a spare */
	bool has_spares;
	bool is_spare;
	int waited; /* milliseconds in turns of this process, so that a stall of the machine makes no spare busy */
};

static void after(struct event *timer, int ms)
{
	struct timeval tv = clock_timeval(ms);
	evtimer_add(timer, &tv);
}

static void listener_pause(struct listener *l)
{
	event_del(l->acceptable);
	after(l->pause, PAUSE_MS);
}

/* Whether one was accepted. */
static bool accept_one(struct listener *l)
{
	if (!l->events->makes_room(l->ctx)) {
		listener_pause(l);
		return false;
	}
	int fd = accept(l->fd, NULL, NULL);
	if (fd >= 0) {
		l->events->accepted(l->ctx, fd);
		return true;
	}
	/* Otherwise another process accepted the connection first, or the peer closed it. */
	bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
	if (is_short && !l->events->failed(l->ctx, strerror(errno)))
		listener_pause(l);
	return false;
}

/* Without spares it accepts one connection for each event, not all that wait, so that a burst spreads over the pool. */
static void listener_on_acceptable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct listener *l = arg;
	if (l->is_spare) {
		event_del(l->acceptable);
		l->waited = 0;
		after(l->spare, 1);
		return;
	}
	bool was_idle = l->events->is_idle(l->ctx);
	int accepted = 0, most = l->has_spares ? BURST : 1;
	while (accepted < most && accept_one(l))
		accepted++;
	l->is_spare = l->has_spares && was_idle && accepted == 0;
}

static bool connections_wait(const struct listener *l)
{
	struct pollfd p = {.fd = l->fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

/* Of two spares one is first, as their process numbers differ.  If both are busy for a moment, no harm is done. */
static void listener_on_spare(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct listener *l = arg;
	bool waits = connections_wait(l);
	if (waits && ++l->waited < SPARE_MS + getpid() % SPREAD_MS) {
		after(l->spare, 1);
		return;
	}
	l->is_spare = !waits;
	event_add(l->acceptable, NULL);
}

static void listener_on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct listener *l = arg;
	event_add(l->acceptable, NULL);
}

struct listener *listener_create(
	struct event_base *base, int fd, bool is_spare, const struct listener_events *events, void *ctx)
{
	struct listener *l = malloc(sizeof *l);
	if (!l)
		return NULL;
	*l = (struct listener){.events = events,
		.ctx = ctx,
		.fd = fd,
		.acceptable = event_new(base, fd, EV_READ | EV_PERSIST, listener_on_acceptable, l),
		.pause = evtimer_new(base, listener_on_pause_over, l),
		.spare = evtimer_new(base, listener_on_spare, l),
		.has_spares = is_spare,
		.is_spare = is_spare};
	if (l->acceptable && l->pause && l->spare)
		return l;
	listener_destroy(l);
	return NULL;
}

void listener_destroy(struct listener *l)
{
	if (!l)
		return;
	if (l->acceptable)
		event_free(l->acceptable);
	if (l->pause)
		event_free(l->pause);
	if (l->spare)
		event_free(l->spare);
	free(l);
}

void listener_open(struct listener *l)
{
	event_add(l->acceptable, NULL);
}

void listener_resume(struct listener *l)
{
	if (evtimer_pending(l->pause, NULL) && event_del(l->pause) == 0)
		event_add(l->acceptable, NULL);
}

void listener_close(struct listener *l)
{
	event_del(l->acceptable);
	event_del(l->pause);
	event_del(l->spare);
}
