/* worker.c - the life of a job in this worker.
 *
 *	claimed -> a call of the processor -> its outcome -> settled
 *
 * Nothing in this file waits: the queue, the heartbeat, maintenance and the processor call back from the event loop.
 * The database decides: a job counts as settled only when the database has confirmed it.  A job is therefore called
 * at least once and settled exactly once.
 *
 * If other workers declare this one dead, its row is gone, and its jobs have been freed under fresh ids; each of
 * them will be called again.  The worker then cancels its calls under way, so that little is done twice.  Calls that
 * have ended are still settled under the number with which they were claimed: an operator may have removed the row
 * by hand, and then the jobs may not have been freed yet.  If they have been, the settlement changes nothing.  After
 * that the worker registers under a new number and goes on. */

#include "worker.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "call_policy.h"
#include "circuit.h"
#include "http/traceparent.h"
#include "processor.h"
#include "queue/heartbeat.h"
#include "queue/maintenance.h"
#include "queue/queue.h"
#include "runtime/log.h"
#include "runtime/sd_notify.h"
#include "stop.h"
#include "task.h"
#include "worker_log.h"
#include "worker_state.h"

#define SHORT_MS 1000 /* without a claim after a call that this machine could not make; others would fail as well */

static const struct processor_kind *const PROCESSORS[] = {
	[PROCESSOR_IS_SIMULATED] = &PROCESSOR_SIMULATED, [PROCESSOR_IS_HTTP] = &PROCESSOR_HTTP};

static const char *status_text(const struct worker *worker)
{
	if (worker->phase != PHASE_WORKING)
		return "ends";
	if (worker->queue_away || worker->heartbeat_away)
		return "the database is away";
	if (!worker->is_worker)
		return "waits for the database";
	return circuit_is_open(&worker->circuit) ? "the processor is down, one job at a time is tried" : "works";
}

void worker_report(const struct worker *worker)
{
	sd_notify_send("STATUS=%s; %d in flight; processor %s", status_text(worker),
		queue_inflight(worker->queue)->count, worker_processor(worker));
}

void worker_stop(struct worker *worker)
{
	stop_begin(worker);
	worker_report(worker);
	stop_advance(worker);
}

/* ---- calls ---- */

static uint64_t random_bits(void)
{
	uint64_t random;
	arc4random_buf(&random, sizeof random);
	return random;
}

/* Reports the result of a call to the circuit.  A permanent failure counts as an answer: it concerns the transaction
 * and shows that the processor works.  A call with a cause on our side counts as cancelled. */
static void report_to_circuit(struct worker *worker, const struct task *t, const struct call_outcome *o)
{
	struct circuit *c = &worker->circuit;
	int failures = c->failures;
	int64_t now_ms = clock_ms(), since_ms = c->open_since_ms;
	if (o->result == CALL_POSTPONED || o->result == CALL_ABSENT) {
		circuit_cancel(c, t->probe);
		return;
	}
	if (o->result != CALL_AGAIN) {
		if (!circuit_answer(c))
			return;
		worker_log_circuit_closed(failures, now_ms - since_ms);
		queue_look(worker->queue);
	} else {
		if (!circuit_fail(c, t->probe, now_ms, random_bits()))
			return;
		worker_log_circuit_opened(c->failures, o->why);
	}
	heartbeat_send(worker->heartbeat);
}

/* The outcome is set and queued for settlement here; the task is freed when the settlement has been confirmed. */
static void worker_on_call_ended(void *ctx, struct call *c, const struct call_outcome *o)
{
	struct worker *worker = ctx;
	struct task *t = task_of_call(c);
	t->calling = false;
	worker_metrics_call(worker->worker_metrics, o->result, (clock_ms() - t->job.began_ms) * 1000);
	/* The failure that opens the circuit still counts as an attempt; those after it do not. */
	bool was_open = circuit_is_open(&worker->circuit);
	report_to_circuit(worker, t, o);
	if (o->result == CALL_POSTPONED)
		worker->short_until_ms = clock_ms() + SHORT_MS;
	call_policy_end(
		&t->job, o, worker->settings->max_attempts, was_open ? worker->circuit.pause_ms : -1, random_bits());
	if (o->result != CALL_DONE) {
		task_set_error(t, o->why);
		worker_log_failure(&t->job, o);
	}
	queue_settle(worker->queue, &t->job);
	if (worker->phase != PHASE_WORKING)
		stop_advance(worker);
}

/* ---- callbacks of the queue ---- */

/* How many calls the rate admits.  If it admits none, a timer asks again; where it admits some and the queue has more jobs, the
 * queue asks again after the claim. */
static int rate_room(struct worker *worker, int room)
{
	int workers = heartbeat_workers(worker->heartbeat);
	int admitted = call_rate_room(&worker->rate, workers, room, clock_us());
	if (room > 0 && admitted == 0) {
		struct timeval tv = clock_timeval(call_rate_wait_ms(&worker->rate, workers));
		evtimer_add(worker->rate_timer, &tv);
	}
	return admitted;
}

static void worker_on_rate_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct worker *worker = arg;
	queue_look(worker->queue);
}

/* No claim without a fresh heartbeat: other workers may be about to declare this one dead. */
static int worker_on_room(void *ctx)
{
	struct worker *worker = ctx;
	int64_t now_ms = clock_ms();
	if (worker->phase != PHASE_WORKING || !heartbeat_is_fresh(worker->heartbeat) || now_ms < worker->short_until_ms)
		return 0;
	if (worker->kind->is_waiting && worker->kind->is_waiting(worker->processor))
		return 0; /* the end of one of these calls asks again */
	int room = worker->settings->worker_slots - queue_inflight(worker->queue)->count;
	return rate_room(worker, circuit_room(&worker->circuit, room > 0 ? room : 0, now_ms));
}

/* Settles a job that had used up its attempts before it was claimed, without a call.  This happens when a worker was lost
 * during the last attempt; a job that kills each worker that calls for it would otherwise never end. */
static void exhaust(struct worker *worker, struct task *t)
{
	t->job.outcome = JOB_EXHAUSTED;
	task_set_error(t, "the attempts are used up, and how the last one ended is unknown");
	worker_log_exhausted(&t->job);
	queue_settle(worker->queue, &t->job);
}

/* Starts the call of a claimed job.  The worker may have been stopped, have lost its heartbeat, or have opened its
 * circuit since the claim was sent; then it returns NULL, and the queue releases the job without counting the
 * attempt. */
static struct job *worker_on_claimed(void *ctx, const struct job *row)
{
	struct worker *worker = ctx;
	int64_t now_ms = clock_ms();
	if (worker->phase != PHASE_WORKING || !heartbeat_is_fresh(worker->heartbeat) ||
		!circuit_admits(&worker->circuit, now_ms))
		return NULL;
	struct task *t = task_create(row);
	if (!t)
		return NULL;
	t->job.began_ms = now_ms;
	if (row->attempt > worker->settings->max_attempts) {
		exhaust(worker, t);
		return &t->job;
	}
	call_rate_take(&worker->rate);
	worker_log_started(&t->job);
	t->calling = true;
	t->probe = circuit_begin(&worker->circuit);
	worker->kind->start(worker->processor, &t->call);
	return &t->job;
}

/* A stale settlement is not counted as an outcome: the job was freed, and its next settlement counts.  An unknown one
 * most likely took effect when it was first sent, and the answer with the job's age was lost. */
static void worker_on_ended(void *ctx, struct job *j, enum settled how)
{
	struct worker *worker = ctx;
	if (how != SETTLED_STALE)
		worker_metrics_settled(worker->worker_metrics, j->outcome, how == SETTLED_NOW ? j->age_us : -1);
	if (how != SETTLED_STALE && j->outcome == JOB_PROCESSED)
		maintenance_count(worker->maintenance, j->source, RATE_PROCESSED);
	else if (how != SETTLED_STALE && (j->outcome == JOB_FAILED || j->outcome == JOB_EXHAUSTED))
		maintenance_count(worker->maintenance, j->source, RATE_FAILED);
	worker_log_settled(j, how);
	task_destroy(task_of(j));
}

/* A settlement makes room, so the queue looks for more jobs. */
static void worker_on_settlement(void *ctx, const struct settlement *s)
{
	struct worker *worker = ctx;
	worker_log_settlement(s);
	queue_look(worker->queue);
	stop_advance(worker);
}

/* Outside the stop a release frees the jobs of a claim whose answer was lost. */
static void worker_on_released(void *ctx, int64_t jobs, bool all)
{
	struct worker *worker = ctx;
	bool releasing = worker->phase == PHASE_RELEASING;
	if (jobs > 0)
		LOG(LOG_LEVEL_INFO, releasing ? "jobs released" : "jobs of a lost claim released",
			LOG_NUMBER("jobs", jobs));
	if (!releasing || !all)
		return;
	stop_leave(worker);
}

static void worker_on_queue_up(void *ctx)
{
	struct worker *worker = ctx;
	worker_log_up(&worker->queue_away, "queue");
	worker_report(worker);
}

static void worker_on_queue_down(void *ctx, const struct fault *why)
{
	struct worker *worker = ctx;
	worker_log_down(&worker->queue_away, "queue", why);
	worker_report(worker);
}

static void worker_on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)ctx;
	LOG(LOG_LEVEL_ERROR, "database rejected a statement", LOG_TEXT("doing", doing), LOG_TEXT("reason", f->text));
}

static const struct queue_events QUEUE_EVENTS = {
	.up = worker_on_queue_up,
	.down = worker_on_queue_down,
	.trouble = worker_on_trouble,
	.room = worker_on_room,
	.claimed = worker_on_claimed,
	.ended = worker_on_ended,
	.settlement = worker_on_settlement,
	.released = worker_on_released,
};

/* ---- callbacks of the heartbeat ---- */

static void worker_on_heartbeat_up(void *ctx)
{
	struct worker *worker = ctx;
	worker_log_up(&worker->heartbeat_away, "heartbeat");
	worker_report(worker);
}

static void worker_on_heartbeat_down(void *ctx, const struct fault *why)
{
	struct worker *worker = ctx;
	worker_log_down(&worker->heartbeat_away, "heartbeat", why);
	worker_report(worker);
}

/* The worker is registered under this owner number and may claim.  0: other workers have declared it dead. */
static void worker_on_is(void *ctx, int64_t owner)
{
	struct worker *worker = ctx;
	if (!owner) {
		LOG(LOG_LEVEL_WARN, "worker was declared dead and registers again",
			LOG_NUMBER("in_flight", queue_inflight(worker->queue)->count));
		queue_each(worker->queue, stop_drop_call, worker);
	} else {
		LOG(LOG_LEVEL_INFO, "worker registered", LOG_NUMBER("owner", owner));
		worker->is_worker = true;
		worker->cancelled = 0;
		sd_notify_send("READY=1");
		worker_report(worker);
	}
	queue_own(worker->queue, owner);
	if (!owner && worker->phase == PHASE_RELEASING)
		stop_leave(
			worker); /* whoever deleted the row frees the jobs; without a row there is nothing to release */
	stop_advance(worker);
}

static int worker_on_in_flight(void *ctx)
{
	struct worker *worker = ctx;
	return queue_inflight(worker->queue)->count;
}

static int64_t worker_on_circuit_open_ms(void *ctx)
{
	struct worker *worker = ctx;
	return circuit_is_open(&worker->circuit) ? clock_ms() - worker->circuit.open_since_ms : -1;
}

static void worker_on_notified(void *ctx)
{
	struct worker *worker = ctx;
	queue_look(worker->queue);
}

static void worker_on_rescued(void *ctx, const char *host, int pid, int64_t jobs)
{
	struct worker *worker = ctx;
	worker_metrics_rescued(worker->worker_metrics, jobs);
	LOG(LOG_LEVEL_WARN, "jobs of a dead worker freed", LOG_TEXT("host", host), LOG_NUMBER("of_pid", pid),
		LOG_NUMBER("jobs", jobs));
}

static void worker_on_orphans(void *ctx, int64_t jobs)
{
	struct worker *worker = ctx;
	worker_metrics_rescued(worker->worker_metrics, jobs);
	LOG(LOG_LEVEL_WARN, "jobs of unregistered workers freed", LOG_NUMBER("jobs", jobs));
}

static void worker_on_left(void *ctx)
{
	struct worker *worker = ctx;
	event_base_loopexit(worker->base, NULL);
}

static const struct heartbeat_events HEARTBEAT_EVENTS = {
	.up = worker_on_heartbeat_up,
	.down = worker_on_heartbeat_down,
	.trouble = worker_on_trouble,
	.is = worker_on_is,
	.in_flight = worker_on_in_flight,
	.circuit_open_ms = worker_on_circuit_open_ms,
	.notified = worker_on_notified,
	.rescued = worker_on_rescued,
	.orphans = worker_on_orphans,
	.left = worker_on_left,
};

/* ---- callbacks of maintenance ---- */

static void worker_on_partitions(void *ctx, const char *done)
{
	(void)ctx;
	LOG(LOG_LEVEL_INFO, "partitions maintained", LOG_TEXT("done", done));
}

static void worker_on_jump(void *ctx, int64_t ms)
{
	(void)ctx;
	LOG(LOG_LEVEL_WARN, "the database's clock differs from the clock of retention",
		LOG_SECONDS("ahead", ms * 1000));
}

static void worker_on_transactions(void *ctx, int64_t deleted)
{
	(void)ctx;
	LOG(LOG_LEVEL_INFO, "expired transactions deleted", LOG_NUMBER("transactions", deleted));
}

static const struct maintenance_events MAINTENANCE_EVENTS = {
	.trouble = worker_on_trouble,
	.partitions = worker_on_partitions,
	.jump = worker_on_jump,
	.transactions = worker_on_transactions,
};

/* ---- the whole ---- */

static enum claim_form claim_form_of(const struct worker *worker)
{
	if (!worker->kind->wants_transaction)
		return CLAIM_IDENTITY;
	return worker->settings->processor_body == PROCESSOR_BODY_ORIGINAL ? CLAIM_REQUEST : CLAIM_TRANSACTION;
}

/* The queue is created before the heartbeat, whose callbacks use it. */
struct worker *worker_create(
	struct event_base *base, const struct call_options *o, struct worker_metrics *worker_metrics, struct fault *f)
{
	const struct settings *s = o->settings;
	struct worker *worker = calloc(1, sizeof *worker);
	if (!worker && !fault_set(f, FAULT_BUSY, "the worker: out of memory"))
		return NULL;
	*worker = (struct worker){.base = base, .settings = s, .worker_metrics = worker_metrics};
	gethostname(worker->host, sizeof worker->host - 1);
	worker->circuit.limit = s->circuit_failures;
	worker->rate.per_second = s->processor_rate;
	worker->connect_state = (struct connect_state){.base = base, .conninfo = s->database};
	worker->kind = PROCESSORS[s->processor];
	worker->deadline = evtimer_new(base, stop_on_deadline, worker);
	worker->rate_timer = evtimer_new(base, worker_on_rate_timer, worker);
	worker->processor = worker->kind->create(base, o, worker_on_call_ended, worker);
	worker->queue =
		queue_create(&worker->connect_state, s->worker_slots, claim_form_of(worker), &QUEUE_EVENTS, worker);
	struct heartbeat_self self = {.host = worker->host,
		.pid = (int)getpid(),
		.version = PAYHOOK_VERSION,
		.processor = worker->kind->name};
	worker->heartbeat = heartbeat_create(&worker->connect_state, &self, &HEARTBEAT_EVENTS, worker);
	struct maintenance_days days = {.payloads = s->payloads_keep_days,
		.attempts = s->attempts_keep_days,
		.transactions = s->transactions_keep_days};
	worker->maintenance = maintenance_create(&worker->connect_state, &days, &MAINTENANCE_EVENTS, worker);
	if (worker->deadline && worker->rate_timer && worker->processor && worker->queue && worker->heartbeat &&
		worker->maintenance)
		return worker;
	fault_set(
		f, FAULT_BUSY, worker->processor ? "the worker: out of memory" : "the processor's client cannot start");
	worker_destroy(worker);
	return NULL;
}

const char *worker_processor(const struct worker *worker)
{
	return worker->kind->name;
}

struct worker_metrics_now worker_now(const struct worker *worker)
{
	const struct queue_counters *c = queue_counters(worker->queue);
	return (struct worker_metrics_now){
		.processor = worker->settings->processor,
		.inflight = queue_inflight(worker->queue)->count,
		.slots = worker->settings->worker_slots,
		.circuit_open = circuit_is_open(&worker->circuit),
		.late = c->late,
		.released = c->released,
		.stale = c->stale,
	};
}

struct connect_state *worker_connect_state(struct worker *worker)
{
	return &worker->connect_state;
}

static void worker_free_task(void *ctx, struct job *j)
{
	(void)ctx;
	task_destroy(task_of(j));
}

/* The tasks are freed before the queue that lists them, and the processor after them: it does not touch dropped
 * calls. */
void worker_destroy(struct worker *worker)
{
	if (!worker)
		return;
	maintenance_destroy(worker->maintenance);
	heartbeat_destroy(worker->heartbeat);
	if (worker->queue) {
		worker_log_counters(queue_counters(worker->queue));
		queue_each(worker->queue, worker_free_task, NULL);
	}
	queue_destroy(worker->queue);
	worker->kind->destroy(worker->processor);
	if (worker->deadline)
		event_free(worker->deadline);
	if (worker->rate_timer)
		event_free(worker->rate_timer);
	free(worker);
}
