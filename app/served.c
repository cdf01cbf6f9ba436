/* served.c - the responder's requests, from the FastCGI server to the routes and the counters. */

#include "served.h"

#include "base/clock.h"
#include "route.h"
#include "runtime/settings.h"
#include "source_counters.h"
#include "webhook.h"

/* Bytes of the bodies of all requests that wait; a request beyond it is answered 503.  Bodies of the default BODY_LIMIT
 * fit into it in all slots. */
#define BODIES_MAX (FASTCGI_SLOTS * 64 * 1024)

static void served_begin(struct request *rq)
{
	counters_begin(rq->service->counters);
}

static void served_end(struct request *rq)
{
	counters_end(rq->service->counters, (enum counted_route)rq->route, rq->reply.status,
		(enum webhook_outcome)rq->outcome, clock_us() - rq->read_us);
	source_counters_end(rq->service->source_counters, rq);
	webhook_count(rq);
}

struct fastcgi_plan served_plan(const struct settings *s)
{
	return (struct fastcgi_plan){.slots = FASTCGI_SLOTS,
		.wait_ms = REQUEST_WAIT_MS,
		.body_max = (size_t)s->body_limit,
		.bodies_max = BODIES_MAX,
		.reply_max = REPLY_BODY_MAX,
		.begin = served_begin,
		.handle = route_request,
		.end = served_end};
}
