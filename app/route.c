/* route.c - method and path to handler. */

#include "route.h"

#include <string.h>

#include "access.h"
#include "health.h"
#include "lookup.h"
#include "metrics.h"
#include "webhook.h"

#define ANY "*" /* a segment that the handler reads itself */

struct route {
	const char *method;
	const char *segments[4]; /* up to the first null */
	enum counted_route counted;
	unsigned scope; /* that a key has to have (enum api_scope); 0: for everybody */
	void (*handle)(struct request *rq);
};

static const struct route ROUTES[] = {
	{"GET", {""}, ROUTE_HEALTH, 0, health_get},
	{"GET", {"livez"}, ROUTE_LIVE, 0, health_live},
	{"GET", {"readyz"}, ROUTE_READY, 0, health_ready},
	{"GET", {"metrics"}, ROUTE_METRICS, API_OPERATE, metrics_get},
	{"POST", {"v1", "webhooks", ANY}, ROUTE_WEBHOOKS, 0, webhook_post},
	{"GET", {"v1", "transactions", ANY}, ROUTE_TRANSACTION, API_READ, lookup_get},
};

static bool path_matches(const struct route *r, const struct path *p)
{
	int n = 0;
	for (; n < (int)COUNT_OF(r->segments) && r->segments[n]; n++) {
		if (n >= p->count)
			return false;
		if (strcmp(r->segments[n], ANY) != 0 && strcmp(r->segments[n], p->segment[n]) != 0)
			return false;
	}
	return n == p->count;
}

/* HEAD is answered wherever GET is; nginx leaves the body out. */
static bool method_matches(const struct route *r, const char *method)
{
	return strcmp(r->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0);
}

void route_request(struct request *rq)
{
	struct fault f;
	rq->route = ROUTE_OTHER;
	if (!path_read(rq->target, &rq->path, &f)) {
		http_fault(rq, &f);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(ROUTES); i++) {
		const struct route *r = &ROUTES[i];
		if (!path_matches(r, &rq->path))
			continue;
		rq->route = r->counted;
		if (method_matches(r, rq->method)) {
			if (!r->scope || access_granted(rq, (enum api_scope)r->scope))
				r->handle(rq);
			return;
		}
		rq->reply.allow = strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method;
		http_problem(rq, 405, "this path does not have that method");
		return;
	}
	http_problem(rq, 404, "there is nothing at this path");
}
