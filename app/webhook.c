/* webhook.c - authenticates one webhook and passes it on to be stored.
 *
 * Providers are to have an answer within half a second, and send a webhook again if they get none.  The checks run
 * from cheap to expensive: source, address and client certificate, Content-Type, size, signature.  The signature is
 * verified over the raw bytes of the body, before anything interprets them (but Adyen signs fields, so its body is
 * scanned strictly first).  An unauthenticated client learns the status and no reason; the reason goes to the
 * operator (auth_failure.h).
 *
 * A second body under one signature of PayPal's belongs to transmission.c, the content of the body to submission.c. */

#include "webhook.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "access.h"
#include "acknowledgement.h"
#include "auth_failure.h"
#include "content.h"
#include "http/content_coding.h"
#include "http/content_type.h"
#include "runtime/settings.h"
#include "submission.h"
#include "transmission.h"
#include "validation_error.h"

/* Answers 403 if the source has a list of addresses or wants a client certificate, and the client does not match.
 * The reply does not reveal which of the two failed. */
static bool is_admitted(struct request *rq, const struct source *source)
{
	struct source_sender sender = {rq->address, rq->client_verify, rq->client_subject};
	struct fault why;
	enum source_admission admission = source_admits(source, &sender, &why);
	if (admission == SOURCE_ADMITS)
		return true;
	rq->outcome = WEBHOOK_FORBIDDEN;
	int cause = admission == SOURCE_REFUSES_ADDRESS ? AUTH_FAILURE_ADDRESS : AUTH_FAILURE_CERTIFICATE;
	auth_failure_report(rq, &(struct auth_failure){.cause = cause, .source = source->name, .detail = why.text});
	http_problem(rq, 403, "this sender may not send to this source");
	return false;
}

/* Answers 403 if nothing but OPEN_SOURCE_FROM restricts the source, and the client is elsewhere.  The reply names the
 * setting: a newcomer meets this answer when PROCESSOR becomes http, and a forger learns nothing of use. */
static bool is_from_admitted_place(struct request *rq, const struct source *source)
{
	if (!source_is_open(source) || access_may_send_unsigned(rq))
		return true;
	rq->outcome = WEBHOOK_FORBIDDEN;
	auth_failure_report(
		rq, &(struct auth_failure){.cause = AUTH_FAILURE_ADDRESS,
			    .source = source->name,
			    .detail = "OPEN_SOURCE_FROM does not admit the client to this unsigned source"});
	http_problem(
		rq, 403, "unsigned webhooks are not accepted from here; OPEN_SOURCE_FROM says from where they are");
	return false;
}

/* The callback by which the verification reads headers. */
static const char *webhook_header_of(void *ctx, const char *name)
{
	const struct request *rq = ctx;
	return rq->header(rq, name);
}

static bool webhook_is_repeated(void *ctx, const char *name)
{
	const struct request *rq = ctx;
	return rq->is_repeated(rq, name);
}

/* Answers 415 if the body has a content coding that is not taken. */
static bool has_known_coding(struct request *rq)
{
	char detail[FAULT_TEXT_MAX], quoted[FAULT_QUOTE_MAX];
	const char *came = rq->content_encoding;
	enum content_coding coding;
	if (content_coding_read(came, &coding))
		return true;
	snprintf(detail, sizeof detail, "the Content-Encoding %s is not taken; gzip is, and none",
		fault_quote(came, strlen(came), quoted));
	rq->reply.accept_encoding = CONTENT_CODINGS;
	http_problem(rq, 415, detail);
	return false;
}

/* Answers a webhook that is not signed as its source signs. */
static bool webhook_refuse_signature(
	struct request *rq, const struct source *source, enum signature_cause cause, const char *why, int64_t skew_s)
{
	auth_failure_report(rq,
		&(struct auth_failure){.cause = (int)cause, .source = source->name, .detail = why, .skew_s = skew_s});
	rq->outcome = WEBHOOK_UNSIGNED;
	rq->reply.challenge = source->signer.scheme == SCHEME_BASIC || source->signer.basic.key
				      ? "Basic realm=\"webhooks\", charset=\"UTF-8\""
				      : "Signature";
	http_problem(rq, 401, "the webhook is not signed as this source signs");
	return false;
}

/* Answers a request by which the provider tries the endpoint.  It is looked for before the Content-Type and the signature,
 * as a ping may have neither that the source wants. */
static bool webhook_is_ping(struct request *rq, const struct source *source)
{
	struct places_request request = {.id = rq->id, .header = webhook_header_of, .ctx = rq, .target = rq->target};
	if (source->ping.kind == PING_NONE || rq->body_too_large ||
		!ping_is(&source->ping, &request, rq->content_type, rq->body.data ? rq->body.data : "", rq->body.len))
		return false;
	rq->outcome = WEBHOOK_PING;
	acknowledgement_ignored(rq, source);
	return true;
}

/* The bytes that are signed.  What has to be decoded first, and cannot be, is signed by nobody; decoding stops at
 * BODY_LIMIT, whoever sends. */
static bool signed_content(struct request *rq, const struct source *source, struct content *ret)
{
	struct fault f;
	*ret = content_raw(rq);
	if (source->auth == SOURCE_AUTH_NONE || !source->body.is_signed_decoded || content_decode(rq, ret, &f))
		return true;
	if (f.kind == FAULT_MALFORMED)
		return webhook_refuse_signature(rq, source, SIGNATURE_MALFORMED, f.text, 0);
	if (f.kind == FAULT_BUSY)
		rq->outcome = WEBHOOK_UNAVAILABLE;
	http_fault(rq, &f);
	return false;
}

/* Answers 401 if the signature does not verify.  If it cannot be computed, because memory cannot be allocated,
 * the webhook may be genuine: the reply is 503, so that the provider sends it again. *is_scanned becomes true
 * if the verification has read the body as JSON. */
static bool webhook_is_signed(struct request *rq, const struct source *source, bool *is_scanned)
{
	struct signature_report report = {0};
	struct content content;
	struct fault f;
	if (!signed_content(rq, source, &content))
		return false;
	struct signature_request request = {
		webhook_header_of, rq, content.bytes, content.len, rq->target, webhook_is_repeated};
	if (source->auth == SOURCE_AUTH_NONE || source_verify(source, &request, (int64_t)time(NULL), &report)) {
		*is_scanned = report.is_scanned;
		rq->is_verified = source->auth == SOURCE_AUTH_SIGNATURE;
		return true;
	}
	if (report.cause != SIGNATURE_FAILED)
		return webhook_refuse_signature(rq, source, report.cause, report.text, report.skew_s);
	auth_failure_report(
		rq, &(struct auth_failure){.cause = (int)report.cause, .source = source->name, .detail = report.text});
	rq->outcome = WEBHOOK_UNAVAILABLE;
	fault_set(&f, FAULT_BUSY, "%s", report.text);
	http_fault(rq, &f);
	return false;
}

static void webhook_refuse_large(struct request *rq)
{
	char detail[64];
	snprintf(detail, sizeof detail, "the body is larger than %d bytes", rq->service->settings->body_limit);
	http_problem(rq, 413, detail);
}

void webhook_post(struct request *rq)
{
	bool is_scanned = false;
	struct fault f;
	const struct source *source = sources_find(rq->service->sources, rq->path.segment[rq->path.count - 1]);
	if (!source) {
		http_problem(rq, 404, "there is no such source of webhooks");
		return;
	}
	rq->source = source;
	rq->on_problem = validation_error_on_problem;
	rq->outcome = WEBHOOK_INVALID; /* until a later check or the database decides otherwise */
	if (!is_admitted(rq, source) || !is_from_admitted_place(rq, source) || webhook_is_ping(rq, source))
		return;
	if (!content_type_fits(rq->content_type, source_content_type(source), &f)) {
		http_problem(rq, 415, f.text);
		return;
	}
	if (!has_known_coding(rq))
		return;
	if (rq->body_too_large) {
		webhook_refuse_large(rq);
		return;
	}
	if (!webhook_is_signed(rq, source, &is_scanned))
		return;
	if (transmission_is_needed(source))
		transmission_check(rq, source);
	else
		submission_accept(rq, source, is_scanned);
}

void webhook_count(const struct request *rq)
{
	if (!rq->source)
		return;
	if (rq->outcome == WEBHOOK_ACCEPTED || rq->outcome == WEBHOOK_UNREADABLE)
		auth_failures_count(rq->service->auth_failures, rq->source->name, RATE_ACCEPTED);
	else if (rq->reply.status >= 400 && rq->reply.status < 500)
		auth_failures_count(rq->service->auth_failures, rq->source->name, RATE_REFUSED);
}
