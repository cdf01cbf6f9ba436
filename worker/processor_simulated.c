/* processor_simulated.c - a processor that succeeds after PROCESSOR_DELAY_MS.
 *
 * All calls take the same time, so they end in the order in which they were started.  A list and one timer for its head
 * therefore serve a hundred thousand calls; a timer for each would cost a heap and half as much memory again. */

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"
#include "processor.h"

struct processor {
	struct event *timer; /* set for the head of the list */
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
	struct timeval tv = clock_timeval(first->ends_ms - clock_ms());
	evtimer_add(p->timer, &tv);
}

/* ended() frees the call, so it is removed from the list first. */
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
	struct event_base *base, const struct call_options *o, call_ended *ended, void *ctx)
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
	p->delay_ms = o->settings->processor_delay_ms;
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

/* The timer is left as it is: if it fires for a cancelled call, no call is due, and it is set for the new head.  Nothing
 * was sent anywhere. */
static bool processor_simulated_cancel(struct processor *p, struct call *c)
{
	TAILQ_REMOVE(&p->calls, c, under_way);
	return false;
}

static bool processor_simulated_ends_by(const struct processor *p, int64_t when_ms)
{
	const struct call *first = TAILQ_FIRST(&p->calls);
	return first && first->ends_ms <= when_ms;
}

const struct processor_kind PROCESSOR_SIMULATED = {
	.name = "simulated",
	.create = processor_simulated_create,
	.destroy = processor_simulated_destroy,
	.start = processor_simulated_start,
	.cancel = processor_simulated_cancel,
	.ends_by = processor_simulated_ends_by,
};
