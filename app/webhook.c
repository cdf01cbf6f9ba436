/* webhook.c - one webhook in, one reply out.
 *
 * The sender is owed an answer within half a second and will send again if it gets none, so this route does three
 * things only: read the body, store it, say 202.  The 202 is our promise that the transaction will be processed;
 * therefore it is said after the commit and nowhere else.  Work that can wait is a row in jobs. */

#include "webhook.h"

#include <stddef.h>

#include "clock.h"
#include "log.h"
#include "settings.h"
#include "source.h"

#define REST_MS 1000 /* between two lines about webhooks that could not be stored: there may be thousands a second */

static void log_not_stored(const struct request *rq, const struct fault *f)
{
	static int64_t next_ms;
	static int64_t unsaid;
	int64_t now = clock_ms();
	if (now < next_ms) {
		unsaid++;
		return;
	}
	LOG(f->kind == FAULT_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "webhook is not stored",
		LOG_TEXT("request_id", rq->id), LOG_TEXT("transaction_id", rq->work.webhook.txn.transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_SECONDS("duration", clock_us() - rq->read_us),
		LOG_TEXT("reason", f->text), LOG_NUMBER("more_since_last", unsaid));
	next_ms = now + REST_MS;
	unsaid = 0;
}

/* One line for each webhook: only for who asks for them. */
static void log_stored(const struct request *rq, const char *event)
{
	if (!log_wants(LOG_LEVEL_DEBUG))
		return;
	LOG(LOG_LEVEL_DEBUG, event, LOG_TEXT("request_id", rq->id),
		LOG_TEXT("transaction_id", rq->work.webhook.txn.transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_SECONDS("duration", clock_us() - rq->read_us));
}

static void say_accepted(struct request *rq)
{
	http_begin(rq, 202);
	buf_add_text(&rq->reply.body, "{\"message\":\"Accepted\"}");
	rq->answer(rq);
}

static void say_conflict(struct request *rq)
{
	struct fault f;
	LOG(LOG_LEVEL_WARN, "transaction conflicts", LOG_TEXT("request_id", rq->id),
		LOG_TEXT("transaction_id", rq->work.webhook.txn.transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_SECONDS("duration", clock_us() - rq->read_us));
	if (rq->service->settings->conflict_policy == CONFLICT_QUARANTINE) {
		say_accepted(rq);
		return;
	}
	fault_set(&f, FAULT_CONFLICT, "this transaction_id already stands for another transaction");
	http_fault(rq, &f);
}

/* What is not the sender's fault becomes a 503. */
static void refuse(struct request *rq, const struct fault *f)
{
	if (f->kind == FAULT_BUSY || f->kind == FAULT_AGAIN || f->kind == FAULT_BUG)
		rq->outcome = WEBHOOK_UNAVAILABLE;
	http_fault(rq, f);
}

static void on_outcome(struct arrival *a, enum accepted outcome, const struct fault *f)
{
	struct request *rq = CONTAINER_OF(a, struct request, work.webhook.arrival);
	struct fault refused;
	if (f && f->kind == FAULT_INPUT) {
		/* Its text quotes the server; the sender learns only that it is this transaction. */
		log_not_stored(rq, f);
		fault_set(&refused, FAULT_INPUT, "the database cannot hold this transaction");
		http_fault(rq, &refused);
		return;
	}
	if (f) {
		log_not_stored(rq, f);
		refuse(rq, f);
		return;
	}
	switch (outcome) {
	case ACCEPTED_NEW:
		rq->outcome = WEBHOOK_ACCEPTED;
		log_stored(rq, "webhook is stored");
		say_accepted(rq);
		return;
	case ACCEPTED_AGAIN:
		rq->outcome = WEBHOOK_DUPLICATE;
		log_stored(rq, "webhook was stored before");
		say_accepted(rq);
		return;
	case ACCEPTED_CONFLICT:
		rq->outcome = WEBHOOK_CONFLICT;
		say_conflict(rq);
		return;
	}
}

static void expire(struct request *rq)
{
	struct fault f;
	intake_withdraw(rq->service->intake, &rq->work.webhook.arrival);
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	on_outcome(&rq->work.webhook.arrival, ACCEPTED_NEW, &f);
}

void webhook_post(struct request *rq)
{
	struct txn_problems problems = {0};
	struct txn *txn = &rq->work.webhook.txn;
	struct fault f;

	const struct source *source = sources_find(rq->service->sources, rq->path.segment[rq->path.count - 1]);
	if (!source) {
		http_problem(rq, 404, "there is no such source of webhooks");
		return;
	}
	rq->outcome = WEBHOOK_REJECTED; /* unless another becomes of it */
	if (!http_is_json(rq->content_type)) {
		http_problem(rq, 415, "the body must be application/json in UTF-8");
		return;
	}
	if (rq->body_too_large) {
		http_problem(rq, 413, "the body is larger than 64 KiB");
		return;
	}
	if (!txn_from_json(rq->body.data ? rq->body.data : "", rq->body.len, &rq->service->settings->extra_currencies,
		    txn, &problems, &f)) {
		if (problems.count > 0)
			http_problems(rq, 422, f.text, &problems);
		else
			refuse(rq, &f);
		return;
	}
	rq->work.webhook.arrival = (struct arrival){
		.txn = txn,
		.source = source->name,
		.request_id = rq->id,
		.traceparent = *rq->trace.text ? rq->trace.text : NULL,
		.body = rq->body.data,
		.body_len = rq->body.len,
		.done = on_outcome,
	};
	rq->expire = expire;
	intake_accept(rq->service->intake, &rq->work.webhook.arrival);
}
