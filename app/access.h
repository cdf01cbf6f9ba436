#pragma once

#include "auth/api_keys.h"
#include "http.h"

/* Who may read.  With keys (API_KEYS_FILE), who shows one that has the scope; without, reading is for this host and
 * private networks, and the metrics have a rule of their own (METRICS_ALLOW), which holds in either case.
 *
 * False: not this one, and the request is answered: 401, 403, or 503. */
MUST_USE bool access_granted(struct request *rq, enum api_scope wanted);
