#pragma once

#include "http.h"

/* GET /: HEALTHY when a webhook could be made durable now, else 503 and UNHEALTHY. */
void health_get(struct request *rq);

/* GET /readyz: the same question, as load balancers ask it. */
void health_ready(struct request *rq);

/* GET /livez: the process answers; the database is not asked. */
void health_live(struct request *rq);
