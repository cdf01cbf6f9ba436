#pragma once

#include <stdint.h>

#include "auth/signature.h"
#include "base/base.h"
#include "ingest/validation_errors.h"
#include "pg/connection.h"
#include "pg/rates.h"

/* Records auth failures for the operator: requests answered 401 or 403 because the client did not prove that it may
 * send or read.  They become rows of payhook.rejected_requests, read through the view auth_failures, on a connection of
 * its own.
 *
 * Anyone on the internet can cause auth failures, so recording one must cost little and must never delay an answer.  A
 * failure is copied into a buffer, of AUTH_FAILURES_WAITING_MAX for each cause, and written with others a moment later.
 * A process writes AUTH_FAILURES_PER_SECOND at most.  Failures beyond that, and failures that the database does not
 * take, are dropped and only counted; the log and the metrics have them all the same.  So a flood of one cause keeps no
 * other cause from being recorded, here and in the table, where each cause has a ring of its own.
 *
 * Validation errors (ingest/validation_errors.h) go by the same connection, in turn with auth failures; so do, once a second,
 * the responder's counts for payhook.rates: no answer waits for it. */

#define AUTH_FAILURES_WAITING_MAX 100 /* of each cause */
#define AUTH_FAILURES_PER_SECOND 100  /* on average; AUTH_FAILURES_WAITING_MAX of each cause at once after a pause */
#define AUTH_FAILURES_REST_MS 100     /* the shortest time from one statement to the next */

/* Causes other than those of a signature, numbered after enum signature_cause. */
enum auth_failure_cause {
	AUTH_FAILURE_ADDRESS = SIGNATURE_CAUSE_COUNT, /* the client's address is not on the source's list */
	AUTH_FAILURE_CERTIFICATE,                     /* no client certificate, or not the source's */
	AUTH_FAILURE_API_KEY,                         /* no API key, or none that grants this */
	AUTH_FAILURE_REUSED,                          /* the signature is valid, and came with another body before */
};

#define AUTH_FAILURE_CAUSE_COUNT (AUTH_FAILURE_REUSED + 1)

/* Returns the name of a cause for labels and tables, such as "wrong" or "api_key"; for a cause of a signature it is
 * signature_cause_name(). */
const char *auth_failure_cause_name(int cause);

/* One auth failure.  A text may hold any bytes that a client sent: it is cut at its bound, between two characters, and
 * each byte that is not part of a printable character of UTF-8 becomes a question mark.  No text may hold a secret, a
 * signature or a body. */
struct auth_failure {
	int cause;              /* an enum signature_cause other than SIGNATURE_GOOD, or an enum auth_failure_cause */
	const char *source;     /* its name, 64 bytes kept; NULL or "": the request addressed none */
	const char *detail;     /* the reason, for the operator; 255 bytes kept */
	int64_t skew_s;         /* seconds that the signed time lies behind ours; 0: no time is signed */
	const char *address;    /* of the client, 64 bytes kept; NULL or "": unknown */
	const char *request_id; /* 32 bytes kept; NULL or "": none */
};

struct auth_failures;

/* Called with the numbers of auth failures and validation errors that were dropped, one of them 0 mostly. */
typedef void auth_failures_lost(void *ctx, int failures, int errors);

/* lost is called also from inside auth_failures_add(), auth_failures_add_invalid() and auth_failures_destroy(); it may be
 * NULL.  connect_state and ctx must outlive it.  Returns NULL if out of memory. */
MUST_USE struct auth_failures *auth_failures_create(
	struct connect_state *connect_state, auth_failures_lost *lost, void *ctx);

/* Accepts NULL.  Failures not yet known to be recorded are reported as lost, though the statement under way may
 * commit. */
void auth_failures_destroy(struct auth_failures *af);

/* Counts one for payhook.rates.  Never waits and never fails. */
void auth_failures_count(struct auth_failures *af, const char *source, enum rate what);

/* Copies *failure.  Never waits and never fails. */
void auth_failures_add(struct auth_failures *af, const struct auth_failure *failure);

/* The same for a validation error.  af NULL: it is not recorded. */
void auth_failures_add_invalid(struct auth_failures *af, const struct validation_error *error);
