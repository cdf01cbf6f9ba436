/* auth_failure.c - logs, counts and records why a request failed authentication.
 *
 * Anyone who reaches the port can cause auth failures, so each of the three costs little: log lines are limited for
 * each cause, the counter is one addition, and the row is copied into a bounded buffer that is written later
 * (ingest/auth_failures.h). */

#include "auth_failure.h"

#include "runtime/log.h"

/* Writes at most one line a second for each cause; more_since_last counts the lines that were left out. */
static void log_auth_failure(const struct request *rq, const struct auth_failure *why)
{
	static struct log_pause pauses[AUTH_FAILURE_CAUSE_COUNT];
	int64_t suppressed;
	if (!log_pause_over(&pauses[why->cause], &suppressed))
		return;
	LOG(LOG_LEVEL_WARN,
		rq->route == ROUTE_WEBHOOKS ? "webhook authentication failed" : "request authentication failed",
		LOG_TEXT("request_id", rq->id), LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)),
		LOG_TEXT("source", why->source ? why->source : ""), LOG_TEXT("address", rq->address),
		LOG_TEXT("cause", auth_failure_cause_name(why->cause)), LOG_NUMBER("skew_s", why->skew_s),
		LOG_TEXT("reason", why->detail), LOG_NUMBER("more_since_last", suppressed));
}

void auth_failure_report(const struct request *rq, const struct auth_failure *why)
{
	struct auth_failure whole = *why;
	whole.address = rq->address;
	whole.request_id = rq->id;
	log_auth_failure(rq, why);
	counters_auth_failure(rq->service->counters, why->cause);
	auth_failures_add(rq->service->auth_failures, &whole);
}
