#pragma once

#include <event2/util.h>

#include "queue/inflight.h"

/* The steps of an orderly stop. */

struct worker;

/* Begins it: the worker claims no more, and the grace time runs. */
void stop_begin(struct worker *worker);

/* Takes every step that is due.  To be called whenever a condition for one may have changed; does nothing while the
 * worker works. */
void stop_advance(struct worker *worker);

/* Deletes the worker's row as the last step; nothing is left to release. */
void stop_leave(struct worker *worker);

/* A visitor for queue_each(); ctx is the worker.  Cancels the call of a job and drops the job, which is no longer this
 * worker's: the worker that freed it has recorded the attempt. */
void stop_drop_call(void *ctx, struct job *j);

/* For the timer worker->deadline: the first time the end of the grace time, the second that of the whole stop. */
void stop_on_deadline(evutil_socket_t fd, short what, void *arg);
