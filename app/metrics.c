/* metrics.c - answers GET /metrics with the sums of all responders of the host.
 *
 * Two conditions must hold: nginx admits the address (METRICS_ALLOW), and with API_KEYS_FILE the key has the scope
 * "operate", which route.c has checked before. */

#include "metrics.h"

#include "counters.h"
#include "runtime/metric.h"
#include "source_counters.h"

#define METRICS_BODY_MAX (512 * 1024) /* bytes: four series and a time for each of 256 sources take some 200 KiB */

void metrics_get(struct request *rq)
{
	if (!rq->may_see_metrics) {
		http_problem(rq, 403, "the metrics are not for this address; METRICS_ALLOW lists those that may ask");
		return;
	}
	if (!counters_are_shared(rq->service->counters)) {
		rq->reply.retry_after = 60; /* seconds; an operator has to act first */
		http_problem(rq, 503, "the responders do not share their counts; their log says why");
		return;
	}
	struct fault f;
	http_begin(rq, 200);
	rq->reply.body.max = METRICS_BODY_MAX;
	rq->reply.type = METRICS_TYPE;
	if (counters_render(rq->service->counters, rq->certificate_expires, &rq->reply.body) &&
		source_counters_render(rq->service->source_counters, &rq->reply.body))
		rq->answer(rq);
	else if (!fault_set(&f, FAULT_BUSY, "out of memory"))
		http_fault(rq, &f);
}
