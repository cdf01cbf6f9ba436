#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call_rate.h"
#include "circuit.h"
#include "pg/connection.h"
#include "processor.h"
#include "queue/heartbeat.h"
#include "queue/maintenance.h"
#include "queue/queue.h"
#include "runtime/settings.h"
#include "worker_metrics.h"

/* The state of a worker, which worker.c and stop.c share. */

/* The steps of an orderly stop; a worker only ever moves down this list.  The order matters: a release frees everything
 * that this worker owns and has not in flight, so it must come after the last settlement, and the row may go only when
 * no job names it any more. */
enum phase {
	PHASE_WORKING,
	PHASE_FINISHING, /* calls may end within the grace time */
	PHASE_SETTLING,  /* the other calls are cancelled; the jobs of calls that were made are being settled */
	PHASE_RELEASING, /* the jobs for which no call was made are being released */
	PHASE_LEAVING,   /* the row of this worker is being removed */
};

struct worker {
	struct event_base *base;
	const struct settings *settings;
	struct worker_metrics *worker_metrics;
	struct connect_state connect_state;
	char host[256]; /* name of this machine, shown to operators */
	struct queue *queue;
	struct heartbeat *heartbeat;
	struct maintenance *maintenance;
	const struct processor_kind *kind;
	struct processor *processor;
	bool queue_away, heartbeat_away; /* the connection is lost, and that has been logged */
	enum phase phase;
	int64_t grace_ends_ms;
	struct event *deadline;
	bool is_worker; /* it has been registered, so it may own jobs that must be released */
	int cancelled;  /* calls cancelled since the last registration */
	struct circuit circuit;
	struct call_rate rate;
	struct event *rate_timer; /* looks for jobs when the rate admits calls again */
	int64_t short_until_ms;   /* this machine could not make a call: none is claimed until then */
};
