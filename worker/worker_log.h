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

/* Log the result of a job's settlement at level debug, and of a whole settlement what was stale or sent twice. */
void worker_log_settled(const struct job *j, enum settled how);
void worker_log_settlement(const struct settlement *s);

/* Log a change of the circuit, with the consecutive failures before it. */
void worker_log_circuit_opened(int failures, const char *why);
void worker_log_circuit_closed(int failures, int64_t open_ms);

/* Logs that the call of a job failed; j->outcome and j->error are set.  A permanent failure is a warning, and so is a
 * call that this machine could not make. */
void worker_log_failure(const struct job *j, const struct call_outcome *o);

/* Logs that a claimed job is given up without a call, because its attempts were used up before. */
void worker_log_exhausted(const struct job *j);

/* Log that a connection was established again, or was lost.  *away, the caller's, holds the state: a loss is logged
 * once, and the failed attempts to reconnect that follow are not. */
void worker_log_up(bool *away, const char *connection);
void worker_log_down(bool *away, const char *connection, const struct fault *why);

/* Logs the end of the worker with the counters of its queue. */
void worker_log_counters(const struct queue_counters *c);
