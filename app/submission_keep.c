/* submission_keep.c - what of a webhook cannot be mapped, and its way to the webhooks that are kept.
 *
 * Only a source that keeps them comes here, and only with such a webhook, so that the others pay nothing for it: the memory is
 * allocated then.  The order of keeping and storing belongs to submission.c. */

#include "submission_keep.h"

#include <stdlib.h>

#include "problems.h"
#include "runtime/log.h"

bool submission_keep_note(
	struct submission_keep **k, const struct fault *f, const struct txn_problems *problems, const char *code)
{
	struct submission_keep *noted = *k;
	if (!noted) {
		noted = *k = calloc(1, sizeof **k);
		if (!noted)
			return false;
		noted->fault = *f;
	}
	if (!problems || problems->count == 0)
		noted->code = noted->code ? noted->code : code;
	for (int i = 0; problems && i < problems->count && noted->problems.count < TXN_PROBLEMS_MAX; i++)
		noted->problems.list[noted->problems.count++] = problems->list[i];
	return true;
}

void submission_keep_send(struct submission_keep *k, struct request *rq, const struct insert_body *body,
	void (*done)(struct unreadable_insert *insert, bool is_kept, const struct fault *f))
{
	k->rq = rq;
	txn_problems_text(&k->problems, k->code ? k->code : "invalid", k->reason, sizeof k->reason);
	k->insert = (struct unreadable_insert){.source = rq->source->name,
		.request_id = rq->id,
		.traceparent = rq->trace.text,
		.reason = k->reason,
		.body = body,
		.done = done};
	unreadable_keep(rq->service->unreadable, &k->insert);
}

void submission_keep_log(const struct submission_keep *k)
{
	static struct log_pause pauses[SOURCES_MAX];
	const struct request *rq = k->rq;
	int64_t suppressed;
	if (log_pause_over(&pauses[rq->source - rq->service->sources->list], &suppressed))
		LOG(LOG_LEVEL_WARN, "webhook is kept as unreadable", LOG_TEXT("request_id", rq->id),
			LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_TEXT("source", rq->source->name),
			LOG_TEXT("problems", k->reason), LOG_NUMBER("more_since_last", suppressed));
}

void submission_keep_refuse(const struct submission_keep *k)
{
	k->rq->invalid_code = k->code;
	if (k->problems.count > 0)
		problems_answer(k->rq, 422, k->fault.text, &k->problems);
	else
		http_fault(k->rq, &k->fault);
}
