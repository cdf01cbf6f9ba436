#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "processor.h"
#include "queue/inflight.h"
#include "queue/queue.h"

/* What the worker logs of its jobs and of its way to the database. */

/* A step of a job, for who debugs; with how long its call took, once it has ended. */
void worker_log_job(const char *event, const struct job *j);

/* Its call failed, and its end is set. */
void worker_log_failure(const struct job *j, const struct call_outcome *o);

/* A connection stands; or it was lost, which is told once: the attempts that follow are not. */
void worker_log_up(bool *away, const char *connection);
void worker_log_down(bool *away, const char *connection, const struct fault *why);

/* What the queue came to, at the end. */
void worker_log_counters(const struct queue_counters *c);
