/* metrics.c - what the responders have counted, for those who may see it. */

#include "metrics.h"

#include "counters.h"
#include "runtime/metric.h"

void metrics_get(struct request *rq)
{
	if (!rq->may_see_metrics) {
		http_problem(rq, 403, "the metrics are not for this address; METRICS_ALLOW lists those that may ask");
		return;
	}
	http_begin(rq, 200);
	rq->reply.type = METRICS_TYPE;
	if (!counters_render(rq->service->counters, &rq->reply.body)) {
		rq->reply.retry_after = 60; /* when somebody has seen to it */
		http_problem(rq, 503, "the responders do not share their counts; their log says why");
		return;
	}
	rq->answer(rq);
}
