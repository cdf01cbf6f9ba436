/* caller.c - drives the http processor without a worker. */

#include "support/caller.h"

#include <criterion/criterion.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define PATIENCE_MS 10000
#define STEP_MS 2

void caller_open(struct caller *c)
{
	*c = (struct caller){.base = event_base_new()};
	cr_assert_not_null(c->base);
	c->server = http_server_open(c->base);
	c->settings = (struct settings){
		.worker_slots = 256, .processor_connect_timeout_ms = 2000, .processor_timeout_ms = 5000};
	snprintf(c->settings.processor_url, sizeof c->settings.processor_url, "http://127.0.0.1:%d/pay",
		http_server_port(c->server));
}

void caller_close(struct caller *c)
{
	PROCESSOR_HTTP.destroy(c->processor);
	http_server_close(c->server);
	event_base_free(c->base);
	libevent_global_shutdown();
}

static void on_ended(void *ctx, struct call *call, const struct call_outcome *o)
{
	struct caller *c = ctx;
	struct made *m = CONTAINER_OF(call, struct made, call);
	cr_assert_not(m->ended, "a call ended twice");
	c->ended++;
	m->ended = true;
	m->ended_ms = clock_ms();
	m->result = o->result;
	m->pause_ms = o->pause_ms;
	snprintf(m->why, sizeof m->why, "%s", o->why);
	if (c->on_end)
		c->on_end(c, m); /* may start calls; the members copied above stay valid */
	snprintf(m->request_id, sizeof m->request_id, "%s", o->request_id ? o->request_id : "");
}

struct made made_of(const char *source, const char *transaction_id)
{
	return (struct made){.job = {.id = 1,
				     .owner = 1,
				     .transaction_id = transaction_id,
				     .source = source,
				     .attempt = 1,
				     .source_account = "acc_1",
				     .destination_account = "acc_2",
				     .amount = "1500.10",
				     .currency = "EUR",
				     .created_at = "2026-02-19T12:00:00.123456Z"}};
}

void caller_start(struct caller *c, struct made *m)
{
	c->options.settings = &c->settings;
	if (!c->processor)
		c->processor = PROCESSOR_HTTP.create(c->base, &c->options, on_ended, c);
	cr_assert_not_null(c->processor);
	m->call = (struct call){.job = &m->job};
	m->began_ms = clock_ms();
	int before = c->ended;
	PROCESSOR_HTTP.start(c->processor, &m->call);
	cr_assert_eq(c->ended, before, "a call ended inside start()");
}

bool caller_cancel(struct caller *c, struct made *m)
{
	return PROCESSOR_HTTP.cancel(c->processor, &m->call);
}

static void turn(struct caller *c)
{
	struct timeval step = clock_timeval(STEP_MS);
	event_base_loopexit(c->base, &step);
	event_base_dispatch(c->base);
}

void caller_until_ended(struct caller *c, int count)
{
	for (int64_t end = clock_ms() + PATIENCE_MS; c->ended < count; turn(c))
		cr_assert_lt(clock_ms(), end, "%d of %d calls ended", c->ended, count);
}

void caller_until_calls_of(struct caller *c, const struct http_server *server, int count)
{
	for (int64_t end = clock_ms() + PATIENCE_MS; http_server_calls(server) < count; turn(c))
		cr_assert_lt(clock_ms(), end, "%d of %d calls were heard", http_server_calls(server), count);
}

void caller_until_heard(struct caller *c, int count)
{
	caller_until_calls_of(c, c->server, count);
}

void caller_call(struct caller *c, struct made *m)
{
	caller_start(c, m);
	caller_until_ended(c, c->ended + 1);
	cr_assert(m->ended, "another call ended");
}

void caller_for(struct caller *c, int ms)
{
	for (int64_t end = clock_ms() + ms; clock_ms() < end;)
		turn(c);
}
