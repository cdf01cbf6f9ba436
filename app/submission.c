/* submission.c - stores the transactions of one webhook, and answers once for all of them.
 *
 * The 202 is a promise that the transactions will be processed; therefore it is sent after their commit and nowhere
 * else.
 *
 * Most webhooks contain one transaction, and then nothing is allocated.  Of several transactions none is stored
 * unless all can be read, and those with one id are the same.  They may still be committed in different batches, so one
 * can fail after another was stored.  The reply is then that of the worst outcome: the provider sends the whole webhook
 * again, the stored transactions are found as duplicates, and nothing is processed twice.
 *
 * Batches, duplicates and conflicts belong to ingest/ingest.h; the body's format belongs to source/payload.h. */

#include "submission.h"

#include <stdlib.h>
#include <string.h>

#include "acknowledgement.h"
#include "auth/kept_headers.h"
#include "base/clock.h"
#include "content.h"
#include "ingest/ingest.h"
#include "ingest/payloads.h"
#include "ingest/pending.h"
#include "problems.h"
#include "runtime/log.h"
#include "runtime/settings.h"
#include "source/payload.h"
#include "submission_keep.h"
#include "txn/contradiction.h"

/* One transaction of a webhook. */
struct item {
	struct request *rq;
	struct pending_insert pending_insert;
	struct txn txn;
	bool is_waiting; /* its outcome is not known yet */
};

/* All transactions of one webhook: request.state of its request. */
struct submission {
	const struct source *source;
	int count;
	int waiting; /* items without an outcome */
	struct insert_body body;
	struct kept_headers headers;   /* those of body; written if bodies are kept */
	struct payload_insert ignored; /* of a request without transactions that is kept */
	struct item one;
	struct item *many;              /* used instead of one if there are several; heap, NULL otherwise */
	bool failed, conflicts, is_new; /* at least one item failed, conflicts, is new */
	struct submission_keep *keep;   /* what cannot be mapped, until it is kept; heap, NULL otherwise */
	bool is_unreadable;             /* the webhook is kept, as not all of it could be mapped */
	struct fault fault;             /* the fault to report; valid if failed */
};

_Static_assert(sizeof(struct submission) <= REQUEST_STATE_MAX, "the state fits");
_Static_assert(MAPPING_ITEMS_MAX <= CONTRADICTION_MAX, "all items can be compared");
_Static_assert(SOURCES_MAX <= PENDING_SOURCES_MAX, "each source has a queue");

/* At most one line a second: when the database is unreachable, every webhook ends here. */
static void log_not_stored(const struct request *rq, const char *transaction_id, const struct fault *f)
{
	static struct log_pause pause;
	int64_t suppressed;
	if (!log_pause_over(&pause, &suppressed))
		return;
	LOG(f->kind == FAULT_BUG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "webhook not stored",
		LOG_TEXT("request_id", rq->id), LOG_TEXT("transaction_id", transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)), LOG_SECONDS("duration", clock_us() - rq->read_us),
		LOG_TEXT("reason", f->text), LOG_NUMBER("more_since_last", suppressed));
}

/* Conflicts are logged as warnings, since somebody has to look at them: one a second, as a sender can repeat one as often
 * as it likes, and each is a row.  The other outcomes are the normal case, and are logged at the level debug only. */
static void log_outcome(const struct item *item, enum accepted outcome)
{
	static const char *const EVENTS[] = {
		[ACCEPTED_NEW] = "webhook stored",
		[ACCEPTED_AGAIN] = "webhook is a duplicate",
		[ACCEPTED_CONFLICT] = "transaction conflict",
	};
	enum log_level level = outcome == ACCEPTED_CONFLICT ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;
	static struct log_pause conflicts;
	int64_t suppressed = 0;
	if (!log_wants(level) || (outcome == ACCEPTED_CONFLICT && !log_pause_over(&conflicts, &suppressed)))
		return;
	LOG(level, EVENTS[outcome], LOG_TEXT("request_id", item->rq->id),
		LOG_TEXT("transaction_id", item->txn.transaction_id),
		LOG_TEXT("trace_id", TRACE_ID(item->rq->trace.text)),
		LOG_SECONDS("duration", clock_us() - item->rq->read_us), LOG_NUMBER("more_since_last", suppressed));
}

void submission_unkept(struct service *service, int count)
{
	static struct log_pause pause;
	int64_t suppressed;
	counters_unkept(service->counters, count);
	if (log_pause_over(&pause, &suppressed))
		LOG(LOG_LEVEL_ERROR, "webhooks not kept", LOG_NUMBER("count", count),
			LOG_TEXT("reason", "the table payloads has no partition for today; the workers make them"),
			LOG_NUMBER("more_since_last", suppressed));
}

/* ---- the answer ---- */

static void reply_ignored(struct request *rq, const struct source *source)
{
	rq->outcome = WEBHOOK_IGNORED;
	acknowledgement_ignored(rq, source);
}

/* Answers 422 if the database rejects the transaction itself, else 503.  The rules for transactions were checked when
 * the body was read, so FAULT_INPUT comes from the database here. */
static void submission_refuse(struct request *rq, const struct fault *f)
{
	struct fault hidden;
	if (f->kind == FAULT_BUSY || f->kind == FAULT_AGAIN || f->kind == FAULT_BUG)
		rq->outcome = WEBHOOK_UNAVAILABLE;
	else if (!fault_set(&hidden, FAULT_INPUT, "the database cannot hold this transaction"))
		f = &hidden; /* the original text quotes the server and is only logged */
	rq->invalid_code = "not_storable";
	http_fault(rq, f);
}

/* Called when every item has its outcome.  The order is that of gravity: a failure outweighs a conflict, and a
 * conflict outweighs success.  The fault is copied and the items are freed first, because answering ends the request
 * and its state.  An answer of the source's own is that to a conflict too: a provider that counts nothing else as received
 * would send the conflict again for ever. */
static void submission_finish(struct request *rq)
{
	struct submission *s = rq->state;
	const struct source *source = s->source;
	struct fault f = s->fault;
	free(s->many);
	s->many = NULL;
	if (s->failed) {
		submission_refuse(rq, &f);
	} else if (s->conflicts) {
		rq->outcome = WEBHOOK_CONFLICT;
		if (source->answer.status || rq->service->settings->conflict_policy == CONFLICT_QUARANTINE)
			acknowledgement_accepted(rq, source);
		else if (!fault_set(&f, FAULT_CONFLICT, "this transaction_id already stands for another transaction"))
			http_fault(rq, &f);
	} else {
		rq->outcome = s->is_unreadable ? WEBHOOK_UNREADABLE : s->is_new ? WEBHOOK_ACCEPTED : WEBHOOK_DUPLICATE;
		acknowledgement_accepted(rq, source);
	}
}

/* ---- from the body to the outcomes ---- */

/* Keeps a temporary failure in preference to a permanent one: providers do not send again after a 4xx, and the item
 * that failed for a moment would be lost. */
static void keep_fault(struct submission *s, const struct fault *f)
{
	if (!s->failed || f->kind != FAULT_INPUT)
		s->fault = *f;
	s->failed = true;
}

static void submission_on_outcome(struct pending_insert *p, enum accepted outcome, const struct fault *f)
{
	struct item *item = CONTAINER_OF(p, struct item, pending_insert);
	struct submission *s = item->rq->state;
	item->is_waiting = false;
	if (f) {
		log_not_stored(item->rq, item->txn.transaction_id, f);
		keep_fault(s, f);
	} else {
		log_outcome(item, outcome);
		s->conflicts |= outcome == ACCEPTED_CONFLICT;
		s->is_new |= outcome == ACCEPTED_NEW;
	}
	if (--s->waiting == 0)
		submission_finish(item->rq);
}

/* The array of all items, or the one. */
static struct item *items(struct submission *s)
{
	return s->many ? s->many : &s->one;
}

/* Withdraws the items without an outcome.  One that is already in a statement may be stored all the same; the answer
 * is 503 nevertheless, since nothing is certain yet. */
static void submission_expire(struct request *rq)
{
	struct submission *s = rq->state;
	struct fault f;
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	for (int i = 0; i < s->count; i++) {
		struct item *item = &items(s)[i];
		if (!item->is_waiting)
			continue;
		ingest_withdraw(rq->service->ingest, &item->pending_insert);
		item->is_waiting = false;
		log_not_stored(rq, item->txn.transaction_id, &f);
	}
	keep_fault(s, &f);
	submission_finish(rq);
}

static const char *submission_header_of(void *ctx, const char *name)
{
	const struct request *rq = ctx;
	if (strcmp(name, "content-encoding") == 0) /* nearly all requests have none */
		return rq->content_encoding;
	return rq->header(rq, name);
}

/* The bytes of the request, and the headers that are kept with them if it is kept. */
static void take_body(struct request *rq, const struct source *source, bool is_kept)
{
	struct submission *s = rq->state;
	s->body = (struct insert_body){.bytes = rq->body.data, .len = rq->body.len};
	if (!is_kept)
		return;
	const struct signer *signer = source->auth == SOURCE_AUTH_SIGNATURE ? &source->signer : NULL;
	kept_headers_write(&s->headers, signer, rq->content_type, submission_header_of, rq);
	/* "payhook remap" and "payhook verify" will read what the mappings read now. */
	const struct places_wanted *wanted = &source->wanted;
	kept_headers_add_query(&s->headers, signer, wanted->queries, wanted->query_count, rq->target);
	if (wanted->header_count > 0)
		kept_headers_add_names(
			&s->headers, signer, wanted->headers, wanted->header_count, submission_header_of, rq);
	s->body.content_type = s->headers.content_type;
	s->body.headers = s->headers.json;
}

/* ---- a request without transactions ---- */

static void submission_on_ignored(struct payload_insert *insert, bool is_kept, const struct fault *f)
{
	const struct submission *s = CONTAINER_OF(insert, struct submission, ignored);
	struct request *rq = s->one.rq;
	if (!f) {
		if (!is_kept)
			submission_unkept(rq->service, 1);
		reply_ignored(rq, s->source);
		return;
	}
	log_not_stored(rq, "", f);
	submission_refuse(rq, f);
}

static void ignored_expire(struct request *rq)
{
	struct submission *s = rq->state;
	struct fault f;
	payloads_withdraw(rq->service->payloads, &s->ignored);
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	log_not_stored(rq, "", &f);
	submission_refuse(rq, &f);
}

/* Answers after the commit, as for a transaction: what the source wants to be kept must not be lost with a 200. */
static void submission_ignore(struct request *rq, const struct source *source)
{
	struct submission *s = rq->state;
	if (!source->keep_ignored || !rq->service->payloads) {
		reply_ignored(rq, source);
		return;
	}
	take_body(rq, source, rq->service->settings->payloads_keep_days > 0);
	s->one.rq = rq;
	s->ignored = (struct payload_insert){
		.source = source->name, .request_id = rq->id, .body = &s->body, .done = submission_on_ignored};
	rq->expire = ignored_expire;
	payloads_keep(rq->service->payloads, &s->ignored);
}

/* ---- a request with transactions ---- */

/* Passes every item to ingest.  waiting and all items are set before the first ingest_accept(), which may report an
 * outcome at once.  With the last outcome the request ends and the items are freed, so the loop keeps its
 * own copies, and does not use the request after its last call. */
static void send(struct request *rq, const struct source *source)
{
	struct submission *s = rq->state;
	struct item *list = items(s);
	int count = s->count;
	s->waiting = count;
	take_body(rq, source, rq->service->settings->payloads_keep_days > 0);
	rq->expire = submission_expire;
	for (int i = 0; i < count; i++) {
		list[i].rq = rq;
		list[i].is_waiting = true;
		list[i].pending_insert = (struct pending_insert){
			.txn = &list[i].txn,
			.source = source->name,
			.request_id = rq->id,
			.traceparent = *rq->trace.text ? rq->trace.text : NULL,
			.body = &s->body,
			.is_in_order = source->in_order,
			.continues = source->continues,
			.done = submission_on_outcome,
		};
	}
	for (int i = 0; i < count; i++)
		ingest_accept(rq->service->ingest, &list[i].pending_insert);
}

/* Whether no two items contradict each other.  Otherwise sets is_waiting of those that no other contradicts. */
static bool items_agree(struct submission *s, struct fault *f)
{
	static const struct txn *list[CONTRADICTION_MAX];
	static bool is_agreed[CONTRADICTION_MAX];
	char quoted[FAULT_QUOTE_MAX];
	if (s->count < 2)
		return true;
	for (int i = 0; i < s->count; i++)
		list[i] = &items(s)[i].txn;
	int found = contradiction_find(list, s->count, is_agreed);
	if (found < 0)
		return true;
	for (int i = 0; i < s->count; i++)
		items(s)[i].is_waiting = is_agreed[i];
	const char *id = list[found]->transaction_id;
	return fault_set(f, FAULT_INPUT, "two items have the transaction_id %s and different content",
		fault_quote(id, strlen(id), quoted));
}

/* Takes the items out that others contradict, after items_agree().  Of a webhook that is kept, the others are stored. */
static void drop_contradictions(struct submission *s)
{
	struct item *list = items(s);
	int left = 0;
	for (int i = 0; i < s->count; i++) {
		if (list[i].is_waiting)
			list[left++].txn = list[i].txn;
	}
	s->count = left;
}

/* Frees what is on the heap, before the request is answered. */
static void submission_drop(struct submission *s)
{
	free(s->many);
	free(s->keep);
	s->many = NULL;
	s->keep = NULL;
}

static bool submission_starve(struct request *rq)
{
	struct fault f;
	submission_drop(rq->state);
	fault_set(&f, FAULT_BUSY, "out of memory");
	log_not_stored(rq, "", &f);
	submission_refuse(rq, &f);
	return false;
}

/* The body, or an item of it, cannot be read.  True: its source keeps it, and the others are read.  Otherwise the request has
 * been answered. */
static bool is_left(struct request *rq, const struct fault *f, const struct txn_problems *problems, const char *code)
{
	struct submission *s = rq->state;
	if (s->source->keep_unreadable)
		return submission_keep_note(&s->keep, f, problems, code) || submission_starve(rq);
	submission_drop(s);
	rq->invalid_code = code;
	if (problems && problems->count > 0)
		problems_answer(rq, 422, f->text, problems);
	else
		http_fault(rq, f);
	return false;
}

/* Reads all transactions of the body into items.  False: one of them cannot be read, or two contradict each other, and
 * the request has been answered. */
static bool read_all(struct request *rq, struct payload *payload)
{
	struct submission *s = rq->state;
	const struct currency_extras *extras = &rq->service->settings->extra_currencies;
	struct txn_problems problems; /* written by payload_next() */
	struct fault f;
	if (payload->count > 1) {
		s->many = calloc((size_t)payload->count, sizeof *s->many);
		if (!s->many)
			return submission_starve(rq);
	}
	for (int i = 0; i < payload->count; i++) {
		if (payload_next(payload, extras, &items(s)[s->count].txn, &problems, &f))
			s->count++;
		else if (!is_left(rq, &f, &problems, NULL))
			return false;
	}
	if (items_agree(s, &f))
		return true;
	if (!is_left(rq, &f, NULL, "items_differ"))
		return false;
	drop_contradictions(s);
	return true;
}

/* ---- a request that is kept, as not all of it can be mapped ---- */

static void keep_fail(struct request *rq, const struct fault *f)
{
	submission_drop(rq->state);
	log_not_stored(rq, "", f);
	submission_refuse(rq, f);
}

/* The transactions that could be read are stored after it: they are acknowledged together, and what is stored of a webhook
 * that is not kept would be a duplicate when it comes again. */
static void submission_on_kept(struct unreadable_insert *insert, bool is_kept, const struct fault *f)
{
	struct submission_keep *keep = CONTAINER_OF(insert, struct submission_keep, insert);
	struct request *rq = keep->rq;
	struct submission *s = rq->state;
	if (f) {
		keep_fail(rq, f);
		return;
	}
	s->keep = NULL;
	s->is_unreadable = is_kept;
	if (is_kept)
		submission_keep_log(keep);
	if (!is_kept || s->count == 0)
		submission_drop(s);
	if (!is_kept) {
		submission_keep_refuse(keep);
	} else if (s->count == 0) {
		rq->outcome = WEBHOOK_UNREADABLE;
		acknowledgement_accepted(rq, s->source);
	} else {
		send(rq, s->source);
	}
	free(keep);
}

static void keep_expire(struct request *rq)
{
	struct submission *s = rq->state;
	struct fault f;
	unreadable_withdraw(rq->service->unreadable, &s->keep->insert);
	fault_set(&f, FAULT_BUSY, "not durable within %d ms", REQUEST_WAIT_MS);
	keep_fail(rq, &f);
}

static void keep_then_send(struct request *rq)
{
	struct submission *s = rq->state;
	take_body(rq, s->source, true);
	rq->expire = keep_expire;
	submission_keep_send(s->keep, rq, &s->body, submission_on_kept);
}

/* A fault of ours is no fault of the webhook. */
static void fail_payload(struct request *rq, const struct fault *f)
{
	rq->outcome = WEBHOOK_UNAVAILABLE;
	log_not_stored(rq, "", f);
	http_fault(rq, f);
}

void submission_accept(struct request *rq, const struct source *source, bool is_scanned)
{
	const struct places_request request = {
		.id = rq->id, .header = submission_header_of, .ctx = rq, .target = rq->target};
	struct submission *s = rq->state;
	struct payload payload; /* written by payload_open() */
	struct content content = content_raw(rq);
	struct fault f;
	s->source = source;
	s->many = NULL;
	s->keep = NULL;
	s->count = 0;
	s->failed = s->conflicts = s->is_new = s->is_unreadable = false;
	if (!content_decode(rq, &content, &f) ||
		!payload_open(source, &request, content.bytes, content.len, is_scanned, &payload, &f)) {
		if (f.kind == FAULT_BUSY || f.kind == FAULT_BUG)
			fail_payload(rq, &f);
		else if (is_left(rq, &f, NULL, payload_code(source, content.bytes, content.len, &f)))
			keep_then_send(rq);
	} else if (payload.count == 0) {
		submission_ignore(rq, source);
	} else if (read_all(rq, &payload)) {
		if (s->keep)
			keep_then_send(rq);
		else
			send(rq, source);
	}
}
