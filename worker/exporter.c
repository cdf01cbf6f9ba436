/* exporter.c - the worker's side of a scrape.
 *
 * An answer waits for the survey of the database.  Who asked may hang up meanwhile: evhttp then takes the request from
 * its connection and leaves it to us, and sending the answer frees it. */

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
#define BODY_MAX 1024   /* nobody has to send one */
#define PEER_S 5        /* for a connection to bring its request, or to take its answer */
#define TEXT_MAX 65536  /* bytes of an answer; there are some 5000 */
#define BIND_AGAIN_S 5  /* until a port that was taken is tried again */
#define SCRAPES_MOST 16 /* that wait for a survey; more are told to come again */

/* One request that waits. */
struct scrape {
	struct exporter *exporter;
	struct evhttp_request *request;
	struct stats_request question;
	TAILQ_ENTRY(scrape) waiting;
};

struct exporter {
	const struct settings *settings;
	struct worker *worker;
	struct worker_metrics *worker_metrics;
	struct stats *stats;
	struct evhttp *http;
	struct event *bind_again;
	bool refused; /* binding failed, and that was told */
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

static void exporter_refuse(struct evhttp_request *rq, int status, const char *phrase)
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

static void exporter_on_seen(struct stats_request *q, const struct queue_stats *seen)
{
	struct scrape *s = CONTAINER_OF(q, struct scrape, question);
	struct exporter *e = s->exporter;
	struct evhttp_request *rq = s->request;
	struct buf text = BUF_INIT(TEXT_MAX);
	struct worker_metrics_now now = worker_now(e->worker);
	scrape_end(s);
	worker_metrics_render(e->worker_metrics, &now, seen, &text);
	if (text.len > 0 && buf_ok(&text))
		reply(rq, HTTP_OK, "OK", METRICS_TYPE, &text);
	else
		exporter_refuse(rq, HTTP_SERVUNAVAIL, "Service Unavailable");
	buf_finish(&text);
}

static void exporter_on_scrape(struct evhttp_request *rq, void *arg)
{
	struct exporter *e = arg;
	struct scrape *s = e->waiting < SCRAPES_MOST ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		exporter_refuse(rq, HTTP_SERVUNAVAIL, "Service Unavailable");
		return;
	}
	*s = (struct scrape){.exporter = e, .request = rq, .question = {.done = exporter_on_seen}};
	TAILQ_INSERT_TAIL(&e->scrapes, s, waiting);
	e->waiting++;
	stats_ask(e->stats, &s->question);
}

static void exporter_on_other(struct evhttp_request *rq, void *arg)
{
	(void)arg;
	exporter_refuse(rq, HTTP_NOTFOUND, "Not Found");
}

/* ---- the port ---- */

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
	if (!e->refused)
		LOG(LOG_LEVEL_WARN, "metrics not served until the port is free", LOG_TEXT("address", address),
			LOG_NUMBER("port", port), LOG_TEXT("reason", strerror(errno)));
	e->refused = true;
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

/* Requests on a connection end with it; the others are ours. */
static void forget(struct scrape *s)
{
	stats_withdraw(s->exporter->stats, &s->question);
	if (!evhttp_request_get_connection(s->request))
		evhttp_request_free(s->request);
	scrape_end(s);
}

void exporter_destroy(struct exporter *e)
{
	if (!e)
		return;
	while (!TAILQ_EMPTY(&e->scrapes))
		forget(TAILQ_FIRST(&e->scrapes));
	if (e->http)
		evhttp_free(e->http);
	stats_destroy(e->stats);
	if (e->bind_again)
		event_free(e->bind_again);
	free(e);
}
