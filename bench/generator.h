#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"
#include "histogram.h"
#include "request.h"

/* Load over HTTP, in one of two ways.
 *
 * Closed loop: each connection sends its next request when the last one is answered.  This measures the highest
 * rate.  Its latencies leave out the requests that other senders would have sent while the system stood still
 * ("coordinated omission", Gil Tene).
 *
 * Open loop: requests are sent at a given rate, whether or not earlier ones are answered, with exponential pauses
 * between them (a Poisson process, as of senders that know nothing of each other).  The latency of a request counts
 * from the moment at which it was to be sent, so a system that stands still for a second shows that to every request
 * due in this second. */

struct generator_plan {
	int port;
	int connections; /* over all threads */
	int threads;     /* at most 8 */
	struct request_plan request;
	int status;  /* the status that every response must have */
	double rate; /* open loop: requests per second over all connections; 0: closed loop */
	int warm_ms; /* time before the measured time; nothing in it counts but wrong responses */
	int run_ms;  /* the measured time */
};

struct generator_result {
	double rate;      /* right responses per second within the measured time */
	uint64_t wrong;   /* other responses, broken connections, and requests without a response 5 s after the end */
	int wrong_status; /* the status of the first of these, by the threads in turn; 0: it had none */
	int64_t began_us; /* the measured time, in microseconds since 1970 */
	int64_t ended_us;
	struct histogram latency_ns; /* of requests due within the measured time, wrong responses included */
	struct histogram late_ns;    /* open loop: the delay of the load itself in sending; it is part of the latency */
};

/* Runs a load to its end; *ret is large and need not be initialised.  False: a connection or a thread could not be
 * created, or the bench was asked to stop. */
MUST_USE bool generator_run(const struct generator_plan *plan, struct generator_result *ret, struct fault *f);
