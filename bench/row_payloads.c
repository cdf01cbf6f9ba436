/* row_payloads.c - what keeping the payloads costs the accept path.
 *
 * Both instances get the same bodies of 1,000 bytes, and only one keeps them. */

#include "rows.h"

static bool measure(struct bench *b, struct fault *f)
{
	static const char *const SETTINGS[] = {BENCH_RESTING, "PAYLOADS_KEEP_DAYS=0", NULL};
	const struct request_plan plan = {.kind = REQUEST_LARGE};
	struct stage *keeping, *unkept;
	struct best with, without;
	if (!bench_stage(b, STAGE_RESTING, &keeping, f) || !bench_own_stage(b, STAGE_OWN, SETTINGS, &unkept, f) ||
		!bench_best(b, unkept, unkept->instance.port, plan, &without, f) ||
		!bench_best(b, keeping, keeping->instance.port, plan, &with, f))
		return false;
	bench_add_rate(b, "accepted, not kept", without.rate);
	bench_add_rate(b, "accepted and kept", with.rate);
	report_add_for(&b->report, "kept / not kept", "x", with.rate / without.rate, TARGET_LEAST, 0.75);
	return stage_clean(keeping, f) && stage_clean(unkept, f);
}

const struct row ROW_PAYLOADS = {
	.name = "payloads",
	.asks = "what keeping bodies of 1,000 bytes costs",
	.measure = measure,
};
