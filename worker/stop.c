/* stop.c - the orderly stop of a worker, and the end of its calls before their time.
 *
 * The calls under way have WORKER_GRACE_MS to end.  Those that the processor may have received by then are settled as
 * unknown, so that their attempts count; the others are released, as if they had never been claimed.  Then the worker
 * deletes its row.  If the database does not answer, the worker leaves all the same, and its jobs are freed when its
 * heartbeat times out. */

#include "stop.h"

#include <event2/event.h>

#include "base/clock.h"
#include "runtime/log.h"
#include "runtime/sd_notify.h"
#include "task.h"
#include "worker_state.h"

#define STOP_MS 5000 /* after the grace time: bound for settling, releasing and leaving if the database is slow */
#define STOP_MARGIN_MS 5000 /* after both, before the service manager may kill the process */

/* Cancels the call of a job, if one is under way.  Returns whether the processor may have received it. */
static bool cancel_call(struct worker *worker, struct task *t)
{
	bool received = worker->kind->cancel(worker->processor, &t->call);
	t->calling = false;
	worker->cancelled++;
	circuit_cancel(&worker->circuit, t->probe);
	return received;
}

static void drop(struct worker *worker, struct job *j)
{
	queue_drop(worker->queue, j);
	task_destroy(task_of(j));
}

void stop_drop_call(void *ctx, struct job *j)
{
	struct worker *worker = ctx;
	if (!task_of(j)->calling)
		return;
	cancel_call(worker, task_of(j));
	drop(worker, j);
}

/* Ends a call for which the grace time is over.  If the processor may have received it, the attempt counts and is
 * recorded as unknown.  Otherwise the job stays owned by this worker until the release. */
static void stop_cut_call(void *ctx, struct job *j)
{
	struct worker *worker = ctx;
	struct task *t = task_of(j);
	if (!t->calling)
		return;
	if (!cancel_call(worker, t)) {
		drop(worker, j);
		return;
	}
	j->outcome = JOB_UNKNOWN;
	task_set_error(t, "the worker stopped before the processor answered");
	queue_settle(worker->queue, j);
}

static void set_deadline(struct worker *worker, int ms)
{
	struct timeval tv = clock_timeval(ms);
	evtimer_add(worker->deadline, &tv);
}

void stop_leave(struct worker *worker)
{
	worker->phase = PHASE_LEAVING;
	heartbeat_leave(worker->heartbeat);
}

/* Takes every step of the stop that is due.  It is called whenever a condition for one may have changed. */
void stop_advance(struct worker *worker)
{
	bool grace =
		clock_ms() < worker->grace_ends_ms && worker->kind->ends_by(worker->processor, worker->grace_ends_ms);
	if (worker->phase == PHASE_FINISHING && !grace) {
		queue_each(worker->queue, stop_cut_call, worker);
		worker->phase = PHASE_SETTLING;
		set_deadline(worker, STOP_MS);
	}
	if (worker->phase == PHASE_SETTLING && queue_inflight(worker->queue)->count == 0) {
		worker->phase = PHASE_RELEASING;
		if (worker->is_worker)
			queue_release(worker->queue);
		else
			event_base_loopexit(worker->base, NULL);
	}
}

/* The first deadline is the end of the grace time, the second the end of the whole stop. */
void stop_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct worker *worker = arg;
	if (worker->phase == PHASE_FINISHING) {
		worker->grace_ends_ms = clock_ms();
		stop_advance(worker);
		return;
	}
	LOG(LOG_LEVEL_WARN, "worker leaves without releasing its jobs; they are freed when its heartbeat times out",
		LOG_NUMBER("jobs", worker->cancelled + queue_inflight(worker->queue)->count));
	event_base_loopexit(worker->base, NULL);
}

void stop_begin(struct worker *worker)
{
	LOG(LOG_LEVEL_INFO, "worker stopping", LOG_NUMBER("in_flight", queue_inflight(worker->queue)->count));
	worker->phase = PHASE_FINISHING;
	worker->grace_ends_ms = clock_ms() + worker->settings->worker_grace_ms;
	set_deadline(worker, worker->settings->worker_grace_ms);
	sd_notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
		1000LL * (worker->settings->worker_grace_ms + STOP_MS + STOP_MARGIN_MS));
}
