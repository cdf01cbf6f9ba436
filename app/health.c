/* health.c - reports whether a webhook could be made durable now.
 *
 * The answer is what webhooks got (ingest/readiness.h): no if a batch was refused since the last success, yes if there
 * was one within half a second, and otherwise the outcome of a probe that stores rows and rolls them back.  A mere read would
 * not do, because reads still work when the disk is full or the server is a standby.  A probe waits at most
 * REQUEST_WAIT_MS, as a webhook does; a database that answers later would fail webhooks too. */

#include "health.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "fastcgi/client.h"
#include "ingest/ingest.h"
#include "runtime/log.h"
#include "runtime/settings.h"
#include "source/source.h"

/* request.state of a request that waits for the result of its probe. */
struct health_check {
	struct request *rq;
	struct ingest_probe probe;
};

_Static_assert(sizeof(struct health_check) <= REQUEST_STATE_MAX, "the state fits");

/* Logs a change between healthy and unhealthy, and its reason; not each probe, of which a client may make any number.  A
 * state that comes and goes is logged once a second, and its end only if its beginning was. */
static void log_health(const struct request *rq, const struct fault *f)
{
	static struct log_pause pause;
	static bool failure_logged;
	int64_t suppressed;
	if (f && !failure_logged && log_pause_over(&pause, &suppressed)) {
		failure_logged = true;
		LOG(LOG_LEVEL_WARN, "health check failed", LOG_TEXT("request_id", rq->id), LOG_TEXT("reason", f->text),
			LOG_NUMBER("more_since_last", suppressed));
	} else if (!f && failure_logged) {
		failure_logged = false;
		LOG(LOG_LEVEL_INFO, "health check succeeds again", LOG_TEXT("request_id", rq->id));
	}
}

static void reply_health(struct request *rq, bool healthy)
{
	char now[CLOCK_DATE_MAX];
	http_begin(rq, healthy ? 200 : 503);
	rq->reply.retry_after = healthy ? 0 : 1;
	buf_add_format(&rq->reply.body, "{\"status\":\"%s\",\"current_time\":\"%s\"}",
		healthy ? "HEALTHY" : "UNHEALTHY", clock_date(time(NULL), now));
	rq->answer(rq);
}

/* Answers GET /. */
static void health_on_health(struct ingest_probe *p, const struct fault *f)
{
	struct request *rq = CONTAINER_OF(p, struct health_check, probe)->rq;
	log_health(rq, f);
	reply_health(rq, !f);
}

/* Lists the sources that accept unsigned webhooks, and from where open ones do, so that a deployment can be checked.
 * Others than local clients do not learn which those are.  Source names consist of lower case letters, digits and
 * hyphens, so they need no JSON escapes. */
static void add_open_sources(struct buf *b, const struct sources *all, const struct settings *s)
{
	int count = 0;
	for (int i = 0; i < all->count; i++) {
		if (all->list[i].auth == SOURCE_AUTH_NONE)
			buf_add_format(b, "%s\"%s\"", count++ == 0 ? ",\"open_sources\":[" : ",", all->list[i].name);
	}
	if (count == 0)
		return;
	buf_add_text(b, "],\"open_source_from\":\"");
	buf_add_json(b, s->open_source_from, strlen(s->open_source_from));
	buf_add_text(b, "\"");
}

/* Answers GET /readyz. */
static void health_on_ready(struct ingest_probe *p, const struct fault *f)
{
	struct request *rq = CONTAINER_OF(p, struct health_check, probe)->rq;
	log_health(rq, f);
	if (f) {
		http_fault(rq, f);
		return;
	}
	http_begin(rq, 200);
	buf_add_text(&rq->reply.body, "{\"status\":\"ready\"");
	if (client_is_local(rq))
		add_open_sources(&rq->reply.body, rq->service->sources, rq->service->settings);
	buf_add_text(&rq->reply.body, "}");
	rq->answer(rq);
}

/* The probe is withdrawn first: its memory is the request's and is reused after the answer. */
static void health_expire(struct request *rq)
{
	struct health_check *check = rq->state;
	struct fault f;
	ingest_withdraw_probe(rq->service->ingest, &check->probe);
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	check->probe.done(&check->probe, &f);
}

/* done() answers the request, possibly before this returns. */
static void probe_health(struct request *rq, void (*done)(struct ingest_probe *, const struct fault *))
{
	struct health_check *check = rq->state;
	*check = (struct health_check){.rq = rq, .probe = {.done = done}};
	rq->expire = health_expire;
	ingest_probe_health(rq->service->ingest, &check->probe);
}

void health_get(struct request *rq)
{
	probe_health(rq, health_on_health);
}

void health_ready(struct request *rq)
{
	probe_health(rq, health_on_ready);
}

void health_live(struct request *rq)
{
	http_begin(rq, 200);
	buf_add_text(&rq->reply.body, "{\"status\":\"alive\"}");
	rq->answer(rq);
}
