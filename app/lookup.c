/* lookup.c - answers requests for the state of one transaction or of one payment.
 *
 * A lookup goes by its own connection (ingest/txn_reader.h), together with the others that wait, so reads never delay
 * commits.  It sees every transaction that was committed before its statement began: a sender that has its 202 finds
 * its transaction.  Access is decided before, by route.c. */

#include "lookup.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "http/query_param.h"
#include "ingest/txn_reader.h"
#include "runtime/log.h"
#include "source/source.h"
#include "txn/txn.h"

/* request.state of a request that waits for its lookup, which borrows source and the id in request.path. */
struct reading {
	struct request *rq;
	struct lookup lookup;
	char source[SOURCE_NAME_MAX + 1];
};

_Static_assert(sizeof(struct reading) <= REQUEST_STATE_MAX, "the state fits");

/* Appends a string, or null if text is NULL.  name includes its quotes, the colon and the comma or brace before it. */
static void add_string(struct buf *b, const char *name, const char *text)
{
	buf_add_text(b, name);
	if (!text) {
		buf_add_text(b, "null");
		return;
	}
	buf_add_text(b, "\"");
	buf_add_json(b, text, strlen(text));
	buf_add_text(b, "\"");
}

/* The amount is a JSON number with the digits that the sender wrote; it never becomes a binary number.  The text beside
 * it is for clients that make a double of a number. */
static void reply_found(struct request *rq, const struct found *t)
{
	const struct reading *reading = rq->state;
	struct buf *b = &rq->reply.body;
	http_begin(rq, 200);
	add_string(b, "{\"transaction_id\":", t->transaction_id);
	add_string(b, ",\"source_account\":", t->source_account);
	add_string(b, ",\"destination_account\":", t->destination_account);
	buf_add_format(b, ",\"amount\":%s", t->amount ? t->amount : "null");
	add_string(b, ",\"currency\":", t->currency);
	add_string(b, ",\"status\":", t->status);
	add_string(b, ",\"created_at\":", t->created_at);
	add_string(b, ",\"processed_at\":", t->processed_at);
	if (t->failure)
		add_string(b, ",\"failure\":", t->failure);
	add_string(b, ",\"source\":", reading->source);
	add_string(b, ",\"kind\":", t->kind);
	add_string(b, ",\"payment_id\":", t->payment_id);
	add_string(b, ",\"part\":", t->part);
	add_string(b, ",\"occurred_at\":", t->occurred_at);
	add_string(b, ",\"amount_text\":", t->amount);
	buf_add_text(b, "}");
	rq->answer(rq);
}

/* What is JSON already was written by the database: one encoding of the numbers and texts, and one memory for them. */
static void reply_payment(struct request *rq, const struct found_payment *p)
{
	const struct reading *reading = rq->state;
	struct buf *b = &rq->reply.body;
	http_begin(rq, 200);
	add_string(b, "{\"payment_id\":", reading->lookup.id);
	add_string(b, ",\"source\":", reading->source);
	add_string(b, ",\"currency\":", p->currency);
	add_string(b, ",\"state\":", p->state);
	buf_add_format(b, ",\"sums\":%s,\"anomalies\":%s,\"events_total\":%s,\"events\":[", p->sums, p->anomalies,
		p->events_total);
	buf_add_text(b, p->events);
	buf_add_text(b, "]}");
	rq->answer(rq);
}

/* At most one line a second: when the database is unreachable, every lookup ends here. */
static void log_lookup_failed(const struct request *rq, const char *name, const char *id, const struct fault *f)
{
	static struct log_pause pause;
	int64_t suppressed;
	if (log_pause_over(&pause, &suppressed))
		LOG(LOG_LEVEL_WARN, "lookup failed", LOG_TEXT("request_id", rq->id), LOG_TEXT(name, id),
			LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)),
			LOG_SECONDS("duration", clock_us() - rq->read_us), LOG_TEXT("reason", f->text),
			LOG_NUMBER("more_since_last", suppressed));
}

static void lookup_on_found(struct lookup *l, const struct found *found, const struct fault *f)
{
	struct request *rq = CONTAINER_OF(l, struct reading, lookup)->rq;
	if (found) {
		reply_found(rq, found);
	} else if (f) {
		log_lookup_failed(rq, "transaction_id", l->id, f);
		http_fault(rq, f);
	} else {
		http_problem(rq, 404, "there is no such transaction");
	}
}

static void lookup_on_payment(struct lookup *l, const struct found_payment *found, const struct fault *f)
{
	struct request *rq = CONTAINER_OF(l, struct reading, lookup)->rq;
	if (found) {
		reply_payment(rq, found);
	} else if (f) {
		log_lookup_failed(rq, "payment_id", l->id, f);
		http_fault(rq, f);
	} else {
		http_problem(rq, 404, "there is no such payment");
	}
}

/* The lookup is withdrawn first: its memory is the request's and is reused after the answer. */
static void lookup_expire(struct request *rq)
{
	struct reading *reading = rq->state;
	struct fault f;
	txn_reader_withdraw(rq->service->txn_reader, &reading->lookup);
	fault_set(&f, FAULT_BUSY, "not found out within %d ms", REQUEST_WAIT_MS);
	if (reading->lookup.done_payment)
		lookup_on_payment(&reading->lookup, NULL, &f);
	else
		lookup_on_found(&reading->lookup, NULL, &f);
}

/* Answers a request of which the path or the query shows that nothing can be found, otherwise begins the lookup. */
static void begin(struct request *rq, const struct lookup *lookup, const char *cannot_be)
{
	struct fault f;
	const char *id = rq->path.segment[rq->path.count - 1];
	/* An id that could not be stored cannot be found; the database is not asked. */
	if (!txn_text_valid(id, strlen(id))) {
		http_problem(rq, 404, cannot_be);
		return;
	}
	struct reading *reading = rq->state;
	char *source = reading->source;
	if (!query_param_find(rq->target, "source", source, sizeof reading->source, &f)) {
		http_fault(rq, &f);
		return;
	}
	if (!*source)
		memcpy(source, SOURCE_BUILT_IN, sizeof SOURCE_BUILT_IN);
	if (!source_name_valid(source)) {
		http_problem(rq, 404, "there is no source by that name, and there cannot be");
		return;
	}
	reading->rq = rq;
	reading->lookup = *lookup;
	reading->lookup.id = id;
	reading->lookup.source = source;
	rq->expire = lookup_expire;
	txn_reader_find(rq->service->txn_reader, &reading->lookup);
}

void lookup_get(struct request *rq)
{
	begin(rq, &(struct lookup){.done = lookup_on_found}, "there is no such transaction, and there cannot be");
}

void lookup_get_payment(struct request *rq)
{
	begin(rq, &(struct lookup){.done_payment = lookup_on_payment}, "there is no such payment, and there cannot be");
}
