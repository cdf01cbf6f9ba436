#pragma once

#include <pthread.h>

#include "base/base.h"
#include "base/fault.h"
#include "generator.h"

/* A load that runs beside something else: another load, or statements. */

struct beside {
	struct generator_plan plan;
	struct generator_result result; /* after beside_end() */
	pthread_t thread;
	struct fault fault;
	bool ok;
};

/* Starts a load in a thread.  *b is large, and must stay until beside_end(). */
MUST_USE bool beside_begin(struct beside *b, struct generator_plan plan, struct fault *f);

/* Waits for its end.  False as generator_run(). */
MUST_USE bool beside_end(struct beside *b, struct fault *f);
