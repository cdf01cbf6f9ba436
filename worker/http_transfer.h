#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/buf.h"
#include "call_options.h"
#include "http/traceparent.h"
#include "http_call.h"
#include "http_loop.h"
#include "http_original.h"
#include "processor.h"

/* One call of the http processor: its request, written for curl, and its response.  It serves one call at a time and is
 * used again when idle, so that a call allocates nothing. */

#define TRANSFER_KEY "Idempotency-Key: "
#define TRANSFER_REQUEST_ID "X-Request-Id: "
#define TRANSFER_REQUEST_ID_BYTES ((size_t)16)
#define TRANSFER_TRACE "traceparent: "
#define TRANSFER_SIGNED_ID "webhook-id: "
#define TRANSFER_SIGNED_AT "webhook-timestamp: "
#define TRANSFER_SIGNATURES "webhook-signature: "
#define TRANSFER_LINES_MAX (7 + HTTP_ORIGINAL_LINES_MAX)

struct transfer {
	struct http_request request; /* first: the two have one address */
	LIST_ENTRY(transfer) next;   /* in a list of the owner */
	const struct call_options *options;
	void *owner;
	struct call *call;
	struct buf body, key, signed_id,
		token; /* of the request; curl does not copy them, so they stay until the call ends */
	char request_id[sizeof TRANSFER_REQUEST_ID + 2 * TRANSFER_REQUEST_ID_BYTES];
	char traceparent[sizeof TRANSFER_TRACE + TRACEPARENT_LEN];
	char signed_at[sizeof TRANSFER_SIGNED_AT + 20];
	char signatures[sizeof TRANSFER_SIGNATURES + CALL_SIGNER_SIGNATURES_MAX];
	struct http_original original;               /* header lines, if the body is the webhook's */
	struct curl_slist lines[TRANSFER_LINES_MAX]; /* the header lines that differ from call to call */
	int line_count;
	int64_t token_number; /* of the token in use; 0: none */
	int64_t started_ms;

	struct response response;
	bool sent;    /* curl has begun to send the request */
	bool repeats; /* curl wanted to send it again, on another connection */
};

/* NULL: memory is exhausted.  *o must outlive the transfer. */
MUST_USE struct transfer *transfer_create(
	const struct call_options *o, void (*ended)(struct http_request *x, CURLcode result));

/* Not while it is under way. */
void transfer_destroy(struct transfer *t);

/* Writes the request of a job (its texts must stay until the call ends) with these header lines behind its own.  token is the line
 * with the processor's token, a secret, or NULL.
 * Returns NULL, or why it cannot be made. */
MUST_USE const struct call_outcome *transfer_prepare(
	struct transfer *t, const struct job *j, struct curl_slist *common, const char *token);

/* The outcome of the call, and its status, 0 without one.  why receives the reason; the outcome points to it and into
 * the transfer. */
struct call_outcome transfer_outcome(
	const struct transfer *t, CURLcode result, char why[RESPONSE_WHY_MAX], int *ret_status);

/* The outcome of a call that could not be made because memory is exhausted. */
extern const struct call_outcome TRANSFER_NO_MEMORY;
