/* exporter.c - the worker's side of a scrape.
 *
 * A scrape is answered when the statistics of the queue have come from the database, or without them if the database
 * does not answer in time.  The event loop never waits for it, and the number of waiting scrapes is bounded.
 *
 * The scraper may close its connection meanwhile.  evhttp then detaches the request from the connection and leaves
 * it to us; sending the reply frees it. */

#include "exporter.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

#include "queue/stats.h"
#include "runtime/log.h"
#include "runtime/metric.h"

#define HEAD_MAX 8192   /* bytes of a request's head */
#define BODY_MAX 1024   /* bytes of a body, which no scrape needs */
#define PEER_S 5        /* time for a client to send its request, and to read its reply */
#define TEXT_MAX 65536  /* bytes of a reply; some 5,000 are used */
#define BIND_AGAIN_S 5  /* until a port that was in use is tried again */
#define SCRAPES_MOST 16 /* scrapes that wait for statistics; further ones are answered 503 */

/* A scrape that waits for the statistics. */
struct scrape {
	struct exporter *exporter;
	struct evhttp_request *request;
	struct stats_request stats_request;
	TAILQ_ENTRY(scrape) waiting;
};

struct exporter {
	const struct settings *settings;
	struct worker *worker;
	struct worker_metrics *worker_metrics;
	struct stats *stats;
	struct evhttp *http;
	struct event *bind_again;
	bool bind_failed; /* and that has been logged */
	TAILQ_HEAD(, scrape) scrapes;
	int waiting;
};

static void reply(struct evhttp_request *rq, int status, const char *phrase, const char *type, struct buf *text)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(rq);
	struct evbuffer *body = evbuffer_new();
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (body)
		evbuffer_add(body, text->data, text->len);
	evhttp_send_reply(rq, status, phrase, body);
	if (body)
		evbuffer_free(body);
}

static void exporter_reply_error(struct evhttp_request *rq, int status, const char *phrase)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	buf_add_format(&text, "%s\n", phrase);
	reply(rq, status, phrase, "text/plain; charset=utf-8", &text);
	buf_finish(&text);
}

static void scrape_end(struct scrape *s)
{
	TAILQ_REMOVE(&s->exporter->scrapes, s, waiting);
	s->exporter->waiting--;
	free(s);
}

/* The scrape is freed first: rendering and replying need only the request. */
static void exporter_on_stats(struct stats_request *q, const struct queue_stats *stats)
{
	struct scrape *s = CONTAINER_OF(q, struct scrape, stats_request);
	struct exporter *e = s->exporter;
	struct evhttp_request *rq = s->request;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct worker_metrics_now now = worker_now(e->worker);
	scrape_end(s);
	worker_metrics_render(e->worker_metrics, &now, stats, &text);
	if (text.len > 0 && buf_ok(&text))
		reply(rq, HTTP_OK, "OK", METRICS_TYPE, &text);
	else
		exporter_reply_error(rq, HTTP_SERVUNAVAIL, "Service Unavailable");
	buf_finish(&text);
}

static void exporter_on_scrape(struct evhttp_request *rq, void *arg)
{
	struct exporter *e = arg;
	struct scrape *s = e->waiting < SCRAPES_MOST ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		exporter_reply_error(rq, HTTP_SERVUNAVAIL, "Service Unavailable");
		return;
	}
	*s = (struct scrape){.exporter = e, .request = rq, .stats_request = {.done = exporter_on_stats}};
	TAILQ_INSERT_TAIL(&e->scrapes, s, waiting);
	e->waiting++;
	stats_ask(e->stats, &s->stats_request);
}

static void exporter_on_other(struct evhttp_request *rq, void *arg)
{
	(void)arg;
	exporter_reply_error(rq, HTTP_NOTFOUND, "Not Found");
}

/* ---- the port ---- */

/* Tries to bind the port; runs at the start, and again from its own timer until the port is bound. */
static void exporter_on_bind(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct exporter *e = arg;
	const char *address = e->settings->worker_metrics_address;
	int port = e->settings->worker_metrics_port;
	if (evhttp_bind_socket_with_handle(e->http, address, (ev_uint16_t)port)) {
		LOG(LOG_LEVEL_INFO, "metrics served", LOG_TEXT("address", address), LOG_NUMBER("port", port));
		return;
	}
	if (!e->bind_failed)
		LOG(LOG_LEVEL_WARN, "metrics not served until the port is free", LOG_TEXT("address", address),
			LOG_NUMBER("port", port), LOG_TEXT("reason", strerror(errno)));
	e->bind_failed = true;
	struct timeval tv = {.tv_sec = BIND_AGAIN_S};
	evtimer_add(e->bind_again, &tv);
}

/* ---- the whole ---- */

static bool set_up(struct exporter *e, struct event_base *base)
{
	e->bind_again = evtimer_new(base, exporter_on_bind, e);
	e->http = evhttp_new(base);
	e->stats = stats_create(worker_connect_state(e->worker));
	if (!e->bind_again || !e->http || !e->stats)
		return false;
	evhttp_set_allowed_methods(e->http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(e->http, HEAD_MAX);
	evhttp_set_max_body_size(e->http, BODY_MAX);
	evhttp_set_timeout(e->http, PEER_S);
	evhttp_set_gencb(e->http, exporter_on_other, e);
	if (evhttp_set_cb(e->http, "/metrics", exporter_on_scrape, e) != 0)
		return false;
	exporter_on_bind(-1, 0, e);
	return true;
}

struct exporter *exporter_create(
	struct event_base *base, const struct settings *s, struct worker *worker, struct worker_metrics *worker_metrics)
{
	struct exporter *e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	*e = (struct exporter){.settings = s, .worker = worker, .worker_metrics = worker_metrics};
	TAILQ_INIT(&e->scrapes);
	if (s->worker_metrics_port == 0 || set_up(e, base))
		return e;
	exporter_destroy(e);
	return NULL;
}

/* Drops a waiting scrape.  A request that still has a connection is freed with it by evhttp_free(); one whose client
 * has gone belongs to us. */
static void scrape_drop(struct scrape *s)
{
	stats_withdraw(s->exporter->stats, &s->stats_request);
	if (!evhttp_request_get_connection(s->request))
		evhttp_request_free(s->request);
	scrape_end(s);
}

void exporter_destroy(struct exporter *e)
{
	if (!e)
		return;
	for (struct scrape *s = TAILQ_FIRST(&e->scrapes), *next; s; s = next) {
		next = TAILQ_NEXT(s, waiting);
		scrape_drop(s);
	}
	if (e->http)
		evhttp_free(e->http);
	stats_destroy(e->stats);
	if (e->bind_again)
		event_free(e->bind_again);
	free(e);
}
