#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "histogram.h"
#include "request.h"

/* Load over HTTP, in one of two ways.
 *
 * Closed loop: each connection sends its next request when the last is answered.  What the system can take at most; its
 * latencies leave out those who would have come meanwhile.
 *
 * Open loop: requests come at a rate, whether or not the last are answered, with exponential pauses between them (a
 * Poisson process: senders that know nothing of each other).  Latency counts from the moment a request was to be sent,
 * so a system that stands still for a second is shown to have done so to everyone who came in it. */

struct generator_plan {
	int port;
	int connections;
	int threads;
	struct request_plan request;
	int status;  /* what every answer must be */
	double rate; /* requests a second; 0: closed loop */
	int warm_ms; /* not counted */
	int run_ms;
};

struct generator_result {
	double rate;      /* right answers a second, within the time that counts */
	uint64_t wrong;   /* other answers, broken connections, and those without an answer 5 s after the end */
	int64_t began_us; /* the time that counts, by the date's clock */
	int64_t ended_us;
	struct histogram latency_ns;
	struct histogram late_ns; /* open loop: from when a request was to be sent until it was; part of the latency */
};

/* False: no connection, or asked to stop. */
MUST_USE bool generator_run(const struct generator_plan *plan, struct generator_result *ret, struct fault *f);
