/* processor_simulated.c - a processor that takes its time and succeeds.
 *
 * Every call takes the same time, so calls end in the order they were started: a list and one timer for its head serve
 * a hundred thousand of them, where a timer each would cost a heap and half as much memory again. */

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "processor.h"

struct processor {
	struct event *timer; /* for the head of the list */
	TAILQ_HEAD(, call) calls;
	int delay_ms;
	call_ended *ended;
	void *ctx;
};

static void processor_simulated_set_timer(struct processor *p)
{
	const struct call *first = TAILQ_FIRST(&p->calls);
	if (!first)
		return;
	int64_t ms = first->ends_ms - clock_ms();
	ms = ms > 0 ? ms : 0;
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
	evtimer_add(p->timer, &tv);
}

static void processor_simulated_on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct processor *p = arg;
	static const struct call_outcome DONE = {.result = CALL_DONE, .pause_ms = -1};
	int64_t now = clock_ms();
	struct call *c;
	while ((c = TAILQ_FIRST(&p->calls)) && c->ends_ms <= now) {
		TAILQ_REMOVE(&p->calls, c, under_way);
		p->ended(p->ctx, c, &DONE);
	}
	processor_simulated_set_timer(p);
}

static void processor_simulated_destroy(struct processor *p)
{
	if (!p)
		return;
	if (p->timer)
		event_free(p->timer);
	free(p);
}

static struct processor *processor_simulated_create(
	struct event_base *base, const struct settings *s, call_ended *ended, void *ctx)
{
	struct processor *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	p->timer = evtimer_new(base, processor_simulated_on_timer, p);
	if (!p->timer) {
		processor_simulated_destroy(p);
		return NULL;
	}
	TAILQ_INIT(&p->calls);
	p->delay_ms = s->processor_delay_ms;
	p->ended = ended;
	p->ctx = ctx;
	return p;
}

static void processor_simulated_start(struct processor *p, struct call *c)
{
	c->ends_ms = clock_ms() + p->delay_ms;
	bool first = TAILQ_EMPTY(&p->calls);
	TAILQ_INSERT_TAIL(&p->calls, c, under_way);
	if (first)
		processor_simulated_set_timer(p);
}

/* The timer may then come early, finds nothing to end, and is set for the next. */
static void processor_simulated_cancel(struct processor *p, struct call *c)
{
	TAILQ_REMOVE(&p->calls, c, under_way);
}

static bool processor_simulated_ends_by(const struct processor *p, int64_t when_ms)
{
	const struct call *first = TAILQ_FIRST(&p->calls);
	return first && first->ends_ms <= when_ms;
}

const struct processor_kind PROCESSOR_SIMULATED = {
	.create = processor_simulated_create,
	.destroy = processor_simulated_destroy,
	.start = processor_simulated_start,
	.cancel = processor_simulated_cancel,
	.ends_by = processor_simulated_ends_by,
};
