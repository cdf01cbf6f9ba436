/* route.c - finds the handler of a request by method and path.
 *
 * The one table of routes also names the scope of an API key that each route needs, so a new route cannot be added
 * without a decision on access.  Paths are compared after path_read(): decoded once, with "." and ".." resolved, so
 * no other spelling of a path evades the scope of its route. */

#include "route.h"

#include <string.h>

#include "access.h"
#include "health.h"
#include "lookup.h"
#include "metrics.h"
#include "webhook.h"

#define ANY "*" /* matches any segment; the handler reads it */

struct route {
	const char *method;
	const char *segments[4];    /* ends at the first NULL */
	enum counted_route counted; /* its label in the metrics */
	unsigned scope; /* enum api_scope that a client needs; 0: the route decides by itself, or is public */
	void (*handle)(struct request *rq);
};

static const struct route ROUTES[] = {
	{"GET", {""}, ROUTE_HEALTH, 0, health_get},
	{"GET", {"livez"}, ROUTE_LIVE, 0, health_live},
	{"GET", {"readyz"}, ROUTE_READY, 0, health_ready},
	{"GET", {"metrics"}, ROUTE_METRICS, API_OPERATE, metrics_get},
	{"POST", {"v1", "webhooks", ANY}, ROUTE_WEBHOOKS, 0, webhook_post},
	{"GET", {"v1", "transactions", ANY}, ROUTE_TRANSACTION, API_READ, lookup_get},
	{"GET", {"v1", "payments", ANY}, ROUTE_PAYMENT, API_READ, lookup_get_payment},
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

/* Each GET route answers HEAD too; nginx omits the body (RFC 9110, 9.3.2). */
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
