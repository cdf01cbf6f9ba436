/* row_latency.c - how long a sender waits for its 202: at half the best rate, at two given rates, and alone.
 *
 * The load at half the rate is an open loop, because the latencies of a closed loop leave out the requests that
 * would have come while the system stood still. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

#include "pgbench.h"
#include "rows.h"

#define RATE_OF_COST 5000
#define RATE_OF_TARGETS 10000

static const struct request_plan UNIQUE = {.kind = REQUEST_UNIQUE};

static bool open_loop(struct bench *b, struct stage *s, double rate, struct generator_result *result, struct fault *f)
{
	struct report *r = &b->report;
	const struct generator_plan plan = bench_open_loop(b, s, rate);
	if (!stage_clean(s, f) || !generator_run(&plan, result, f))
		return false;
	const struct histogram *h = &result->latency_ns;
	histogram_merge(&b->latency_ns, h);
	bench_count_wrong(b, result);
	bench_add_rate(b, "open loop, Poisson, half the best rate", result->rate);
	report_add_for(r, "open loop, p50", "ms", histogram_ms_at(h, 0.5), TARGET_MOST, 2);
	report_add_for(r, "open loop, p99", "ms", histogram_ms_at(h, 0.99), TARGET_MOST, 10);
	report_add_for(r, "open loop, p99.9", "ms", histogram_ms_at(h, 0.999), TARGET_MOST, 50);
	report_add(r, "open loop, most", "ms", (double)h->most / 1e6);
	report_add(r, "of these the load's own delay, p99", "ms", histogram_ms_at(&result->late_ns, 0.99));
	report_add(r, "open loop, not answered 202", "", (double)result->wrong);
	bench_print(b, "p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms", histogram_ms_at(h, 0.5), histogram_ms_at(h, 0.99),
		histogram_ms_at(h, 0.999));
	return true;
}

static double percentile(struct bench *b, const char *name, const struct generator_result *result, double share,
	const char *label, double target)
{
	char text[96];
	double ms = histogram_ms_at(&result->latency_ns, share);
	snprintf(text, sizeof text, "%s, %s", name, label);
	report_add_for(&b->report, text, "ms", ms, target > 0 ? TARGET_MOST : TARGET_NONE, target);
	return ms;
}

/* At a rate that is moderate for any machine, where a webhook costs the most processor time.  F takes the same: what
 * nginx, the load and an answer cost without a database. */
static bool at_rate(
	struct bench *b, struct stage *s, int rate, bool is_front, struct generator_result *result, struct fault *f)
{
	struct generator_plan plan = bench_open_loop(b, s, rate);
	struct share_reading from, to;
	bool has_targets = rate == RATE_OF_TARGETS && !is_front;
	char name[64];
	if (is_front && !bench_front(b, FRONT_ECHO, &plan.port, f))
		return false;
	if (!stage_clean(s, f) || !share_read(&from, f))
		return false;
	bool ok = generator_run(&plan, result, f) && share_read(&to, f);
	if (ok) {
		struct shares shares = bench_shares(b, &from, &to);
		double used_s = (shares.load + shares.own) * get_nprocs() * (double)(to.at_ns - from.at_ns) / 1e9;
		double us = used_s * 1e6 / (rate * (plan.warm_ms + plan.run_ms) / 1e3);
		bench_count_wrong(b, result);
		snprintf(name, sizeof name, "%d/s%s", rate, is_front ? " to F" : "");
		double p50 = percentile(b, name, result, 0.5, "p50", has_targets ? 1.2 : 0);
		double p99 = percentile(b, name, result, 0.99, "p99", has_targets ? 5 : 0);
		double p999 = percentile(b, name, result, 0.999, "p99.9", has_targets ? 20 : 0);
		bench_print(
			b, "%s: p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, %.0f us a webhook", name, p50, p99, p999, us);
		snprintf(name, sizeof name, "%d/s%s, processor time, load included", rate, is_front ? " to F" : "");
		report_add_for(
			&b->report, name, "us", us, rate == RATE_OF_COST && !is_front ? TARGET_MOST : TARGET_NONE, 160);
		share_finish(&to);
	}
	share_finish(&from);
	return ok;
}

static bool alone(
	struct bench *b, int port, const char *name, struct generator_result *result, double *ret, struct fault *f)
{
	if (!bench_load(b, port, 1, UNIQUE, result, f))
		return false;
	*ret = histogram_ms_at(&result->latency_ns, 0.5);
	report_add(&b->report, name, "ms", *ret);
	return true;
}

static bool one_pgbench(struct bench *b, struct stage *s, double *ret, struct fault *f)
{
	struct pgbench_plan plan = {
		.conninfo = s->instance.database,
		.script = b->script,
		.folder = s->instance.folder,
		.clients = 1,
		.threads = 1,
		.seconds = b->run_ms / 1000,
	};
	struct histogram *h = calloc(1, sizeof *h);
	bool ok = h && stage_clean(s, f) && pgbench_latency(&plan, h, f);
	*ret = ok ? histogram_ms_at(h, 0.5) : 0;
	free(h);
	report_add(&b->report, "median of one pgbench client", "ms", *ret);
	return ok;
}

static bool one_at_a_time(struct bench *b, struct stage *s, struct generator_result *result, struct fault *f)
{
	double payhook, front, single;
	int port;
	if (!bench_front(b, FRONT_ECHO, &port, f) || !stage_clean(s, f) ||
		!alone(b, s->instance.port, "median of one connection", result, &payhook, f) ||
		!alone(b, port, "median of one connection to F", result, &front, f) || !one_pgbench(b, s, &single, f))
		return false;
	report_add_for(&b->report, "one connection / (one pgbench client + F)", "x", payhook / (single + front),
		TARGET_MOST, 1.5);
	bench_print(b, "one connection: %.3f ms; pgbench %.3f ms, F %.3f ms", payhook, single, front);
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct best best;
	struct generator_result *result = malloc(sizeof *result);
	bool ok = result && bench_stage(b, STAGE_RESTING, &s, f) &&
		  bench_best(b, s, s->instance.port, UNIQUE, &best, f) && open_loop(b, s, best.rate / 2, result, f) &&
		  at_rate(b, s, RATE_OF_COST, false, result, f) && at_rate(b, s, RATE_OF_COST, true, result, f) &&
		  at_rate(b, s, RATE_OF_TARGETS, false, result, f) && at_rate(b, s, RATE_OF_TARGETS, true, result, f) &&
		  one_at_a_time(b, s, result, f) && stage_clean(s, f);
	free(result);
	return ok;
}

const struct row ROW_LATENCY = {
	.name = "latency",
	.asks = "how long a sender waits, at half the best rate and alone",
	.measure = measure,
};
