/* submission.c - the transactions of one webhook, and one answer for all of them.
 *
 * Most webhooks tell one transaction, and then nothing is allocated.  Of several, none is stored unless all can be read;
 * and the answer is that of the one that fared worst, since the sender sends the whole again: what was stored is then
 * found, and nothing is done twice.  The 202 is our promise that the transactions will be processed; therefore it is
 * said after the commit and nowhere else. */

#include "submission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "ingest/ingest.h"
#include "runtime/log.h"
#include "runtime/settings.h"
#include "source/payload.h"

/* One transaction of a webhook. */
struct item {
	struct request *rq;
	struct pending_insert pending_insert;
	struct txn txn;
	bool is_waiting; /* for its outcome */
};

/* All transactions of one webhook: the state of its request. */
struct submission {
	int count;
	int waiting; /* items without an outcome */
	struct item one;
	struct item *many;              /* in place of one when there are several; NULL otherwise */
	bool failed, conflicts, is_new; /* whether any item failed, was a conflict, was new */
	struct fault fault;             /* the one to report, when failed */
};

_Static_assert(sizeof(struct submission) <= REQUEST_STATE_MAX, "the state fits");

static void log_not_stored(const struct item *d, const struct fault *f)
{
	static struct log_pause pause;
	const struct request *rq = d->rq;
	int64_t unsaid;
	if (!log_pause_over(&pause, &unsaid))
		return;
	LOG(f->kind == FAULT_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "webhook not stored",
		LOG_TEXT("request_id", rq->id), LOG_TEXT("transaction_id", d->txn.transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_SECONDS("duration", clock_us() - rq->read_us),
		LOG_TEXT("reason", f->text), LOG_NUMBER("more_since_last", unsaid));
}

/* One line for each transaction: only for who asks for them, but conflicts always. */
static void log_outcome(const struct item *d, enum accepted outcome)
{
	static const char *const EVENTS[] = {
		[ACCEPTED_NEW] = "webhook stored",
		[ACCEPTED_AGAIN] = "webhook is a duplicate",
		[ACCEPTED_CONFLICT] = "transaction conflict",
	};
	enum log_level level = outcome == ACCEPTED_CONFLICT ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;
	if (!log_wants(level))
		return;
	LOG(level, EVENTS[outcome], LOG_TEXT("request_id", d->rq->id),
		LOG_TEXT("transaction_id", d->txn.transaction_id), LOG_TEXT("trace_id", TRACE_ID(d->rq->trace.text)),
		LOG_SECONDS("duration", clock_us() - d->rq->read_us));
}

/* ---- the answer ---- */

static void reply_accepted(struct request *rq)
{
	http_begin(rq, 202);
	buf_add_text(&rq->reply.body, "{\"message\":\"Accepted\"}");
	rq->answer(rq);
}

static void reply_ignored(struct request *rq)
{
	rq->outcome = WEBHOOK_IGNORED;
	http_begin(rq, 200);
	buf_add_text(&rq->reply.body, "{\"message\":\"Ignored\"}");
	rq->answer(rq);
}

/* What is not the sender's fault becomes a 503. */
static void submission_refuse(struct request *rq, const struct fault *f)
{
	struct fault hidden;
	if (f->kind == FAULT_BUSY || f->kind == FAULT_AGAIN || f->kind == FAULT_BUG)
		rq->outcome = WEBHOOK_UNAVAILABLE;
	else if (!fault_set(&hidden, FAULT_INPUT, "the database cannot hold this transaction"))
		f = &hidden; /* its text quotes the server; the sender learns only that it is this transaction */
	http_fault(rq, f);
}

/* All have their outcome. */
static void submission_finish(struct request *rq)
{
	struct submission *p = rq->state;
	struct fault f = p->fault;
	free(p->many);
	p->many = NULL;
	if (p->failed) {
		submission_refuse(rq, &f);
	} else if (p->conflicts) {
		rq->outcome = WEBHOOK_CONFLICT;
		if (rq->service->settings->conflict_policy == CONFLICT_QUARANTINE)
			reply_accepted(rq);
		else if (!fault_set(&f, FAULT_CONFLICT, "this transaction_id already stands for another transaction"))
			http_fault(rq, &f);
	} else {
		rq->outcome = p->is_new ? WEBHOOK_ACCEPTED : WEBHOOK_DUPLICATE;
		reply_accepted(rq);
	}
}

/* ---- the way to it ---- */

/* Of two failures, the one that passes counts: who is told 4xx does not come again. */
static void keep_fault(struct submission *p, const struct fault *f)
{
	if (!p->failed || f->kind != FAULT_INPUT)
		p->fault = *f;
	p->failed = true;
}

static void submission_on_outcome(struct pending_insert *a, enum accepted outcome, const struct fault *f)
{
	struct item *d = CONTAINER_OF(a, struct item, pending_insert);
	struct submission *p = d->rq->state;
	d->is_waiting = false;
	if (f) {
		log_not_stored(d, f);
		keep_fault(p, f);
	} else {
		log_outcome(d, outcome);
		p->conflicts |= outcome == ACCEPTED_CONFLICT;
		p->is_new |= outcome == ACCEPTED_NEW;
	}
	if (--p->waiting == 0)
		submission_finish(d->rq);
}

static struct item *items(struct submission *p)
{
	return p->many ? p->many : &p->one;
}

static void submission_expire(struct request *rq)
{
	struct submission *p = rq->state;
	struct fault f;
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	for (int i = 0; i < p->count; i++) {
		struct item *d = &items(p)[i];
		if (!d->is_waiting)
			continue;
		ingest_withdraw(rq->service->ingest, &d->pending_insert);
		d->is_waiting = false;
		log_not_stored(d, &f);
	}
	keep_fault(p, &f);
	submission_finish(rq);
}

/* The last of them may be answered at once, and with it all: then nothing of the parcel is there any more. */
static void send(struct request *rq, const struct source *source)
{
	struct submission *p = rq->state;
	struct item *list = items(p);
	int count = p->count;
	p->waiting = count;
	rq->expire = submission_expire;
	for (int i = 0; i < count; i++) {
		list[i].rq = rq;
		list[i].is_waiting = true;
		list[i].pending_insert = (struct pending_insert){
			.txn = &list[i].txn,
			.source = source->name,
			.request_id = rq->id,
			.traceparent = *rq->trace.text ? rq->trace.text : NULL,
			.body = rq->body.data,
			.body_len = rq->body.len,
			.done = submission_on_outcome,
		};
	}
	for (int i = 0; i < count; i++)
		ingest_accept(rq->service->ingest, &list[i].pending_insert);
}

/* Reads them all, and answers when one cannot be read. */
static bool read_all(struct request *rq, struct payload *payload)
{
	struct submission *p = rq->state;
	struct txn_problems problems = {0};
	struct fault f;
	if (payload->count > 1) {
		p->many = calloc((size_t)payload->count, sizeof *p->many);
		if (!p->many && !fault_set(&f, FAULT_BUSY, "out of memory")) {
			submission_refuse(rq, &f);
			return false;
		}
	}
	for (p->count = 0; p->count < payload->count; p->count++) {
		if (payload_next(
			    payload, &rq->service->settings->extra_currencies, &items(p)[p->count].txn, &problems, &f))
			continue;
		free(p->many);
		p->many = NULL;
		if (problems.count > 0)
			http_problems(rq, 422, f.text, &problems);
		else
			http_fault(rq, &f);
		return false;
	}
	return true;
}

void submission_accept(struct request *rq, const struct source *source)
{
	struct submission *p = rq->state;
	struct payload payload;
	struct fault f;
	p->many = NULL;
	p->failed = p->conflicts = p->is_new = false;
	if (!payload_open(source, rq->body.data ? rq->body.data : "", rq->body.len, &payload, &f))
		http_fault(rq, &f);
	else if (payload.count == 0)
		reply_ignored(rq);
	else if (read_all(rq, &payload))
		send(rq, source);
}
