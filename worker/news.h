#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "processor.h"
#include "queue/held.h"
#include "queue/queue.h"

/* What the worker logs of its jobs and of its way to the database. */

/* A step of a job, for who debugs; with how long its call took, once it has ended. */
void news_job(const char *event, const struct job *j);

/* Its call failed, and its end is set. */
void news_failure(const struct job *j, const struct outcome *o);

/* A connection stands; or it was lost, which is told once: the attempts that follow are not. */
void news_up(bool *away, const char *connection);
void news_down(bool *away, const char *connection, const struct fault *why);

/* What the queue came to, at the end. */
void news_counts(const struct queue_counts *c);
