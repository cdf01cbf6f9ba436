/* row_fair.c - how long the webhooks of one source wait while another source is flooded.
 *
 * The calm source is an open loop of a hundred webhooks a second, the flood a closed loop of 256 connections.  A webhook
 * of the calm source should not wait longer than one of the flood: it has a place in the next batch. */

#include <stdlib.h>

#include "beside.h"
#include "rows.h"
#include "sources.h"

#define OPEN_AND_MAPPED                                                                     \
	"\"scheme\":\"none\",\"mapping\":{\"transaction_id\":{\"at\":\"/transaction_id\"}," \
	"\"source_account\":{\"at\":\"/source_account\"},"                                  \
	"\"destination_account\":{\"at\":\"/destination_account\"},"                        \
	"\"amount\":{\"at\":\"/amount\",\"unit\":\"major\"},\"currency\":{\"at\":\"/currency\"}}"
#define SOURCES                                                  \
	"{\"sources\":[{\"name\":\"calm\"," OPEN_AND_MAPPED "}," \
	"{\"name\":\"flooded\"," OPEN_AND_MAPPED "}]}\n"

#define CALM_A_SECOND 100
#define CONNECTIONS 256

static struct sources_folder folder;

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	char sources[SOURCES_SETTING_MAX];
	const char *const settings[] = {BENCH_RESTING, sources, NULL};
	return sources_folder_make(&folder, SOURCES, sources, f) && bench_own_stage(b, STAGE_OWN, settings, &s, f);
}

static struct generator_plan calm(const struct bench *b, const struct stage *s)
{
	return (struct generator_plan){
		.port = s->instance.port,
		.connections = 16,
		.threads = 1,
		.request = {.kind = REQUEST_EVENT, .source = "calm"},
		.status = 202,
		.rate = CALM_A_SECOND,
		.warm_ms = b->warm_ms,
		.run_ms = b->quick ? 1000 : 5000,
	};
}

static struct generator_plan flood(const struct bench *b, const struct stage *s)
{
	struct generator_plan plan = calm(b, s);
	plan.connections = CONNECTIONS;
	plan.request.source = "flooded";
	plan.rate = 0;
	return plan;
}

static void add(struct bench *b, const struct generator_result *alone, const struct generator_result *beside,
	const struct generator_result *flooded)
{
	struct report *r = &b->report;
	report_add(r, "calm source alone, p50", "ms", histogram_ms_at(&alone->latency_ns, 0.5));
	report_add(r, "calm source alone, p99", "ms", histogram_ms_at(&alone->latency_ns, 0.99));
	bench_add_rate(b, "the flood, accepted", flooded->rate);
	report_add(r, "the flood, p50", "ms", histogram_ms_at(&flooded->latency_ns, 0.5));
	report_add(r, "the flood, p99", "ms", histogram_ms_at(&flooded->latency_ns, 0.99));
	report_add(r, "calm source beside it, p50", "ms", histogram_ms_at(&beside->latency_ns, 0.5));
	report_add(r, "calm source beside it, p99", "ms", histogram_ms_at(&beside->latency_ns, 0.99));
	report_add(r, "calm source beside it, not answered 202", "", (double)beside->wrong);
	report_add_for(r, "p99 of the calm source / of the flood", "x",
		histogram_ms_at(&beside->latency_ns, 0.99) / histogram_ms_at(&flooded->latency_ns, 0.99), TARGET_MOST,
		1.25);
	bench_print(b, "the calm source: p99 %.2f ms alone, %.2f ms beside a flood of %.2f ms",
		histogram_ms_at(&alone->latency_ns, 0.99), histogram_ms_at(&beside->latency_ns, 0.99),
		histogram_ms_at(&flooded->latency_ns, 0.99));
}

static bool measure_with(
	struct bench *b, struct stage *s, struct beside *flooded, struct generator_result results[2], struct fault *f)
{
	struct generator_plan plan = calm(b, s);
	if (!stage_clean(s, f) || !generator_run(&plan, &results[0], f) || !beside_begin(flooded, flood(b, s), f))
		return false;
	struct fault other;
	bool ok = generator_run(&plan, &results[1], f);
	if (!beside_end(flooded, ok ? f : &other) || !ok)
		return false;
	bench_count_wrong(b, &results[0]);
	bench_count_wrong(b, &results[1]);
	bench_count_wrong(b, &flooded->result);
	add(b, &results[0], &results[1], &flooded->result);
	return stage_clean(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct beside *flooded = calloc(1, sizeof *flooded);
	struct generator_result *results = calloc(2, sizeof *results);
	bool ok = (flooded && results) || fault_set(f, FAULT_BUSY, "out of memory");
	ok = ok && measure_with(b, &b->stages[STAGE_OWN], flooded, results, f);
	free(results);
	free(flooded);
	return ok;
}

static void finish(struct bench *b)
{
	(void)b;
	sources_folder_remove(&folder);
}

const struct row ROW_FAIR = {
	.name = "fair",
	.asks = "how long a source waits while another one is flooded",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
