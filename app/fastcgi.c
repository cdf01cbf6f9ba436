/* fastcgi.c - from FastCGI records to requests, and back.
 *
 * One rule stands above the others: a request ends in one place, slot_finish(), with its body read to the end or its
 * connection closed.  libfcgi does not drain what was left unread; on a kept connection the sender's leftover bytes
 * would be parsed as FastCGI records, which is how a sender could forge requests.  Therefore the body is read to its
 * end before anything else looks at the request, whatever the answer will be.
 *
 * libfcgi waits for its peer: up to 2 s for the first byte after an accept, up to 2 s for the peer to hang up at a
 * close, and for ever in a read.  So connections are accepted here, given to it when their first byte is there, and
 * detached before they are closed; and reads and writes have a limit of their own.  nginx sends a request only when
 * it has all of it, so a read does not wait in practice. */

#include "fastcgi.h"

#include <ctype.h>
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
#include "route.h"
#include "runtime/log.h"
#include "source/payload.h"

#define PEER_MS 500          /* for nginx to go on with a request that it has begun */
#define DRAIN_MS 100         /* for idle connections to be used once more */
#define DRAIN_MOST (1 << 20) /* bytes of a body that are read in order to keep a connection */
#define BODY_KEEP 4096       /* bytes of memory that a slot keeps between requests */
#define HEAD_MAX 1024        /* bytes of a reply before its body */
#define HEADER_NAME_MAX 255  /* bytes; no longer one can be asked for in sources.json */
#define RETRY_MS 50          /* until the next accept when the process is out of descriptors */

enum slot_state {
	SLOT_FREE,    /* no connection */
	SLOT_FRESH,   /* a connection that has not brought a request yet */
	SLOT_IDLE,    /* a kept connection between two requests */
	SLOT_SERVING, /* a request is being read or routed */
	SLOT_WAITING, /* a request waits for its outcome; libfcgi must not touch the connection */
};

struct slot {
	struct fastcgi *fastcgi;
	enum slot_state state;
	bool deaf;     /* its event is off: the peer spoke or hung up while the slot waited */
	bool answered; /* answer() was called while the slot was being served */
	int64_t deadline_ms;
	FCGX_Request fcgi;
	struct event *readable;
	struct request request;
	TAILQ_ENTRY(slot) link; /* in the list of its state: free, idle (oldest first, fresh ones too), or waiting */
};

TAILQ_HEAD(slots, slot);

struct fastcgi {
	struct event_base *base;
	struct service *service;
	int listener;
	struct event *acceptable;
	struct event *retry; /* the process was out of descriptors: accept again soon */
	struct event *timer; /* the first deadline of those who wait */
	struct event *drain_over;
	struct slots free, idle, waiting;
	struct slot *all;
	unsigned char (*states)[REQUEST_STATE_MAX]; /* of each slot's request */
	int connections;                            /* slots that are not free */
	struct buf head;                            /* of the reply that is being written; kept for its memory */
	bool is_open;
	void (*drained)(void *ctx);
	void *drained_ctx;
	bool is_draining;
};

static void serve(struct slot *s);

/* ---- slots and their connections ---- */

static struct slots *list_of(struct slot *s)
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

/* The free list is a stack, so that the same few slots stay in the cache. */
static void set_state(struct slot *s, enum slot_state state)
{
	struct slots *list = list_of(s);
	if (list)
		TAILQ_REMOVE(list, s, link);
	s->state = state;
	list = list_of(s);
	if (state == SLOT_FREE)
		TAILQ_INSERT_HEAD(list, s, link);
	else if (list)
		TAILQ_INSERT_TAIL(list, s, link);
}

static void drain_check(struct fastcgi *g)
{
	void (*drained)(void *) = g->drained;
	if (!drained || g->connections > 0)
		return;
	g->drained = NULL;
	drained(g->drained_ctx);
}

/* The connection is closed, by us or by libfcgi. */
static void slot_freed(struct slot *s)
{
	event_free(s->readable);
	s->readable = NULL;
	set_state(s, SLOT_FREE);
	s->fastcgi->connections--;
	if (s->fastcgi->is_open)
		event_add(s->fastcgi->acceptable, NULL);
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
	/* The peer hung up on a request that waits for its commit.  The reply will find out; until then, do not spin. */
	event_del(s->readable);
	s->deaf = true;
}

/* ---- reading a request ---- */

static const char *param(struct slot *s, const char *name)
{
	const char *value = FCGX_GetParam(name, s->fcgi.envp);
	return value ? value : "";
}

/* By its name as a parameter (RFC 3875, 4.1.18): "webhook-id" is HTTP_WEBHOOK_ID. */
static const char *header(const struct request *rq, const char *name)
{
	const struct slot *s = CONTAINER_OF(rq, const struct slot, request);
	char variable[HEADER_NAME_MAX + sizeof "HTTP_"] = "HTTP_";
	size_t n = sizeof "HTTP_" - 1;
	for (; *name; name++) {
		if (n + 1 == sizeof variable)
			return NULL;
		variable[n++] = (char)(*name == '-' ? '_' : toupper((unsigned char)*name));
	}
	variable[n] = '\0';
	return FCGX_GetParam(variable, s->fcgi.envp);
}

/* Reads the body to its end.  False: it is cut short, or so long that the connection is better closed. */
static bool read_body(struct slot *s)
{
	struct request *rq = &s->request;
	size_t got = 0;
	int n;

	buf_reset(&rq->body, BODY_KEEP);
	do {
		char piece[BODY_KEEP];
		n = FCGX_GetStr(piece, sizeof piece, s->fcgi.in);
		got += (size_t)n;
		if (got <= PAYLOAD_MAX)
			buf_add(&rq->body, piece, (size_t)n);
	} while (n == BODY_KEEP && got < DRAIN_MOST);
	rq->body_too_large = got > PAYLOAD_MAX;
	bool at_end = n < BODY_KEEP && FCGX_GetError(s->fcgi.in) == 0;
	return at_end && buf_ok(&rq->body) && got == strtoull(param(s, "CONTENT_LENGTH"), NULL, 10);
}

static bool fastcgi_read_request(struct slot *s)
{
	struct request *rq = &s->request;
	rq->method = param(s, "REQUEST_METHOD");
	rq->target = param(s, "REQUEST_URI");
	rq->content_type = param(s, "CONTENT_TYPE");
	rq->address = param(s, "REMOTE_ADDR");
	rq->client_verify = param(s, "PAYHOOK_CLIENT_VERIFY");
	rq->client_subject = param(s, "PAYHOOK_CLIENT_SUBJECT");
	const char *id = param(s, "PAYHOOK_REQUEST_ID");
	size_t len = strnlen(id, REQUEST_ID_MAX);
	memcpy(rq->id, id, len);
	rq->id[len] = '\0';
	traceparent_parse(param(s, "HTTP_TRACEPARENT"), &rq->trace);
	rq->expire = NULL;
	rq->reply.allow = NULL;
	rq->reply.challenge = NULL;
	rq->reply.retry_after = 0;
	rq->route = ROUTE_OTHER;
	rq->outcome = WEBHOOK_NONE;
	rq->may_see_metrics = *param(s, "PAYHOOK_METRICS");
	return read_body(s);
}

/* ---- answering it ---- */

/* Into libfcgi's buffer, which is sent when it is full and when the request ends.  A reply that memory could not hold is
 * not half told: nginx then asks another responder. */
static void write_reply(struct slot *s)
{
	const struct reply *reply = &s->request.reply;
	struct buf *head = &s->fastcgi->head;
	buf_reset(head, BODY_KEEP);
	http_head(reply, head);
	if (!buf_ok(head) || !buf_ok(&reply->body)) {
		s->fcgi.keepConnection = 0;
		return;
	}
	FCGX_PutStr(head->data, (int)head->len, s->fcgi.out);
	FCGX_PutStr(reply->body.data, (int)reply->body.len, s->fcgi.out);
}

/* The one place where a request ends.  Its body has been read to the end, or keepConnection is 0. */
static void slot_finish(struct slot *s)
{
	/* Before the peer can see the answer: who has one and asks for the counts finds it there. */
	counters_end(s->fastcgi->service->counters, s->request.route, s->request.reply.status, s->request.outcome,
		clock_us() - s->request.read_us);
	write_reply(s);
	buf_reset(&s->request.body, BODY_KEEP);
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

static void watch_deadline(struct fastcgi *g)
{
	struct slot *first = TAILQ_FIRST(&g->waiting);
	if (!first || evtimer_pending(g->timer, NULL))
		return;
	int64_t left = first->deadline_ms - clock_ms();
	if (left < 0)
		left = 0;
	struct timeval tv = {.tv_sec = left / 1000, .tv_usec = (left % 1000) * 1000};
	evtimer_add(g->timer, &tv);
}

static void fastcgi_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fastcgi *g = arg;
	struct slot *s;
	int64_t now = clock_ms();
	while ((s = TAILQ_FIRST(&g->waiting)) && s->deadline_ms <= now)
		s->request.expire(&s->request);
	watch_deadline(g);
}

/* A request's first byte is there, or the peer hung up. */
static void serve(struct slot *s)
{
	set_state(s, SLOT_SERVING);
	/* libfcgi first ends the request before this one, and would close the connection were it not kept; detached, it
	 * does not wait for the peer when it closes.  It has no listening socket to accept another connection from. */
	s->fcgi.keepConnection = 1;
	FCGX_Detach(&s->fcgi);
	if (FCGX_Accept_r(&s->fcgi) != 0) {
		slot_freed(s);
		return;
	}
	s->answered = false;
	bool whole = fastcgi_read_request(s);
	s->request.read_us = clock_us();
	counters_begin(s->fastcgi->service->counters);
	if (whole) {
		route_request(&s->request);
	} else {
		s->fcgi.keepConnection = 0;
		http_problem(&s->request, 400, "the body is not as long as its Content-Length");
	}
	if (s->answered) {
		slot_finish(s);
		return;
	}
	s->deadline_ms = s->request.read_us / 1000 + REQUEST_WAIT_MS;
	set_state(s, SLOT_WAITING);
	watch_deadline(s->fastcgi);
}

/* ---- accepting connections ---- */

static bool slot_attach(struct slot *s, int fd)
{
	struct timeval limit = {.tv_usec = PEER_MS * 1000};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	s->readable = event_new(s->fastcgi->base, fd, EV_READ | EV_PERSIST, fastcgi_on_readable, s);
	if (!s->readable || event_add(s->readable, NULL) < 0)
		return false;
	s->fcgi.ipcFd = fd;
	s->deaf = false;
	s->fastcgi->connections++;
	set_state(s, SLOT_FRESH);
	return true;
}

/* Out of descriptors: an idle connection gives up its own, or we wait a moment. */
static void accept_failed(struct fastcgi *g)
{
	if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
		return; /* another process of the pool was faster, or the peer is gone */
	LOG(LOG_LEVEL_WARN, "cannot accept a connection", LOG_TEXT("reason", strerror(errno)));
	if (!TAILQ_EMPTY(&g->idle)) {
		slot_close(TAILQ_FIRST(&g->idle));
		return;
	}
	struct timeval tv = {.tv_usec = RETRY_MS * 1000};
	event_del(g->acceptable);
	evtimer_add(g->retry, &tv);
}

/* Takes one connection, so that those that come together spread over the pool. */
static void fastcgi_on_acceptable(evutil_socket_t listener, short what, void *arg)
{
	(void)what;
	struct fastcgi *g = arg;
	if (TAILQ_EMPTY(&g->free) && !TAILQ_EMPTY(&g->idle))
		slot_close(TAILQ_FIRST(&g->idle));
	struct slot *s = TAILQ_FIRST(&g->free);
	if (!s) {
		event_del(g->acceptable); /* slot_freed() adds it again */
		return;
	}
	int fd = accept(listener, NULL, NULL);
	if (fd < 0) {
		accept_failed(g);
		return;
	}
	if (!slot_attach(s, fd)) {
		if (s->readable)
			event_free(s->readable);
		s->readable = NULL;
		close(fd);
	}
}

static void fastcgi_on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fastcgi *g = arg;
	if (g->is_open)
		event_add(g->acceptable, NULL);
}

/* ---- ending ---- */

/* An idle connection may be the one that nginx takes next, at this very moment; nginx then tries another, but not for
 * ever.  So a draining responder goes on serving whoever speaks, and closes each connection with its reply; what
 * has not spoken for DRAIN_MS is hardly in use, and closed. */
static void fastcgi_on_drain_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct fastcgi *g = arg;
	while (!TAILQ_EMPTY(&g->idle))
		slot_close(TAILQ_FIRST(&g->idle));
}

void fastcgi_drain(struct fastcgi *g, void (*done)(void *ctx), void *ctx)
{
	if (g->is_draining)
		return;
	g->is_draining = true;
	g->is_open = false;
	g->drained = done;
	g->drained_ctx = ctx;
	event_del(g->acceptable);
	event_del(g->retry);
	struct timeval tv = {.tv_usec = DRAIN_MS * 1000};
	evtimer_add(g->drain_over, &tv);
	drain_check(g);
}

/* ---- the interface ---- */

static void slots_init(struct fastcgi *g)
{
	for (int i = FASTCGI_SLOTS - 1; i >= 0; i--) {
		struct slot *s = &g->all[i];
		s->fastcgi = g;
		s->state = SLOT_FREE;
		FCGX_InitRequest(&s->fcgi, -1, 0);
		s->fcgi.ipcFd = -1;
		s->request.service = g->service;
		s->request.header = header;
		s->request.answer = fastcgi_on_answer;
		s->request.state = g->states[i];
		s->request.body = BUF_INIT(PAYLOAD_MAX);
		s->request.reply.body = BUF_INIT(REPLY_BODY_MAX);
		TAILQ_INSERT_HEAD(&g->free, s, link);
	}
}

struct fastcgi *fastcgi_create(struct event_base *base, int listener, struct service *service)
{
	struct fastcgi *g = calloc(1, sizeof *g);
	if (!g)
		return NULL;
	*g = (struct fastcgi){.base = base, .service = service, .listener = listener, .head = BUF_INIT(HEAD_MAX)};
	TAILQ_INIT(&g->free);
	TAILQ_INIT(&g->idle);
	TAILQ_INIT(&g->waiting);
	g->acceptable = event_new(base, listener, EV_READ | EV_PERSIST, fastcgi_on_acceptable, g);
	g->retry = evtimer_new(base, fastcgi_on_retry, g);
	g->timer = evtimer_new(base, fastcgi_on_timer, g);
	g->drain_over = evtimer_new(base, fastcgi_on_drain_over, g);
	g->all = calloc(FASTCGI_SLOTS, sizeof *g->all);
	g->states = calloc(FASTCGI_SLOTS, sizeof *g->states);
	if (!g->acceptable || !g->retry || !g->timer || !g->drain_over || !g->all || !g->states || FCGX_Init() != 0) {
		fastcgi_destroy(g);
		return NULL;
	}
	evutil_make_socket_nonblocking(listener);
	slots_init(g);
	return g;
}

void fastcgi_destroy(struct fastcgi *g)
{
	if (!g)
		return;
	for (int i = 0; g->all && i < FASTCGI_SLOTS; i++) {
		struct slot *s = &g->all[i];
		if (s->readable)
			slot_close(s);
		buf_finish(&s->request.body);
		buf_finish(&s->request.reply.body);
	}
	if (g->acceptable)
		event_free(g->acceptable);
	if (g->retry)
		event_free(g->retry);
	if (g->timer)
		event_free(g->timer);
	if (g->drain_over)
		event_free(g->drain_over);
	buf_finish(&g->head);
	free(g->states);
	free(g->all);
	free(g);
}

void fastcgi_open(struct fastcgi *g)
{
	if (g->is_draining || g->is_open)
		return;
	g->is_open = true;
	event_add(g->acceptable, NULL);
}
