#pragma once

#include "http.h"

/* GET /metrics: what the responders of this host have counted, for Prometheus.  403 unless nginx vouches for the address
 * that asks. */
void metrics_get(struct request *rq);
