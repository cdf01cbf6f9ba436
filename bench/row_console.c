/* row_console.c - what twenty consoles cost the accept path, which look at the overview and refresh it.
 *
 * A page asks again two seconds after each answer, so twenty ask ten times a second.  The loads with and without them
 * run in turns, in the order that makes up for a machine that becomes slower or faster meanwhile. */

#include <stdlib.h>

#include "beside.h"
#include "rows.h"

#define CONSOLES 20
#define REFRESHES_A_SECOND 10
#define CONNECTIONS 256

static bool accept_alone(struct bench *b, struct stage *s, double *sum, struct fault *f)
{
	double rate;
	if (!bench_accept(b, s, CONNECTIONS, &rate, f))
		return false;
	*sum += rate;
	return true;
}

/* The consoles begin before the load and end with it. */
static bool accept_beside(struct bench *b, struct stage *s, struct beside *consoles, double *sum, struct fault *f)
{
	const struct generator_plan plan = {
		.port = s->instance.port,
		.connections = CONSOLES,
		.threads = 1,
		.request = {.kind = REQUEST_CONSOLE},
		.status = 200,
		.rate = REFRESHES_A_SECOND,
		.run_ms = b->warm_ms + b->run_ms,
	};
	struct fault other;
	if (!beside_begin(consoles, plan, f))
		return false;
	bool ok = accept_alone(b, s, sum, f);
	bool ended = beside_end(consoles, ok ? f : &other);
	bench_count_wrong(b, &consoles->result);
	return ok && ended;
}

static bool measure_with(struct bench *b, struct stage *s, struct beside *c, struct fault *f)
{
	double without = 0, with = 0;
	if (!accept_alone(b, s, &without, f) || !accept_beside(b, s, c, &with, f) ||
		!accept_beside(b, s, c, &with, f) || !accept_alone(b, s, &without, f))
		return false;
	bench_add_rate(b, "accepted, no console looks", without / 2);
	bench_add_rate(b, "accepted, twenty consoles refresh", with / 2);
	report_add_for(&b->report, "twenty consoles / none", "x", with / without, TARGET_LEAST, 0.97);
	report_add(&b->report, "overview beside this load, p99", "ms", histogram_ms_at(&c->result.latency_ns, 0.99));
	return stage_clean(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	static const char *const SETTINGS[] = {BENCH_RESTING, "CONSOLE=on", NULL};
	struct stage *s;
	struct beside *c = calloc(1, sizeof *c);
	if (!c)
		return fault_set(f, FAULT_BUSY, "out of memory");
	bool ok = bench_own_stage(b, STAGE_OWN, SETTINGS, &s, f) && measure_with(b, s, c, f);
	free(c);
	return ok;
}

const struct row ROW_CONSOLE = {
	.name = "console",
	.asks = "what twenty consoles cost that refresh their overview",
	.measure = measure,
};
