#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/base.h"
#include "base/buf.h"
#include "processor.h"
#include "queue/inflight.h"

/* The request that an HTTP processor receives for a job, and the meaning of its response.  Pure functions, without
 * curl, sockets or a clock. */

#define HTTP_CALL_BODY_MAX 8192 /* bytes: four texts of 255, each byte escaped by six, and some 500 for the rest */
#define HTTP_CALL_KEY_MAX 2048  /* bytes: source and transaction_id of up to 255 each, every byte percent-encoded */

/* Adds the body: the transaction as a JSON object.  The amount is a JSON number with exactly the digits that were
 * received, and a text beside it.  What the transaction lacks is null.  The claim must have fetched the transaction. */
void http_call_body(struct buf *b, const struct job *j);

/* Adds a text for the value of a header, percent-encoded (RFC 3986, 2.1): each byte that is not visible ASCII or that
 * is among also. */
void http_call_encode(struct buf *b, const char *text, const char *also);

/* Adds the value of the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): the transaction_id; for
 * a source other than "transactions", the source, a slash and the transaction_id.  In both parts "%", "/" and all
 * bytes that are not visible ASCII are percent-encoded, so two transactions never have the same key, and all calls
 * of a transaction have the same one. */
void http_call_key(struct buf *b, const struct job *j);

#define RESPONSE_HEAD_MAX 65536 /* bytes of all header lines; a longer head makes the call fail temporarily */
#define RESPONSE_BODY_MAX 65536 /* bytes of the body that are read and discarded; the rest is not read */
#define RESPONSE_AFTER_MAX 64   /* bytes of a Retry-After value, NUL included; a date has 30 */
#define RESPONSE_WHY_MAX 320    /* bytes of the reason, NUL included */

#define RESPONSE_UNDER_WAY_MS 1000 /* the least pause after a 409, in which the earlier call may end */

/* A response while it is received.  All zero: nothing has been received. */
struct response {
	size_t head_bytes, body_bytes;
	bool in_head; /* else in the body or in its trailers */
	char retry_after[RESPONSE_AFTER_MAX];
};

/* Takes a header line with its line end.  Fields of a 1xx response that precedes the final one, and fields of a
 * trailer, have no effect.  False: the head is too long, and the caller must stop reading. */
MUST_USE bool response_line(struct response *r, const char *line, size_t len);

/* Counts bytes of the body.  False: enough has been read, and the caller must stop reading. */
MUST_USE bool response_body(struct response *r, size_t len);

/* Returns the outcome of the call.  A 2xx is a success; after a 409 an earlier call may be under way; 3xx and other 4xx
 * are permanent failures, except 408, 425 and 429; everything else is a temporary failure.
 *
 * status: 0 if no status line was received.  error: why the connection failed or was given up, or NULL.  now: the time
 * with which a date in Retry-After is compared.  why: receives the reason in printable ASCII, without
 * anything of the response's body; the outcome's why points to it. */
struct call_outcome response_outcome(
	const struct response *r, int status, const char *error, time_t now, char why[RESPONSE_WHY_MAX]);
