/* row_lanes.c - what it costs to process the events of a payment one at a time and in order: accepting, and working on
 * a backlog of five events for each payment. */

#include "drained.h"
#include "fill.h"
#include "rows.h"
#include "sources.h"

#define OPEN_AND_MAPPED                                                                      \
	"\"scheme\":\"none\",\"mapping\":{\"transaction_id\":{\"at\":\"/transaction_id\"},"  \
	"\"payment_id\":{\"at\":\"/payment_id\"},"                                           \
	"\"kind\":{\"value\":\"captured\"},\"source_account\":{\"at\":\"/source_account\"}," \
	"\"destination_account\":{\"at\":\"/destination_account\"},"                         \
	"\"amount\":{\"at\":\"/amount\",\"unit\":\"major\"},\"currency\":{\"at\":\"/currency\"}}"
#define SOURCES                                                       \
	"{\"sources\":[{\"name\":\"unordered\"," OPEN_AND_MAPPED "}," \
	"{\"name\":\"ordered\",\"order\":\"payment\"," OPEN_AND_MAPPED "}]}\n"

static struct sources_folder folder;

static long jobs_of(const struct bench *b)
{
	return b->quick ? 20 * THOUSAND : 200 * THOUSAND;
}

static bool prepare(struct bench *b, struct fault *f)
{
	struct stage *s;
	char sources[SOURCES_SETTING_MAX];
	const char *const settings[] = {BENCH_RESTING, sources, NULL};
	return sources_folder_make(&folder, SOURCES, sources, f) && bench_own_stage(b, STAGE_OWN, settings, &s, f);
}

static struct request_plan event_to(const char *source)
{
	return (struct request_plan){.kind = REQUEST_EVENT, .source = source};
}

static bool accepting(struct bench *b, struct fault *f)
{
	struct stage *s = &b->stages[STAGE_OWN];
	struct best without, with;
	if (!bench_best(b, s, s->instance.port, event_to("unordered"), &without, f) ||
		!bench_best(b, s, s->instance.port, event_to("ordered"), &with, f))
		return false;
	bench_add_rate(b, "accepted, in no order", without.rate);
	bench_add_rate(b, "accepted, in order", with.rate);
	report_add_for(&b->report, "accepted in order / in no order", "x", with.rate / without.rate, TARGET_LEAST, 0.8);
	return stage_clean(s, f);
}

static bool working(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct drain without, with, under_snapshot;
	if (!bench_stage(b, STAGE_WORKING, &s, f) || !drain(s, fill_backlog, jobs_of(b), &without, f) ||
		!drain(s, fill_lanes, jobs_of(b), &with, f) ||
		!drain_with_snapshot(s, fill_lanes, jobs_of(b), &under_snapshot, f))
		return false;
	bench_add_rate(b, "worker, in no order", without.rate);
	bench_add_rate(b, "worker, in order", with.rate);
	bench_add_rate(b, "worker, in order, a snapshot held all the while", under_snapshot.rate);
	report_add_for(&b->report, "worker in order / in no order", "x", with.rate / without.rate, TARGET_LEAST, 0.6);
	report_add_for(&b->report, "in order under a held snapshot / without", "x", under_snapshot.rate / with.rate,
		TARGET_LEAST, 0.95);
	report_add(&b->report, "WAL per job in order", "bytes", with.wal_bytes);
	return stage_clean(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	return accepting(b, f) && working(b, f);
}

static void finish(struct bench *b)
{
	(void)b;
	sources_folder_remove(&folder);
}

const struct row ROW_LANES = {
	.name = "lanes",
	.asks = "what the order of a payment's events costs, accepting and working",
	.prepare = prepare,
	.measure = measure,
	.finish = finish,
};
