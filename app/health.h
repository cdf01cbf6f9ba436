#pragma once

#include "service.h"

/* GET /: 200 and HEALTHY if a webhook could be made durable now, 503 and UNHEALTHY if not or not within
 * REQUEST_WAIT_MS. */
void health_get(struct request *rq);

/* GET /readyz: the same check for load balancers.  To a local client (access.h) the 200 lists the sources that
 * accept unsigned webhooks, with OPEN_SOURCE_FROM; a failure is answered with a problem (RFC 9457), 503. */
void health_ready(struct request *rq);

/* GET /livez: always 200, without use of the database. */
void health_live(struct request *rq);
