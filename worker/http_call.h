#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/base.h"
#include "base/buf.h"
#include "processor.h"
#include "queue/inflight.h"

/* What is said to an HTTP processor about a job, and what its answer means.  Neither curl nor a socket nor a clock is in
 * here. */

#define HTTP_CALL_BODY_MAX 4096 /* three texts of 255 bytes, each byte of them escaped, and some 200 bytes besides */
#define HTTP_CALL_KEY_MAX 2048  /* source and transaction_id of 255 bytes, each byte of them as three */

/* The body: the transaction as JSON, the amount a number with exactly its digits. */
void http_call_body(struct buf *b, const struct job *j);

/* The value of Idempotency-Key: the transaction_id, for another source than "transactions" after the source and a
 * slash.  Two transactions never share one: in both, bytes other than visible ASCII are percent-encoded, and so are "%"
 * and "/". */
void http_call_key(struct buf *b, const struct job *j);

#define RESPONSE_HEAD_MAX 65536 /* bytes of all head lines; what has more is no answer */
#define RESPONSE_BODY_MAX 65536 /* bytes that are read of a body, and thrown away; what has more is read no further */
#define RESPONSE_AFTER_MAX 64   /* bytes of a Retry-After with its NUL; a date has 30 */
#define RESPONSE_WHY_MAX 320

/* An answer as it comes in.  All zero: nothing has come. */
struct response {
	size_t head_bytes, body_bytes;
	bool in_head; /* else a body, or what may follow it */
	char retry_after[RESPONSE_AFTER_MAX];
};

/* Takes a line of a head with its line end: also of the 1xx that may come before the answer, whose words do not count,
 * as those after the body do not.  False: it is too much, read no further. */
MUST_USE bool response_line(struct response *a, const char *line, size_t len);

/* Takes bytes of the body.  False: it is enough, read no further. */
MUST_USE bool response_body(struct response *a, size_t len);

/* What it comes to.  status: 0 if none came; error: why the connection failed or was given up, or NULL; now: what a date
 * is compared with.  why is where the clause for people is written: it quotes nothing of a body. */
struct call_outcome response_outcome(
	const struct response *a, int status, const char *error, time_t now, char why[RESPONSE_WHY_MAX]);
