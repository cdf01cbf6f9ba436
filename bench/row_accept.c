/* row_accept.c - accepting alone, beside what the machine leaves possible.
 *
 * The ceilings H, F, S and B each run a part of the way of a webhook alone.  C is computed from F and B: the rate if
 * the two took turns on the cores.  bench/README.md defines all of them. */

#include "inserter.h"
#include "rows.h"

struct rates {
	double best; /* per second, of those measured so far in this round */
	double last;
};

static void add_rate(struct bench *b, struct rates *r, const char *name, double rate)
{
	bench_add_rate(b, name, rate);
	r->last = rate;
	if (rate > r->best)
		r->best = rate;
}

static bool accepted(struct bench *b, struct stage *s, struct rates *ret, double *at_256, struct fault *f)
{
	static const int CONNECTIONS[] = {16, 64, 256};
	for (size_t i = 0; i < COUNT_OF(CONNECTIONS); i++) {
		char name[64];
		double rate = 0;
		snprintf(name, sizeof name, "accepted, %d connections", CONNECTIONS[i]);
		if (!bench_accept(b, s, CONNECTIONS[i], &rate, f))
			return false;
		add_rate(b, ret, name, rate);
	}
	*at_256 = ret->last;
	return true;
}

static bool front_rate(
	struct bench *b, struct rates *r, enum front_kind kind, int connections, const char *what, struct fault *f)
{
	char name[64];
	double rate = 0;
	int port;
	snprintf(name, sizeof name, "%s, %d connections", what, connections);
	if (!bench_front(b, kind, &port, f) ||
		!bench_rate(b, port, connections, (struct request_plan){.kind = REQUEST_UNIQUE}, &rate, f))
		return false;
	add_rate(b, r, name, rate);
	return true;
}

static bool ceiling_h_and_f(struct bench *b, struct rates *h, struct rates *front, struct fault *f)
{
	return front_rate(b, h, FRONT_ALONE, 64, "H: nginx answers by itself", f) &&
	       front_rate(b, front, FRONT_ECHO, 64, "F: responder without a database", f) &&
	       front_rate(b, front, FRONT_ECHO, 256, "F: responder without a database", f);
}

static bool ceiling_s(struct bench *b, struct stage *s, struct rates *ret, struct fault *f)
{
	static const int CLIENTS[] = {8, 16, 32, 64};
	for (size_t i = 0; i < COUNT_OF(CLIENTS); i++) {
		char name[64];
		double rate = 0;
		snprintf(name, sizeof name, "S: pgbench, %d clients", CLIENTS[i]);
		if (!bench_pgbench(b, s, CLIENTS[i], &rate, f))
			return false;
		add_rate(b, ret, name, rate);
	}
	return true;
}

static bool ceiling_b(struct bench *b, struct stage *s, struct rates *ret, struct fault *f)
{
	static const int CONNECTIONS[] = {1, 2, 4};
	for (size_t i = 0; i < COUNT_OF(CONNECTIONS); i++) {
		char name[64];
		double rate = 0;
		snprintf(name, sizeof name, "B: batches of %d rows, %d connection%s", INSERTER_ROWS, CONNECTIONS[i],
			CONNECTIONS[i] > 1 ? "s" : "");
		if (!stage_clean(s, f) || !inserter_rate(s->instance.database, CONNECTIONS[i], b->run_ms, &rate, f))
			return false;
		add_rate(b, ret, name, rate);
	}
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct rates accept = {0}, h = {0}, front = {0}, single = {0}, batch = {0};
	struct report *r = &b->report;
	struct stage *s;
	double at_256;
	if (!bench_stage(b, STAGE_RESTING, &s, f) || !accepted(b, s, &accept, &at_256, f) ||
		!ceiling_h_and_f(b, &h, &front, f) || !ceiling_s(b, s, &single, f) || !ceiling_b(b, s, &batch, f))
		return false;
	double c = 1 / (1 / front.best + 1 / batch.best);
	report_add(r, "C = 1/(1/F + 1/B)", "/s", c);
	report_add(r, "accepted, best", "/s", accept.best);
	report_add_for(r, "accepted, best / S", "x", accept.best / single.best, TARGET_LEAST, 1.3);
	report_note(r, "accepted, best / S", "(1.6 is the aim)");
	report_add_for(r, "accepted, best / C", "x", accept.best / c, TARGET_LEAST, 0.8);
	report_add_for(r, "accepted, 256 connections / best", "x", at_256 / accept.best, TARGET_LEAST, 0.85);
	bench_print(b, "accepted / S = %.2f, / C = %.2f", accept.best / single.best, accept.best / c);
	return stage_clean(s, f);
}

const struct row ROW_ACCEPT = {
	.name = "accept",
	.asks = "how many webhooks are accepted, beside the ceilings H, F, S, B and C",
	.measure = measure,
};
