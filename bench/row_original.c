/* row_original.c - what it costs to give the processor the webhook as it came, instead of payhook's own JSON.
 *
 * Both workers call the same processor, which is nginx with one answer (ceiling H), for the same bodies: they are
 * accepted during a pause, and the rate is that from its end to the last settlement. */

#include <stdio.h>

#include "drained.h"
#include "rows.h"

static bool called(struct bench *b, struct stage *s, const char *name, double *ret, struct fault *f)
{
	const struct generator_plan plan = {
		.port = s->instance.port,
		.connections = 64,
		.threads = b->threads,
		.request = {.kind = REQUEST_TEXT},
		.status = 202,
		.run_ms = b->quick ? 200 : 1000,
	};
	static struct generator_result load;
	struct drain drained;
	double jobs;
	if (!stage_clean(s, f) || !pg_run(s->owner, "SELECT payhook.pause()", f) || !generator_run(&plan, &load, f) ||
		!pg_run(s->owner, "ANALYZE payhook.transactions, payhook.jobs", f) ||
		!pg_number(s->owner, "SELECT count(*) FROM payhook.jobs", &jobs, f) ||
		!drain_paused(s, (long)jobs, &drained, f))
		return false;
	bench_count_wrong(b, &load);
	*ret = drained.rate;
	bench_add_rate(b, name, drained.rate);
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *canonical, *original;
	double own, as_it_came;
	int port;
	char url[64];
	const char *const own_settings[] = {"PROCESSOR=http", url, NULL};
	const char *const original_settings[] = {"PROCESSOR=http", url, "PROCESSOR_BODY=original", NULL};
	if (!bench_front(b, FRONT_ALONE, &port, f))
		return false;
	snprintf(url, sizeof url, "PROCESSOR_URL=http://127.0.0.1:%d/", port);
	if (!bench_own_stage(b, STAGE_OWN, own_settings, &canonical, f) ||
		!bench_own_stage(b, STAGE_OWN_OTHER, original_settings, &original, f) ||
		!called(b, canonical, "called with payhook's JSON", &own, f) ||
		!called(b, original, "called with the original body", &as_it_came, f))
		return false;
	report_add_for(&b->report, "original / payhook's JSON", "x", as_it_came / own, TARGET_LEAST, 0.8);
	return stage_clean(canonical, f) && stage_clean(original, f);
}

const struct row ROW_ORIGINAL = {
	.name = "original",
	.asks = "what it costs to give the processor the original body",
	.measure = measure,
};
