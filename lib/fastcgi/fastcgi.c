/* fastcgi.c - the FastCGI server: turns FastCGI records into requests, and replies into records.
 *
 * One rule keeps senders from forging requests: a request ends only in slot_finish(), with its body read to the end or
 * its connection closed, or in slot_close().  libfcgi does not drain unread body bytes; on a kept connection it would
 * parse them as FastCGI records, that is, as the next request.  Therefore the body is read to its end before anything
 * else looks at the request, whatever the reply will be.
 *
 * libfcgi blocks on its peer: up to 2 s for the first byte after an accept, up to 2 s for the peer to hang up at a
 * close, and without limit in a read.  This file therefore accepts connections itself, passes one to libfcgi when its
 * first byte has arrived, detaches it before the close, and limits reads and writes by socket timeouts (PEER_MS).
 * nginx sends a request only when it has received all of it, so in practice a read does not wait. */

#include "fastcgi/fastcgi.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <fcgiapp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fastcgi/fastcgi_request.h"
#include "fastcgi/http.h"
#include "fastcgi/listener.h"
#include "runtime/log.h"

#define PEER_MS 500   /* the longest wait for the rest of a request that nginx has begun to send */
#define DRAIN_MS 100  /* how long a draining responder keeps idle connections, for nginx to use once more */
#define HEAD_MAX 1024 /* bytes of a reply before its body */

enum slot_state {
	SLOT_FREE,    /* no connection */
	SLOT_FRESH,   /* a new connection, before its first request */
	SLOT_IDLE,    /* a kept connection between two requests */
	SLOT_SERVING, /* a request is being read or routed */
	SLOT_WAITING, /* a request waits for its outcome; libfcgi may not use the connection */
};

struct slot {
	struct fastcgi *fastcgi;
	enum slot_state state;
	bool deaf;           /* readable is not pending, since the peer sent bytes or hung up while the slot waited */
	bool answered;       /* answer() was called in SLOT_SERVING */
	int64_t deadline_ms; /* clock_ms(): of request.expire() in SLOT_WAITING, of a silent peer in SLOT_FRESH */
	FCGX_Request fcgi;
	struct event *readable;
	struct request request;
	/* Where request.state points.  In the slot, not in an array of its own: at a stride of 4 KiB the states of all slots
	 * would share the same few sets of the processor's cache. */
	_Alignas(max_align_t) unsigned char state_bytes[REQUEST_STATE_MAX];
	TAILQ_ENTRY(slot) link; /* in free, idle (SLOT_FRESH too; oldest first) or waiting (by deadline) */
};

TAILQ_HEAD(slots, slot);

struct fastcgi {
	struct event_base *base;
	const struct fastcgi_plan *plan;
	struct listener *listener;
	struct event *timer; /* the first deadline in waiting */
	struct event *drain_over;
	struct slots free, idle, waiting;
	struct slot *all;
	int connections; /* slots that are not free */
	size_t bodies;   /* bytes of the bodies of all requests, plan->bodies_max at most */
	struct buf head; /* head of the reply being written; kept so that its memory is reused */
	bool is_open;
	void (*drained)(void *ctx);
	void *drained_ctx;
	bool is_draining;
};

static void serve(struct slot *s);

/* Failures of this file that can follow from every request or connection: at most one line a second for each. */
enum failure { FAILURE_ACCEPT, FAILURE_READ, FAILURE_REPLY, FAILURES };

static void log_failure(enum failure failure, const char *request_id, const char *reason)
{
	static const char *const EVENTS[] = {"cannot accept a connection", "request not read", "reply not written"};
	static struct log_pause pauses[FAILURES];
	int64_t suppressed;
	if (log_pause_over(&pauses[failure], &suppressed))
		LOG(LOG_LEVEL_WARN, EVENTS[failure], LOG_TEXT("request_id", request_id), LOG_TEXT("reason", reason),
			LOG_NUMBER("more_since_last", suppressed));
}

/* ---- slots and their connections ---- */

static struct slots *list_for(struct slot *s)
{
	switch (s->state) {
	case SLOT_FREE:
		return &s->fastcgi->free;
	case SLOT_FRESH:
	case SLOT_IDLE:
		return &s->fastcgi->idle;
	case SLOT_WAITING:
		return &s->fastcgi->waiting;
	case SLOT_SERVING:
		return NULL;
	}
	return NULL;
}

/* The free list is a stack, so that the slots in use stay few and in the CPU cache. */
static void set_state(struct slot *s, enum slot_state state)
{
	struct slots *list = list_for(s);
	if (list)
		TAILQ_REMOVE(list, s, link);
	s->state = state;
	list = list_for(s);
	if (state == SLOT_FREE)
		TAILQ_INSERT_HEAD(list, s, link);
	else if (list)
		TAILQ_INSERT_TAIL(list, s, link);
}

static void drain_check(struct fastcgi *fc)
{
	void (*drained)(void *) = fc->drained;
	if (!drained || fc->connections > 0)
		return;
	fc->drained = NULL;
	drained(fc->drained_ctx);
}

/* Called after slot_close() or libfcgi has closed the connection. */
static void slot_freed(struct slot *s)
{
	event_free(s->readable);
	s->readable = NULL;
	set_state(s, SLOT_FREE);
	s->fastcgi->connections--;
	if (s->fastcgi->is_open)
		listener_resume(s->fastcgi->listener);
	drain_check(s->fastcgi);
}

static void slot_close(struct slot *s)
{
	event_del(s->readable);
	FCGX_Detach(&s->fcgi);
	FCGX_Free(&s->fcgi, 1);
	slot_freed(s);
}

static void fastcgi_on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct slot *s = arg;
	if (s->state == SLOT_FRESH || s->state == SLOT_IDLE) {
		serve(s);
		return;
	}
	/* nginx hung up on a waiting request.  The reply will fail; until then the event must not spin. */
	event_del(s->readable);
	s->deaf = true;
}

/* ---- serving a request ---- */

static const char *header(const struct request *rq, const char *name)
{
	return fastcgi_request_header(CONTAINER_OF(rq, const struct slot, request)->fcgi.envp, &name, 1);
}

static bool is_header_repeated(const struct request *rq, const char *name)
{
	return fastcgi_request_repeats(CONTAINER_OF(rq, const struct slot, request)->fcgi.envp, name);
}

static bool has_header(const struct request *rq, const char *const names[], size_t count)
{
	return fastcgi_request_header(CONTAINER_OF(rq, const struct slot, request)->fcgi.envp, names, count);
}

/* ---- answering it ---- */

/* Writes into libfcgi's buffer, which is sent when it is full and when the request ends.  After an allocation failure
 * nothing is written, not half a reply: the connection closes and nginx sends the request to another responder. */
static void write_reply(struct slot *s)
{
	const struct reply *reply = &s->request.reply;
	struct buf *head = &s->fastcgi->head;
	buf_reset(head, BODY_KEEP);
	http_head(reply, head);
	if (!buf_ok(head) || !buf_ok(&reply->body)) {
		log_failure(FAILURE_REPLY, s->request.id, "out of memory");
		s->fcgi.keepConnection = 0;
		return;
	}
	FCGX_PutStr(head->data, (int)head->len, s->fcgi.out);
	FCGX_PutStr(reply->body.data, (int)reply->body.len, s->fcgi.out);
}

static void drop_body(struct slot *s)
{
	s->fastcgi->bodies -= s->request.body.len;
	buf_reset(&s->request.body, BODY_KEEP);
}

/* The only place where a request ends.  Its body has been read to the end, or keepConnection is 0. */
static void slot_finish(struct slot *s)
{
	/* Count before the reply is sent: a client that then reads the metrics finds its request counted. */
	s->fastcgi->plan->end(&s->request);
	write_reply(s);
	drop_body(s);
	buf_reset(&s->request.reply.body, BODY_KEEP);
	if (s->fastcgi->is_draining)
		s->fcgi.keepConnection = 0;
	FCGX_Detach(&s->fcgi);
	FCGX_Finish_r(&s->fcgi);
	if (s->fcgi.ipcFd < 0) {
		slot_freed(s);
		return;
	}
	if (s->deaf) {
		event_add(s->readable, NULL);
		s->deaf = false;
	}
	set_state(s, SLOT_IDLE);
}

static void fastcgi_on_answer(struct request *rq)
{
	struct slot *s = CONTAINER_OF(rq, struct slot, request);
	if (s->state == SLOT_SERVING)
		s->answered = true;
	else
		slot_finish(s);
}

static void arm_timer(struct fastcgi *fc)
{
	struct slot *first = TAILQ_FIRST(&fc->waiting);
	if (!first || evtimer_pending(fc->timer, NULL))
		return;
	struct timeval tv = clock_timeval(first->deadline_ms - clock_ms());
	evtimer_add(fc->timer, &tv);
}

static void fastcgi_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fastcgi *fc = arg;
	struct slot *s;
	int64_t now = clock_ms();
	while ((s = TAILQ_FIRST(&fc->waiting)) && s->deadline_ms <= now)
		s->request.expire(&s->request);
	arm_timer(fc);
}

/* Called when a request's first byte has arrived or nginx has hung up. */
static void serve(struct slot *s)
{
	set_state(s, SLOT_SERVING);
	/* FCGX_Accept_r() first ends the previous request, and closes the connection if keepConnection is 0.  If it
	 * closes a detached connection, it does not wait for the peer.  It accepts nothing, as it has no listener. */
	s->fcgi.keepConnection = 1;
	FCGX_Detach(&s->fcgi);
	if (FCGX_Accept_r(&s->fcgi) != 0) {
		slot_freed(s);
		return;
	}
	s->answered = false;
	struct fault why;
	const struct fastcgi_plan *plan = s->fastcgi->plan;
	s->request.body.max = plan->bodies_max - s->fastcgi->bodies;
	enum body_end body = fastcgi_request_read(&s->fcgi, plan->body_max, &s->request, &why);
	s->fastcgi->bodies += s->request.body.len;
	if (body == BODY_BROKEN || body == BODY_NO_MEMORY)
		log_failure(FAILURE_READ, s->request.id, why.text);
	if (body == BODY_BROKEN) {
		drop_body(s);
		slot_close(s); /* without a reply: nginx sends the request to another responder */
		return;
	}
	s->request.read_us = clock_us();
	plan->begin(&s->request);
	if (body == BODY_ENDLESS)
		s->fcgi.keepConnection = 0;
	if (body == BODY_NO_MEMORY)
		http_fault(&s->request, &why);
	else
		plan->handle(&s->request);
	if (s->answered) {
		slot_finish(s);
		return;
	}
	s->deadline_ms = s->request.read_us / 1000 + plan->wait_ms;
	set_state(s, SLOT_WAITING);
	arm_timer(s->fastcgi);
}

/* ---- accepting connections ---- */

static bool slot_attach(struct slot *s, int fd)
{
	struct timeval limit = clock_timeval(PEER_MS);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	s->readable = event_new(s->fastcgi->base, fd, EV_READ | EV_PERSIST, fastcgi_on_readable, s);
	if (!s->readable || event_add(s->readable, NULL) < 0)
		return false;
	s->fcgi.ipcFd = fd;
	s->deaf = false;
	s->fastcgi->connections++;
	s->deadline_ms = clock_ms() + PEER_MS;
	set_state(s, SLOT_FRESH);
	return true;
}

static void fastcgi_on_accepted(void *ctx, int fd)
{
	struct fastcgi *fc = ctx;
	struct slot *s = TAILQ_FIRST(&fc->free);
	if (!slot_attach(s, fd)) {
		if (s->readable)
			event_free(s->readable);
		s->readable = NULL;
		close(fd);
	}
}

/* Closes the oldest connection that serves nothing, if there is one.  The request of a new connection is on its way or has
 * arrived already, and nginx does not repeat every one that fails. */
static bool close_unused(struct fastcgi *fc)
{
	struct slot *s;
	TAILQ_FOREACH (s, &fc->idle, link) {
		if (s->state == SLOT_IDLE || s->deadline_ms <= clock_ms()) {
			slot_close(s);
			return true;
		}
	}
	return false;
}

static bool fastcgi_makes_room(void *ctx)
{
	struct fastcgi *fc = ctx;
	return !TAILQ_EMPTY(&fc->free) || close_unused(fc);
}

static bool fastcgi_on_failed(void *ctx, const char *reason)
{
	log_failure(FAILURE_ACCEPT, "", reason);
	return close_unused(ctx);
}

static bool fastcgi_is_idle(void *ctx)
{
	const struct fastcgi *fc = ctx;
	return fc->connections == 0;
}

static const struct listener_events LISTENER_EVENTS = {.makes_room = fastcgi_makes_room,
	.is_idle = fastcgi_is_idle,
	.accepted = fastcgi_on_accepted,
	.failed = fastcgi_on_failed};

/* ---- ending ---- */

/* nginx may be about to use an idle connection.  If the connection closes at that moment, nginx tries another one,
 * but only fastcgi_next_upstream_tries times.  So a draining responder still serves requests on kept connections and
 * closes each connection with its reply; connections that stay idle for DRAIN_MS are closed here. */
static void fastcgi_on_drain_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fastcgi *fc = arg;
	while (!TAILQ_EMPTY(&fc->idle))
		slot_close(TAILQ_FIRST(&fc->idle));
}

void fastcgi_drain(struct fastcgi *fc, void (*done)(void *ctx), void *ctx)
{
	if (fc->is_draining)
		return;
	fc->is_draining = true;
	fc->is_open = false;
	fc->drained = done;
	fc->drained_ctx = ctx;
	listener_close(fc->listener);
	struct timeval tv = clock_timeval(DRAIN_MS);
	evtimer_add(fc->drain_over, &tv);
	drain_check(fc);
}

/* ---- the interface ---- */

static void slots_init(struct fastcgi *fc, struct service *service)
{
	for (int i = fc->plan->slots - 1; i >= 0; i--) {
		struct slot *s = &fc->all[i];
		s->fastcgi = fc;
		s->state = SLOT_FREE;
		FCGX_InitRequest(&s->fcgi, -1, 0);
		s->fcgi.ipcFd = -1;
		s->request.service = service;
		s->request.header = header;
		s->request.has_header = has_header;
		s->request.is_repeated = is_header_repeated;
		s->request.answer = fastcgi_on_answer;
		s->request.state = s->state_bytes;
		s->request.body = BUF_INIT(0); /* serve() sets the maximum */
		s->request.reply.body = BUF_INIT(fc->plan->reply_max);
		TAILQ_INSERT_HEAD(&fc->free, s, link);
	}
}

struct fastcgi *fastcgi_create(struct event_base *base, int listener, const struct fastcgi_plan *plan,
	struct service *service, struct fault *f)
{
	struct fastcgi *fc = calloc(1, sizeof *fc);
	if (!fc) {
		fault_set(f, FAULT_BUSY, "the FastCGI server: out of memory");
		return NULL;
	}
	*fc = (struct fastcgi){.base = base, .plan = plan, .head = BUF_INIT(HEAD_MAX)};
	TAILQ_INIT(&fc->free);
	TAILQ_INIT(&fc->idle);
	TAILQ_INIT(&fc->waiting);
	fc->listener = listener_create(base, listener, plan->is_spare, &LISTENER_EVENTS, fc);
	fc->timer = evtimer_new(base, fastcgi_on_timer, fc);
	fc->drain_over = evtimer_new(base, fastcgi_on_drain_over, fc);
	fc->all = calloc((size_t)plan->slots, sizeof *fc->all);
	int error = 0;
	if (!fc->listener || !fc->timer || !fc->drain_over || !fc->all)
		fault_set(f, FAULT_BUSY, "the FastCGI server: out of memory");
	else if (evutil_make_socket_nonblocking(listener) < 0)
		fault_set(f, FAULT_BUSY, "the listening socket: %s", strerror(errno));
	else if ((error = FCGX_Init()) != 0)
		fault_set(f, FAULT_BUSY, "libfcgi: error %d", error);
	else {
		slots_init(fc, service);
		return fc;
	}
	fastcgi_destroy(fc);
	return NULL;
}

void fastcgi_destroy(struct fastcgi *fc)
{
	if (!fc)
		return;
	for (int i = 0; fc->all && i < fc->plan->slots; i++) {
		struct slot *s = &fc->all[i];
		if (s->readable)
			slot_close(s);
		buf_finish(&s->request.body);
		buf_finish(&s->request.reply.body);
	}
	listener_destroy(fc->listener);
	if (fc->timer)
		event_free(fc->timer);
	if (fc->drain_over)
		event_free(fc->drain_over);
	buf_finish(&fc->head);
	free(fc->all);
	free(fc);
}

void fastcgi_open(struct fastcgi *fc)
{
	if (fc->is_draining || fc->is_open)
		return;
	fc->is_open = true;
	listener_open(fc->listener);
}
