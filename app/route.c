/* route.c - method and path to handler. */

#include "route.h"

#include <string.h>

#include "health.h"
#include "lookup.h"
#include "webhook.h"

#define ANY "*" /* a segment that the handler reads itself */

struct route {
	const char *method;
	const char *segments[4]; /* up to the first null */
	void (*handle)(struct request *rq);
};

static const struct route ROUTES[] = {
	{"GET", {""}, health_get},
	{"GET", {"livez"}, health_live},
	{"GET", {"readyz"}, health_ready},
	{"POST", {"v1", "webhooks", "transactions"}, webhook_post},
	{"GET", {"v1", "transactions", ANY}, lookup_get},
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
	if (!path_read(rq->target, &rq->path, &f)) {
		http_fault(rq, &f);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(ROUTES); i++) {
		const struct route *r = &ROUTES[i];
		if (!path_matches(r, &rq->path))
			continue;
		if (method_matches(r, rq->method)) {
			r->handle(rq);
			return;
		}
		rq->reply.allow = strcmp(r->method, "GET") == 0 ? "GET, HEAD" : r->method;
		http_problem(rq, 405, "this path does not have that method");
		return;
	}
	http_problem(rq, 404, "there is nothing at this path");
}
