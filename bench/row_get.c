/* row_get.c - GET of one transaction among very many.
 *
 * The ids are random, so most pages of the index and of the table are needed.  F answers the same requests without a
 * database. */

#include "fill.h"
#include "rows.h"

static struct known_ids known;

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	long rows = b->quick ? 50 * THOUSAND : MILLION;
	if (!bench_stage(b, STAGE_RESTING, &s, f))
		return false;
	bench_print(b, "storing %ld transactions", rows);
	return stage_clean(s, f) && fill_stored(s->owner, rows, f) &&
	       pg_run(s->superuser, "VACUUM ANALYZE payhook.transactions", f) && fill_fetch(s->owner, &known, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s = &b->stages[STAGE_RESTING];
	const struct request_plan get = {.kind = REQUEST_GET, .known = &known};
	struct best found, front;
	char name[64];
	int port;
	if (!bench_front(b, FRONT_ECHO, &port, f) || !bench_best(b, NULL, s->instance.port, get, &found, f) ||
		!bench_best(b, NULL, port, get, &front, f))
		return false;
	snprintf(name, sizeof name, "GET, random over %zu", known.count);
	bench_add_rate(b, name, found.rate);
	bench_add_rate(b, "F for the same requests", front.rate);
	report_add_for(&b->report, "GET / F", "x", found.rate / front.rate, TARGET_LEAST, 0.7);
	return true;
}

static void finish(struct bench *b)
{
	struct fault f;
	known_ids_finish(&known);
	if (!stage_clean(&b->stages[STAGE_RESTING], &f))
		bench_print(b, "%s", f.text);
}

const struct row ROW_GET = {
	.name = "get",
	.asks = "how many lookups are answered, beside F",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
