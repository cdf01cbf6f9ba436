/* row_gzip.c - what it costs that a body comes in gzip.
 *
 * The load compresses each body in both cases, and sends it compressed in one.  What compressing costs the load is
 * therefore in both rates and not in their ratio. */

#include "rows.h"

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct best plain, zipped;
	if (!bench_stage(b, STAGE_RESTING, &s, f) ||
		!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_TEXT}, &plain, f) ||
		!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_GZIP}, &zipped, f))
		return false;
	bench_add_rate(b, "accepted, bodies of 1,000 bytes", plain.rate);
	bench_add_rate(b, "accepted, the same in gzip", zipped.rate);
	report_add_for(&b->report, "in gzip / as they are", "x", zipped.rate / plain.rate, TARGET_LEAST, 0.85);
	return stage_clean(s, f);
}

const struct row ROW_GZIP = {
	.name = "gzip",
	.asks = "what it costs that bodies come in gzip",
	.measure = measure,
};
