/* row_duplicates.c - webhooks that were sent before: all of them, or every second one.
 *
 * Providers send a webhook again when an answer comes late, which is when the system is busiest.  A duplicate must
 * therefore cost no more than a new webhook. */

#include "fill.h"
#include "rows.h"

#define KNOWN (10 * THOUSAND) /* transactions stored beforehand; each duplicate is a random one of them */

static struct known_ids known;

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	return bench_stage(b, STAGE_RESTING, &s, f) && stage_clean(s, f) && fill_stored(s->owner, KNOWN, f) &&
	       fill_fetch(s->owner, &known, f);
}

static bool repeated(struct bench *b, struct stage *s, enum request_kind kind, double *ret, struct fault *f)
{
	struct best best;
	if (!stage_clean(s, f) || !fill_stored(s->owner, KNOWN, f) ||
		!bench_best(b, NULL, s->instance.port, (struct request_plan){.kind = kind, .known = &known}, &best, f))
		return false;
	*ret = best.rate;
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s = &b->stages[STAGE_RESTING];
	struct best unique;
	double all, half;
	if (!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_UNIQUE}, &unique, f) ||
		!repeated(b, s, REQUEST_KNOWN, &all, f) || !repeated(b, s, REQUEST_HALF, &half, f))
		return false;
	bench_add_rate(b, "unique", unique.rate);
	bench_add_rate(b, "all duplicates (of 10,000)", all);
	bench_add_rate(b, "half duplicates (of 10,000)", half);
	report_add_for(&b->report, "all duplicates / unique", "x", all / unique.rate, TARGET_LEAST, 1);
	report_add_for(&b->report, "half duplicates / unique", "x", half / unique.rate, TARGET_LEAST, 1);
	return stage_clean(s, f);
}

static void finish(struct bench *b)
{
	(void)b;
	known_ids_finish(&known);
}

const struct row ROW_DUPLICATES = {
	.name = "duplicates",
	.asks = "how many are accepted when all, or half, were sent before",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
