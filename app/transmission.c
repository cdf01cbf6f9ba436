/* transmission.c - refuses a second body under one signature of PayPal's.
 *
 * PayPal signs a transmission id, a time and the CRC-32 of the body.  An attacker with a copy of a request can find
 * another body with that CRC, so a signature that verifies does not show that the body is PayPal's.  The first body of
 * a transmission id is remembered by ingest/transmissions.h; here the webhook waits for the result.  The same body again
 * is a repetition, and goes on to be found as a duplicate. */

#include "transmission.h"

#include "auth_failure.h"
#include "base/clock.h"
#include "ingest/transmissions.h"
#include "runtime/log.h"
#include "submission.h"

/* request.state of a webhook that waits; the id is one of the request's headers. */
struct checking {
	struct request *rq;
	const struct source *source;
	struct transmission transmission;
};

_Static_assert(sizeof(struct checking) <= REQUEST_STATE_MAX, "the state fits");

bool transmission_is_needed(const struct source *source)
{
	return source->auth == SOURCE_AUTH_SIGNATURE && source->signer.scheme == SCHEME_PAYPAL;
}

/* At most one line a second: when the database is unreachable, every webhook of the source ends here. */
static void transmission_fail(struct request *rq, const struct fault *f)
{
	static struct log_pause pause;
	int64_t suppressed;
	if (log_pause_over(&pause, &suppressed))
		LOG(LOG_LEVEL_WARN, "transmission not checked", LOG_TEXT("request_id", rq->id),
			LOG_TEXT("trace_id", TRACE_ID(rq->trace.text)),
			LOG_SECONDS("duration", clock_us() - rq->read_us), LOG_TEXT("reason", f->text),
			LOG_NUMBER("more_since_last", suppressed));
	rq->outcome = WEBHOOK_UNAVAILABLE;
	http_fault(rq, f);
}

/* The answer is that to any signature that does not verify. */
static void transmission_refuse(struct request *rq, const struct source *source)
{
	auth_failure_report(rq, &(struct auth_failure){.cause = AUTH_FAILURE_REUSED,
					.source = source->name,
					.detail = "another body came with this transmission id before; the signature "
						  "itself is right"});
	rq->is_verified = false;
	rq->outcome = WEBHOOK_UNSIGNED;
	rq->reply.challenge = "Signature";
	http_problem(rq, 401, "the webhook is not signed as this source signs");
}

/* The state is copied first: submission.c uses its memory. */
static void transmission_on_known(struct transmission *t, bool is_same, const struct fault *f)
{
	struct checking checking = *CONTAINER_OF(t, struct checking, transmission);
	if (f)
		transmission_fail(checking.rq, f);
	else if (is_same)
		submission_accept(checking.rq, checking.source, false);
	else
		transmission_refuse(checking.rq, checking.source);
}

static void transmission_expire(struct request *rq)
{
	struct checking *checking = rq->state;
	struct fault f;
	transmissions_withdraw(rq->service->transmissions, &checking->transmission);
	fault_set(&f, FAULT_BUSY, "not found out within %d ms", REQUEST_WAIT_MS);
	transmission_fail(rq, &f);
}

void transmission_check(struct request *rq, const struct source *source)
{
	struct checking *checking = rq->state;
	struct fault f;
	*checking = (struct checking){.rq = rq,
		.source = source,
		.transmission = {.source = source->name,
			.id = rq->header(rq, "paypal-transmission-id"),
			.done = transmission_on_known}};
	if (!digest_sha256(rq->body.data ? rq->body.data : "", rq->body.len, checking->transmission.body_sha256)) {
		fault_set(&f, FAULT_BUSY, "libcrypto could not calculate");
		transmission_fail(rq, &f);
		return;
	}
	rq->expire = transmission_expire;
	transmissions_remember(rq->service->transmissions, &checking->transmission);
}
