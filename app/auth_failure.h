#pragma once

#include "ingest/auth_failures.h"
#include "service.h"

/* Reports an auth failure: a request without a valid signature, client address, client certificate or API key.
 *
 * The reply does not contain the reason, which would help an attacker.  The reason goes to the operator in three
 * places: the log (each cause at most once a second), the counter payhook_auth_failures_total, and the view
 * auth_failures (at most AUTH_FAILURES_PER_SECOND rows a second for each process). */

/* Logs, counts and records one auth failure.  The address and request_id of *why are ignored: those of the request
 * are used.  Never waits and never fails; the caller answers the request. */
void auth_failure_report(const struct request *rq, const struct auth_failure *why);
