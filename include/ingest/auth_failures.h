#pragma once

#include <stdint.h>

#include "auth/signature.h"
#include "base/base.h"
#include "pg/connection.h"

/* Keeps for the operator what was refused because nothing showed that it came from where it says: rows of
 * payhook.rejected_requests, on a connection of their own.
 *
 * Anybody on the internet can cause them, so they may cost little and must never stand in the way of an answer: a
 * rejection is copied into a ring of AUTH_FAILURES_WAITING_MAX and written with others a moment later.  A process writes
 * AUTH_FAILURES_PER_SECOND at most.  What comes beyond, and what the database does not take, is lost but for its number;
 * the log and the counts have it all the same. */

#define AUTH_FAILURES_WAITING_MAX 100
#define AUTH_FAILURES_PER_SECOND 100 /* over time; AUTH_FAILURES_WAITING_MAX at once after a pause */
#define AUTH_FAILURES_REST_MS 100    /* between two writings, at least */

/* Causes beside those of signatures, numbered after them. */
enum auth_failure_cause {
	AUTH_FAILURE_ADDRESS = SIGNATURE_CAUSE_COUNT, /* the client's address is not on the source's list */
	AUTH_FAILURE_CERTIFICATE,                     /* no client certificate, or not the source's */
	AUTH_FAILURE_API_KEY,                         /* no API key, or none that may do this */
};

#define AUTH_FAILURE_CAUSE_COUNT (AUTH_FAILURE_API_KEY + 1)

/* The cause's name for labels and tables: "wrong", "api_key"; of a signature's, signature_cause_name(). */
const char *auth_failure_cause_name(int cause);

/* One refusal.  The texts may be anything that a sender sent: they are cut at their bound, at a character's edge, and
 * what is not a printable character of UTF-8 becomes a question mark.  None may hold a secret, a signature or a body. */
struct auth_failure {
	int cause;              /* an enum signature_cause but SIGNATURE_GOOD, or an enum auth_failure_cause */
	const char *source;     /* its name, 64 bytes kept; NULL or "": none was addressed */
	const char *detail;     /* why, for the operator; 255 bytes kept */
	int64_t skew_s;         /* how far the signed time lies behind ours; 0: none is signed */
	const char *address;    /* of the client, 64 bytes kept; NULL or "": unknown */
	const char *request_id; /* 32 bytes kept; NULL or "": none */
};

struct auth_failures;

/* lost is told how many were not recorded, each time that some are not, also from inside auth_failures_add() and
 * auth_failures_destroy(); or NULL.  NULL: out of memory. */
MUST_USE struct auth_failures *auth_failures_create(
	struct connect_state *connect_state, void (*lost)(void *ctx, int count), void *ctx);
void auth_failures_destroy(struct auth_failures *r);

/* Copies what it is given.  Never waits and never fails. */
void auth_failures_add(struct auth_failures *r, const struct auth_failure *what);
