/* http_server.c - an HTTP/1.1 server that answers as a test scripts it. */

#include "support/http_server.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define BACKLOG 1024
#define SCRIPT_MAX 64

struct connection {
	TAILQ_ENTRY(connection) next;
	struct http_server *server;
	struct bufferevent *wire;
	struct event *timer; /* for the delay of an answer */
	int number;
	struct http_answer answer; /* the current answer */
	bool answering;            /* a call was received, and its answer is not written yet */
	bool closing;              /* after everything has been written */
};

struct scripted {
	int count;
	struct http_answer answer;
};

struct http_server {
	struct event_base *base;
	struct evconnlistener *listener;
	TAILQ_HEAD(, connection) connections;
	int accepted, open;
	struct http_heard *heard;
	int heard_count;
	struct scripted script[SCRIPT_MAX];
	int script_at, script_count;
	bool hangs_up, holds;
};

static void connection_close(struct connection *c)
{
	TAILQ_REMOVE(&c->server->connections, c, next);
	c->server->open--;
	event_free(c->timer);
	bufferevent_free(c->wire);
	free(c);
}

/* ---- answers ---- */

static struct http_answer next_answer(struct http_server *s)
{
	while (s->script_at < s->script_count && s->script[s->script_at].count == 0)
		s->script_at++;
	if (s->script_at == s->script_count)
		return (struct http_answer){0};
	s->script[s->script_at].count--;
	return s->script[s->script_at].answer;
}

static void write_answer(struct connection *c)
{
	const char *bytes = c->answer.bytes ? c->answer.bytes : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct evbuffer *out = bufferevent_get_output(c->wire);
	char filler[4096];
	memset(filler, 'x', sizeof filler);
	c->answering = false;
	c->closing = c->answer.close;
	evbuffer_add(out, bytes, strlen(bytes));
	for (size_t left = c->answer.filler, part; left > 0; left -= part) {
		part = left < sizeof filler ? left : sizeof filler;
		evbuffer_add(out, filler, part);
	}
	if (c->closing && evbuffer_get_length(out) == 0)
		connection_close(c);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	write_answer(arg);
}

static void answer(struct connection *c)
{
	struct timeval tv = clock_timeval(c->answer.delay_ms);
	if (c->answer.never || c->server->holds)
		return;
	if (c->answer.delay_ms > 0)
		evtimer_add(c->timer, &tv);
	else
		write_answer(c);
}

/* ---- calls ---- */

/* The length of the body that the headers announce. */
static size_t announced(const char *head)
{
	static const char NAME[] = "\r\ncontent-length:";
	const char *at = strcasestr(head, NAME);
	return at ? strtoul(at + strlen(NAME), NULL, 10) : 0;
}

static char *take(struct evbuffer *in, size_t len)
{
	char *text = malloc(len + 1);
	cr_assert_not_null(text);
	evbuffer_remove(in, text, len);
	text[len] = '\0';
	return text;
}

static void on_bytes(struct bufferevent *wire, void *arg)
{
	struct connection *c = arg;
	struct http_server *s = c->server;
	struct evbuffer *in = bufferevent_get_input(wire);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (c->answering || end.pos < 0)
		return;
	size_t head_len = (size_t)end.pos + 4, len = evbuffer_get_length(in);
	char *head = take(in, head_len);
	size_t body_len = announced(head);
	if (len < head_len + body_len) {
		evbuffer_prepend(in, head, head_len);
		free(head);
		return;
	}
	s->heard = realloc(s->heard, sizeof *s->heard * (size_t)(s->heard_count + 1));
	cr_assert_not_null(s->heard);
	s->heard[s->heard_count++] = (struct http_heard){c->number, head, take(in, body_len), body_len};
	c->answering = true;
	c->answer = next_answer(s);
	answer(c);
}

static void on_written(struct bufferevent *wire, void *arg)
{
	(void)wire;
	struct connection *c = arg;
	if (c->closing)
		connection_close(c);
}

static void on_event(struct bufferevent *wire, short what, void *arg)
{
	(void)wire;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_close(arg);
}

static void on_connection(
	struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int len, void *arg)
{
	(void)listener, (void)address, (void)len;
	struct http_server *s = arg;
	s->accepted++;
	if (s->hangs_up) {
		evutil_closesocket(fd);
		return;
	}
	struct connection *c = calloc(1, sizeof *c);
	cr_assert_not_null(c);
	c->server = s;
	c->number = s->accepted;
	c->timer = evtimer_new(s->base, on_time, c);
	c->wire = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	cr_assert(c->timer && c->wire);
	TAILQ_INSERT_TAIL(&s->connections, c, next);
	s->open++;
	bufferevent_setcb(c->wire, on_bytes, on_written, on_event, c);
	bufferevent_enable(c->wire, EV_READ | EV_WRITE);
}

/* ---- the server ---- */

struct http_server *http_server_open(struct event_base *base)
{
	struct http_server *s = calloc(1, sizeof *s);
	cr_assert_not_null(s);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	s->base = base;
	TAILQ_INIT(&s->connections);
	s->listener = evconnlistener_new_bind(base, on_connection, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
		BACKLOG, (struct sockaddr *)&address, sizeof address);
	cr_assert_not_null(s->listener);
	return s;
}

void http_server_close(struct http_server *s)
{
	if (!s)
		return;
	while (!TAILQ_EMPTY(&s->connections))
		connection_close(TAILQ_FIRST(&s->connections));
	evconnlistener_free(s->listener);
	for (int i = 0; i < s->heard_count; i++) {
		free(s->heard[i].head);
		free(s->heard[i].body);
	}
	free(s->heard);
	free(s);
}

int http_server_port(const struct http_server *s)
{
	struct sockaddr_in address;
	socklen_t len = sizeof address;
	cr_assert_eq(getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

void http_server_answer(struct http_server *s, int count, struct http_answer answer)
{
	cr_assert_lt(s->script_count, SCRIPT_MAX);
	s->script[s->script_count++] = (struct scripted){count, answer};
}

void http_server_hang_up(struct http_server *s)
{
	s->hangs_up = true;
}

void http_server_hold(struct http_server *s)
{
	s->holds = true;
}

void http_server_release(struct http_server *s)
{
	s->holds = false;
	struct connection *c, *following;
	for (c = TAILQ_FIRST(&s->connections); c; c = following) {
		following = TAILQ_NEXT(c, next);
		if (c->answering)
			answer(c);
	}
}

void http_server_close_idle(struct http_server *s)
{
	struct connection *c, *following;
	for (c = TAILQ_FIRST(&s->connections); c; c = following) {
		following = TAILQ_NEXT(c, next);
		if (!c->answering)
			connection_close(c);
	}
}

int http_server_calls(const struct http_server *s)
{
	return s->heard_count;
}

int http_server_connections(const struct http_server *s)
{
	return s->accepted;
}

int http_server_open_connections(const struct http_server *s)
{
	return s->open;
}

const struct http_heard *http_server_heard(const struct http_server *s, int number)
{
	cr_assert_lt(number, s->heard_count, "only %d calls came", s->heard_count);
	return &s->heard[number];
}

const char *http_heard_value(const struct http_heard *h, const char *name)
{
	static char value[4096];
	const char *found = NULL;
	size_t name_len = strlen(name);
	for (const char *line = h->head; (line = strstr(line, "\r\n"));) {
		line += 2;
		if (strncasecmp(line, name, name_len) != 0 || strncmp(line + name_len, ": ", 2) != 0)
			continue;
		cr_assert_null(found, "%s stands twice in: %s", name, h->head);
		found = line + name_len + 2;
	}
	if (!found)
		return NULL;
	size_t len = strcspn(found, "\r");
	cr_assert_lt(len, sizeof value);
	memcpy(value, found, len);
	value[len] = '\0';
	return value;
}
