/* row_signed.c - the cost of verifying signatures.
 *
 * Both instances get the same signed requests, and only one verifies them.  What signing costs the load is therefore
 * in both rates and not in their ratio. */

#include <stdlib.h>

#include "rows.h"
#include "sign.h"
#include "sources.h"

#define SOURCES                                                                      \
	"{\"sources\":[{\"name\":\"transactions\",\"scheme\":\"standard-webhooks\"," \
	"\"secrets\":[{\"file\":\"secret\"}]}]}\n"

static struct sources_folder folder;

/* Checks that the instance verifies at all: otherwise both rates would measure the same. */
static bool unsigned_is_401(const struct stage *s, struct fault *f)
{
	const struct generator_plan plan = {.port = s->instance.port,
		.connections = 1,
		.threads = 1,
		.request = {.kind = REQUEST_UNIQUE},
		.status = 401,
		.run_ms = 100};
	struct generator_result *result = malloc(sizeof *result);
	if (!result)
		return fault_set(f, FAULT_BUSY, "out of memory");
	bool ran = generator_run(&plan, result, f);
	bool all_401 = ran && result->rate > 0 && result->wrong == 0;
	free(result);
	return all_401 || (ran && fault_set(f, FAULT_BUG, "webhooks without a signature are not answered 401"));
}

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	char sources[SOURCES_SETTING_MAX];
	const char *const settings[] = {BENCH_RESTING, sources, NULL};
	return sources_folder_make(&folder, SOURCES, sources, f) &&
	       sources_folder_write(&folder, "secret", SIGN_SECRET, f) && bench_stage(b, STAGE_RESTING, &s, f) &&
	       bench_own_stage(b, STAGE_OWN, settings, &s, f) && unsigned_is_401(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *open = &b->stages[STAGE_RESTING], *verifying = &b->stages[STAGE_OWN];
	const struct request_plan plan = {.kind = REQUEST_SIGNED};
	struct best without, with;
	if (!bench_best(b, open, open->instance.port, plan, &without, f) ||
		!bench_best(b, verifying, verifying->instance.port, plan, &with, f))
		return false;
	bench_add_rate(b, "accepted, not verified", without.rate);
	bench_add_rate(b, "accepted, verified", with.rate);
	report_add_for(&b->report, "verified / not verified", "x", with.rate / without.rate, TARGET_LEAST, 0.9);
	return stage_clean(open, f) && stage_clean(verifying, f);
}

static void finish(struct bench *b)
{
	(void)b;
	sources_folder_remove(&folder);
}

const struct row ROW_SIGNED = {
	.name = "signed",
	.asks = "what verifying signatures (Standard Webhooks) costs",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
