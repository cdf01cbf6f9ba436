#pragma once

#include "http.h"
#include "ingest/auth_failures.h"

/* A request is refused since nothing shows that it comes from where it says.  The sender is told one thing, whatever the
 * reason; the reason goes to the log (each cause at most once a second), to the counts and to rejected_requests. */

/* Tells it.  address and request_id of why are filled in from the request. */
void auth_failure_report(const struct request *rq, const struct auth_failure *why);
