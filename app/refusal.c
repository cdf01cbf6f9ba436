/* refusal.c - why a request was refused, told to the operator. */

#include "refusal.h"

#include "runtime/log.h"

static void log_refusal(const struct request *rq, const struct rejection *why)
{
	static struct log_pause pauses[REJECTION_CAUSE_COUNT];
	int64_t unsaid;
	if (!log_pause_over(&pauses[why->cause], &unsaid))
		return;
	LOG(LOG_LEVEL_WARN, rq->route == ROUTE_WEBHOOKS ? "webhook is refused" : "request is refused",
		LOG_TEXT("request_id", rq->id), LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)),
		LOG_TEXT("source", why->source ? why->source : ""), LOG_TEXT("address", rq->address),
		LOG_TEXT("cause", rejection_cause_name(why->cause)), LOG_NUMBER("skew_s", why->skew_s),
		LOG_TEXT("reason", why->detail), LOG_NUMBER("more_since_last", unsaid));
}

void refusal_tell(const struct request *rq, const struct rejection *why)
{
	struct rejection whole = *why;
	whole.address = rq->address;
	whole.request_id = rq->id;
	log_refusal(rq, why);
	counts_refusal(rq->service->counts, why->cause);
	rejections_add(rq->service->rejections, &whole);
}
