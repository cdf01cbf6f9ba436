#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "processor.h"
#include "queue/inflight.h"
#include "queue/queue.h"

/* Log lines of the worker about its jobs and its database connections. */

/* Logs at level debug that the call of a job begins. */
void worker_log_started(const struct job *j);

/* Logs a later step of a job at level debug, with the time since its call began. */
void worker_log_job(const char *event, const struct job *j);

/* Logs that the call of a job failed; j->outcome and j->error are set.  A permanent failure is a warning. */
void worker_log_failure(const struct job *j, const struct call_outcome *o);

/* Log that a connection was established again, or was lost.  *away, the caller's, holds the state: a loss is logged
 * once, and the failed attempts to reconnect that follow are not. */
void worker_log_up(bool *away, const char *connection);
void worker_log_down(bool *away, const char *connection, const struct fault *why);

/* Logs the end of the worker with the counters of its queue. */
void worker_log_counters(const struct queue_counters *c);
