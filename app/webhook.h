#pragma once

#include "service.h"

/* POST /v1/webhooks/{source}: receives one webhook.
 *
 * Answers 404 for an unknown or disabled source; 403 if the client's address or certificate is not the source's; 200 to a
 * ping of the source, or as the source is configured to (acknowledgement.h); 415 or
 * 413 for the wrong Content-Type or a body over BODY_LIMIT; 401 if the signature does not verify, 503 if it cannot be
 * computed; and else as submission_accept() does. */
void webhook_post(struct request *rq);

/* Counts an answered request for payhook.rates: a webhook that stored something as accepted, and one that was answered 4xx
 * as refused.  Others, and requests to no source, are not counted. */
void webhook_count(const struct request *rq);
