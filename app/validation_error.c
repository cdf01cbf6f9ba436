/* validation_error.c - logs, counts and records why a webhook is answered 400, 413, 415 or 422.
 *
 * Each of the three costs little, as anyone may cause such an answer of a source without a scheme: log lines are limited for
 * each source, and the row is copied into a bounded buffer that is written later (ingest/validation_errors.h).  A problem's
 * detail may quote the body, so only its pointer and its code are used; fault texts are not used at all. */

#include "validation_error.h"

#include "ingest/auth_failures.h"
#include "runtime/log.h"
#include "source/source.h"

/* The code of a validation error without problems. */
static const char *code_of_status(int status)
{
	switch (status) {
	case 400:
		return "malformed";
	case 413:
		return "too_large";
	case 415:
		return "media_type";
	default:
		return "invalid";
	}
}

/* At most one line a second for each source, apart for verified webhooks; more_since_last counts those left out. */
static void log_validation_error(const struct request *rq, int status, const char *problems)
{
	static struct log_pause pauses[SOURCES_MAX][2];
	int64_t suppressed;
	if (!log_pause_over(&pauses[rq->source - rq->service->sources->list][rq->is_verified], &suppressed))
		return;
	LOG(LOG_LEVEL_WARN, "webhook is invalid", LOG_TEXT("request_id", rq->id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_TEXT("source", rq->source->name),
		LOG_TEXT("address", rq->address), LOG_TEXT("signature", rq->is_verified ? "verified" : "not verified"),
		LOG_NUMBER("status", status), LOG_TEXT("problems", problems),
		LOG_NUMBER("more_since_last", suppressed));
}

void validation_error_on_problem(const struct request *rq, int status, const struct txn_problems *problems)
{
	char text[VALIDATION_ERROR_PROBLEMS_MAX + 1];
	if (rq->outcome != WEBHOOK_INVALID || (status != 400 && status != 413 && status != 415 && status != 422))
		return;
	txn_problems_text(problems, rq->invalid_code ? rq->invalid_code : code_of_status(status), text, sizeof text);
	log_validation_error(rq, status, text);
	auth_failures_add_invalid(rq->service->auth_failures, &(struct validation_error){.source = rq->source->name,
								      .is_verified = rq->is_verified,
								      .status = status,
								      .problems = text,
								      .address = rq->address,
								      .request_id = rq->id});
}
