/* job.c - the life of a job in this worker.
 *
 *	claimed -> a call of the processor -> its outcome -> settled
 *
 * Nothing here waits, and nothing is decided here that the database does not confirm: what a settlement says counts.
 *
 * When this worker was taken for dead (its beat finds no row), its jobs have been freed under fresh ids and another call
 * is bound to be made for each.  So the calls under way are cancelled, to do as little twice as can be; those that have
 * ended are still sent for settlement under the number they were claimed with, for the case that the row was removed by
 * hand and the jobs are not freed yet: if they are, it changes nothing.  Then work goes on under a new number. */

#include "job.h"

#include <event2/event.h>
#include <event2/util.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "circuit.h"
#include "http/traceparent.h"
#include "news.h"
#include "processor.h"
#include "queue/keeper.h"
#include "queue/queue.h"
#include "queue/watch.h"
#include "runtime/log.h"
#include "runtime/manager.h"
#include "verdict.h"
#include "work.h"

#define STOP_MS 5000 /* beyond the grace time: for settling, handing back and leaving, should the database be slow */
#define STOP_MARGIN_MS 5000 /* beyond both, until the manager may kill */

static const struct processor_kind *const PROCESSORS[] = {
	[PROCESSOR_IS_SIMULATED] = &PROCESSOR_SIMULATED, [PROCESSOR_IS_HTTP] = &PROCESSOR_HTTP};

/* The way out, step by step. */
enum phase {
	PHASE_WORKING,
	PHASE_FINISHING, /* calls end within the grace time */
	PHASE_SETTLING,  /* the others are cancelled; what has ended is being settled */
	PHASE_RELEASING, /* the cancelled are being handed back */
	PHASE_LEAVING,   /* the row of this worker is being removed */
};

struct jobs {
	struct event_base *base;
	const struct settings *settings;
	struct tally *tally;
	struct lanes lanes;
	char host[256]; /* of this machine, for people */
	struct queue *queue;
	struct watch *watch;
	struct keeper *keeper;
	const struct processor_kind *kind;
	struct processor *processor;
	bool queue_away, watch_away; /* the connection was lost, and that was told */
	enum phase phase;
	int64_t grace_ends_ms;
	struct event *deadline;
	bool is_worker; /* it has been under a number, so there may be something to hand back */
	int cancelled;  /* calls, since the number was given */
	struct circuit circuit;
};

static const char *doing(const struct jobs *js)
{
	if (js->phase != PHASE_WORKING)
		return "ends";
	if (js->queue_away || js->watch_away)
		return "the database is away";
	if (!js->is_worker)
		return "waits for the database";
	return circuit_is_open(&js->circuit) ? "the processor is down, one job at a time is tried" : "works";
}

void jobs_tell(const struct jobs *js)
{
	manager_tell("STATUS=%s; %d in flight", doing(js), queue_held(js->queue)->count);
}

/* ---- the way out ---- */

static void cancel_call(void *ctx, struct job *j)
{
	struct jobs *js = ctx;
	struct work *w = work_of(j);
	if (!w->calling)
		return;
	js->kind->cancel(js->processor, &w->call);
	js->cancelled++;
	circuit_cancel(&js->circuit, w->probe);
	queue_drop(js->queue, j);
	work_destroy(w);
}

static void set_deadline(struct jobs *js, int ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
	evtimer_add(js->deadline, &tv);
}

/* Takes every step whose time has come. */
static void advance(struct jobs *js)
{
	bool grace = clock_ms() < js->grace_ends_ms && js->kind->ends_by(js->processor, js->grace_ends_ms);
	if (js->phase == PHASE_FINISHING && !grace) {
		queue_each(js->queue, cancel_call, js);
		js->phase = PHASE_SETTLING;
		set_deadline(js, STOP_MS);
	}
	if (js->phase == PHASE_SETTLING && queue_held(js->queue)->count == 0) {
		js->phase = PHASE_RELEASING;
		if (js->is_worker)
			queue_release(js->queue);
		else
			event_base_loopexit(js->base, NULL);
	}
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct jobs *js = arg;
	if (js->phase == PHASE_FINISHING) {
		js->grace_ends_ms = clock_ms();
		advance(js);
		return;
	}
	LOG(LOG_LEVEL_WARN, "worker leaves without handing back; its jobs are freed when its beat is missed",
		LOG_NUMBER("jobs", js->cancelled + queue_held(js->queue)->count));
	event_base_loopexit(js->base, NULL);
}

void jobs_stop(struct jobs *js)
{
	LOG(LOG_LEVEL_INFO, "worker is asked to end", LOG_NUMBER("in_flight", queue_held(js->queue)->count));
	js->phase = PHASE_FINISHING;
	js->grace_ends_ms = clock_ms() + js->settings->worker_grace_ms;
	set_deadline(js, js->settings->worker_grace_ms);
	manager_tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
		1000LL * (js->settings->worker_grace_ms + STOP_MS + STOP_MARGIN_MS));
	jobs_tell(js);
	advance(js);
}

/* ---- calls ---- */

static uint64_t random_bits(void)
{
	uint64_t random;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	return random;
}

/* What an answer tells of the processor, whatever it tells of the transaction: a refusal for good is an answer. */
static void tell_circuit(struct jobs *js, const struct work *w, const struct outcome *o)
{
	struct circuit *c = &js->circuit;
	int failures = c->failures;
	int64_t now_ms = clock_ms(), since_ms = c->open_since_ms;
	if (o->verdict != CALL_AGAIN) {
		if (!circuit_answer(c))
			return;
		LOG(LOG_LEVEL_WARN, "processor answers again, and jobs are claimed", LOG_NUMBER("failures", failures),
			LOG_SECONDS("after", (now_ms - since_ms) * 1000));
		queue_look(js->queue);
	} else {
		if (!circuit_fail(c, w->probe, now_ms, random_bits()))
			return;
		LOG(LOG_LEVEL_WARN, "processor is down: one job at a time is tried",
			LOG_NUMBER("failures", c->failures), LOG_TEXT("why", o->why));
	}
	watch_beat(js->watch);
}

static void on_call_ended(void *ctx, struct call *c, const struct outcome *o)
{
	struct jobs *js = ctx;
	struct work *w = work_of_call(c);
	w->calling = false;
	tally_call(js->tally, o->verdict, (clock_ms() - w->job.began_ms) * 1000);
	/* The failure that opens the circuit counts; those after it do not. */
	bool was_open = circuit_is_open(&js->circuit);
	tell_circuit(js, w, o);
	verdict_end(&w->job, o, js->settings->max_attempts, was_open ? js->circuit.pause_ms : -1, random_bits());
	if (o->verdict != CALL_DONE) {
		work_set_error(w, o->why);
		news_failure(&w->job, o);
	}
	queue_settle(js->queue, &w->job);
	if (js->phase != PHASE_WORKING)
		advance(js);
}

/* ---- what the queue asks and tells ---- */

static int on_room(void *ctx)
{
	struct jobs *js = ctx;
	if (js->phase != PHASE_WORKING || !watch_is_fresh(js->watch))
		return 0;
	int room = js->settings->worker_slots - queue_held(js->queue)->count;
	return circuit_room(&js->circuit, room > 0 ? room : 0, clock_ms());
}

/* The claim was sent a moment ago.  If meanwhile we are to end, or our beats fail, or the processor went down, no call is
 * begun. */
static struct job *on_claimed(void *ctx, const struct job *row)
{
	struct jobs *js = ctx;
	int64_t now_ms = clock_ms();
	if (js->phase != PHASE_WORKING || !watch_is_fresh(js->watch) || !circuit_admits(&js->circuit, now_ms))
		return NULL;
	struct work *w = work_create(row);
	if (!w)
		return NULL;
	news_job("call starts", &w->job);
	w->calling = true;
	w->probe = circuit_begin(&js->circuit);
	w->job.began_ms = now_ms;
	js->kind->start(js->processor, &w->call);
	return &w->job;
}

static void on_ended(void *ctx, struct job *j, enum settled how)
{
	struct jobs *js = ctx;
	if (how != SETTLED_STALE)
		tally_settled(js->tally, j->end, how == SETTLED_NOW ? j->age_us : -1);
	switch (how) {
	case SETTLED_NOW:
		news_job("job is settled", j);
		break;
	case SETTLED_STALE:
		news_job("job was not ours any more", j);
		break;
	case SETTLED_DOUBT:
		news_job("job was gone at the second try", j);
		break;
	}
	work_destroy(work_of(j));
}

static void on_settlement(void *ctx, const struct settlement *s)
{
	struct jobs *js = ctx;
	if (s->stale > 0)
		LOG(LOG_LEVEL_WARN, "stale results change nothing: their jobs were freed meanwhile",
			LOG_NUMBER("jobs", s->stale));
	if (s->doubt > 0)
		LOG(LOG_LEVEL_INFO, "results were sent twice and are settled", LOG_NUMBER("jobs", s->doubt));
	queue_look(js->queue);
	advance(js);
}

static void on_released(void *ctx, int64_t jobs, bool all)
{
	struct jobs *js = ctx;
	bool end = js->phase == PHASE_RELEASING;
	if (jobs > 0)
		LOG(LOG_LEVEL_INFO, end ? "jobs are handed back" : "jobs whose claim was lost are free again",
			LOG_NUMBER("jobs", jobs));
	if (!end || !all)
		return;
	js->phase = PHASE_LEAVING;
	watch_leave(js->watch);
}

static void on_queue_up(void *ctx)
{
	struct jobs *js = ctx;
	news_up(&js->queue_away, "queue");
	jobs_tell(js);
}

static void on_queue_down(void *ctx, const struct fault *why)
{
	struct jobs *js = ctx;
	news_down(&js->queue_away, "queue", why);
	jobs_tell(js);
}

static void on_trouble(void *ctx, const char *doing, const struct fault *f)
{
	(void)ctx;
	LOG(LOG_LEVEL_ERROR, "database refuses", LOG_TEXT("doing", doing), LOG_TEXT("why", f->text));
}

static const struct queue_events QUEUE_EVENTS = {
	.up = on_queue_up,
	.down = on_queue_down,
	.trouble = on_trouble,
	.room = on_room,
	.claimed = on_claimed,
	.ended = on_ended,
	.settlement = on_settlement,
	.released = on_released,
};

/* ---- what the watch asks and tells ---- */

static void on_watch_up(void *ctx)
{
	struct jobs *js = ctx;
	news_up(&js->watch_away, "watch");
	jobs_tell(js);
}

static void on_watch_down(void *ctx, const struct fault *why)
{
	struct jobs *js = ctx;
	news_down(&js->watch_away, "watch", why);
	jobs_tell(js);
}

static void on_is(void *ctx, int64_t owner)
{
	struct jobs *js = ctx;
	if (!owner) {
		LOG(LOG_LEVEL_WARN, "worker was taken for dead, and begins anew",
			LOG_NUMBER("in_flight", queue_held(js->queue)->count));
		queue_each(js->queue, cancel_call, js);
	} else {
		LOG(LOG_LEVEL_INFO, "worker claims", LOG_NUMBER("owner", owner));
		js->is_worker = true;
		js->cancelled = 0;
		manager_tell("READY=1");
		jobs_tell(js);
	}
	queue_own(js->queue, owner);
	advance(js);
}

static int on_in_flight(void *ctx)
{
	struct jobs *js = ctx;
	return queue_held(js->queue)->count;
}

static int64_t on_circuit_open_ms(void *ctx)
{
	struct jobs *js = ctx;
	return circuit_is_open(&js->circuit) ? clock_ms() - js->circuit.open_since_ms : -1;
}

static void on_work(void *ctx)
{
	struct jobs *js = ctx;
	queue_look(js->queue);
}

static void on_rescued(void *ctx, const char *host, int pid, int64_t jobs)
{
	struct jobs *js = ctx;
	tally_rescued(js->tally, jobs);
	LOG(LOG_LEVEL_WARN, "a dead worker's jobs are free again", LOG_TEXT("host", host), LOG_NUMBER("of_pid", pid),
		LOG_NUMBER("jobs", jobs));
}

static void on_orphans(void *ctx, int64_t jobs)
{
	struct jobs *js = ctx;
	tally_rescued(js->tally, jobs);
	LOG(LOG_LEVEL_WARN, "jobs of workers that are gone are free again", LOG_NUMBER("jobs", jobs));
}

static void on_left(void *ctx)
{
	struct jobs *js = ctx;
	event_base_loopexit(js->base, NULL);
}

static const struct watch_events WATCH_EVENTS = {
	.up = on_watch_up,
	.down = on_watch_down,
	.trouble = on_trouble,
	.is = on_is,
	.in_flight = on_in_flight,
	.circuit_open_ms = on_circuit_open_ms,
	.work = on_work,
	.rescued = on_rescued,
	.orphans = on_orphans,
	.left = on_left,
};

/* ---- what the keeper tells ---- */

static void on_attempts(void *ctx, const char *done)
{
	(void)ctx;
	LOG(LOG_LEVEL_INFO, "attempts are kept by the day", LOG_TEXT("done", done));
}

static void on_transactions(void *ctx, int64_t deleted)
{
	(void)ctx;
	LOG(LOG_LEVEL_INFO, "old transactions are deleted", LOG_NUMBER("transactions", deleted));
}

static const struct keeper_events KEEPER_EVENTS = {
	.trouble = on_trouble,
	.attempts = on_attempts,
	.transactions = on_transactions,
};

/* ---- the whole ---- */

/* The queue comes before the watch, which tells it from when on it may claim. */
struct jobs *jobs_create(struct event_base *base, const struct settings *s, struct tally *tally)
{
	struct jobs *js = calloc(1, sizeof *js);
	if (!js)
		return NULL;
	gethostname(js->host, sizeof js->host - 1);
	js->base = base;
	js->settings = s;
	js->tally = tally;
	js->circuit.limit = s->circuit_failures;
	js->lanes = (struct lanes){.base = base, .conninfo = s->database};
	js->kind = PROCESSORS[s->processor];
	js->deadline = evtimer_new(base, on_deadline, js);
	js->processor = js->kind->create(base, s, on_call_ended, js);
	js->queue = queue_create(&js->lanes, s->worker_slots, js->kind->wants_transaction, &QUEUE_EVENTS, js);
	struct watch_self self = {.host = js->host, .pid = (int)getpid(), .version = PAYHOOK_VERSION};
	js->watch = watch_create(&js->lanes, &self, &WATCH_EVENTS, js);
	js->keeper = keeper_create(&js->lanes, s->attempts_keep_days, s->transactions_keep_days, &KEEPER_EVENTS, js);
	if (!js->deadline || !js->processor || !js->queue || !js->watch || !js->keeper) {
		jobs_destroy(js);
		return NULL;
	}
	return js;
}

struct tally_now jobs_now(const struct jobs *js)
{
	const struct queue_counts *c = queue_counts(js->queue);
	return (struct tally_now){
		.held = queue_held(js->queue)->count,
		.slots = js->settings->worker_slots,
		.circuit_open = circuit_is_open(&js->circuit),
		.late = c->late,
		.released = c->released,
		.stale = c->stale,
	};
}

struct lanes *jobs_lanes(struct jobs *js)
{
	return &js->lanes;
}

static void free_work(void *ctx, struct job *j)
{
	(void)ctx;
	work_destroy(work_of(j));
}

void jobs_destroy(struct jobs *js)
{
	if (!js)
		return;
	keeper_destroy(js->keeper);
	watch_destroy(js->watch);
	if (js->queue) {
		news_counts(queue_counts(js->queue));
		queue_each(js->queue, free_work, NULL);
	}
	queue_destroy(js->queue);
	js->kind->destroy(js->processor);
	if (js->deadline)
		event_free(js->deadline);
	free(js);
}
