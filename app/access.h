#pragma once

#include "auth/api_keys.h"
#include "service.h"

/* Whether OPEN_SOURCE_FROM lets the client send to a source that is open (source_is_open()).  A private address does not
 * count if an unnamed proxy forwarded the request, and unless it is "all", a page in a browser may not send. */
MUST_USE bool access_may_send_unsigned(const struct request *rq);

/* Decides whether a client may read.
 *
 * With API_KEYS_FILE, a request needs "Authorization: Bearer KEY" (RFC 6750) with a key that has the wanted scope.
 * Without the file, and at a port for local clients even with it, API_READ is granted to local clients (above), and
 * API_OPERATE to every address: the metrics, the only route with that scope, are restricted by METRICS_ALLOW in either
 * case.  For both, the header Host must be allowed (ALLOWED_HOSTS), the request must not be another site's according to
 * the browser, and no unnamed proxy may have forwarded it.
 *
 * True: the route goes on.  False: the request has been answered 401, 403 or 503. */
MUST_USE bool access_granted(struct request *rq, enum api_scope wanted);
