/* row_accept.c - accepting alone, beside what the machine leaves possible. */

#include <pthread.h>

#include "inserter.h"
#include "rows.h"

struct rates {
	double best; /* of those measured so far */
	double last;
};

static void keep(struct bench *b, struct rates *r, const char *name, double rate)
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
		keep(b, ret, name, rate);
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
	keep(b, r, name, rate);
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
		keep(b, ret, name, rate);
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
		keep(b, ret, name, rate);
	}
	return true;
}

/* An inserter on a thread of its own. */
struct beside {
	const char *database;
	int run_ms;
	double rate;
	bool ok;
	struct fault fault;
};

static void *insert(void *arg)
{
	struct beside *i = arg;
	i->ok = inserter_rate(i->database, INSERTER_CONNECTIONS_MAX, i->run_ms, &i->rate, &i->fault);
	return NULL;
}

/* C adds what F and B cost when each has the cores and their caches to itself.  Here they run at the same time, q times
 * as much work in a request of F's as in a row of B's being known from their rates: so many of each could be had. */
static bool ceiling_d(struct bench *b, struct stage *s, double front, double batch, double *ret, struct fault *f)
{
	struct beside beside = {.database = s->instance.database, .run_ms = b->warm_ms + b->run_ms};
	pthread_t thread;
	double rate = 0;
	int port;
	if (!bench_front(b, FRONT_ECHO, &port, f) || !stage_clean(s, f))
		return false;
	if (pthread_create(&thread, NULL, insert, &beside) != 0)
		return fault_set(f, FAULT_BUSY, "a thread of the load cannot be started");
	bool ok = bench_rate(b, port, 256, (struct request_plan){.kind = REQUEST_UNIQUE}, &rate, f);
	pthread_join(thread, NULL);
	if (ok && !beside.ok)
		*f = beside.fault;
	bench_add_rate(b, "D: F, 256 connections, beside B", rate);
	bench_add_rate(b, "D: B, 8 connections, beside F", beside.rate);
	double q = batch / front;
	*ret = (q * rate + beside.rate) / (q + 1);
	return ok && beside.ok;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct rates accept = {0}, h = {0}, front = {0}, single = {0}, batch = {0};
	struct report *r = &b->report;
	struct stage *s;
	double at_256, d = 0;
	if (!bench_stage(b, STAGE_RESTING, &s, f) || !accepted(b, s, &accept, &at_256, f) ||
		!ceiling_h_and_f(b, &h, &front, f) || !ceiling_s(b, s, &single, f) || !ceiling_b(b, s, &batch, f) ||
		!ceiling_d(b, s, front.best, batch.best, &d, f))
		return false;
	double c = 1 / (1 / front.best + 1 / batch.best);
	report_add(r, "C = 1/(1/F + 1/B)", "/s", c);
	report_add(r, "D = as many of both, at the same time", "/s", d);
	report_add(r, "accepted, best", "/s", accept.best);
	report_add_for(r, "accepted, best / S", "x", accept.best / single.best, TARGET_LEAST, 1.3);
	report_note(r, "accepted, best / S", "(1.6 is the aim)");
	report_add_for(r, "accepted, best / C", "x", accept.best / c, TARGET_LEAST, 0.8);
	report_add(r, "accepted, best / D", "x", accept.best / d);
	report_add_for(r, "accepted, 256 connections / best", "x", at_256 / accept.best, TARGET_LEAST, 0.85);
	bench_say(b, "accepted / S = %.2f, / C = %.2f, / D = %.2f", accept.best / single.best, accept.best / c,
		accept.best / d);
	return stage_clean(s, f);
}

const struct row ROW_ACCEPT = {
	.name = "accept",
	.asks = "how many webhooks are accepted, beside the ceilings H, F, S, B, C and D",
	.measure = measure,
};
