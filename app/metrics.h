#pragma once

#include "service.h"

/* GET /metrics: the sums of all responders of this host, in the text format of Prometheus.  403 unless nginx admits
 * the client's address; 503 if the responders do not share their counters, or memory
 * cannot be allocated. */
void metrics_get(struct request *rq);
