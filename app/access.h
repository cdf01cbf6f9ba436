#pragma once

#include "auth/api_keys.h"
#include "http.h"

/* Decides whether a client may read.
 *
 * With API_KEYS_FILE, a request needs "Authorization: Bearer KEY" (RFC 6750) with a key that has the wanted scope.
 * Without the file, API_READ is granted to clients on this host and in private networks, and API_OPERATE to all: the
 * metrics, the only route with that scope, are restricted by METRICS_ALLOW in either case.
 *
 * True: the route goes on.  False: the request has been answered 401, 403 or 503. */
MUST_USE bool access_granted(struct request *rq, enum api_scope wanted);
