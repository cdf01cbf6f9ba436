/* row_long.c - whether anything grows or slows down in an hour: the latency, memory, and the tables of the queue.
 *
 * An open loop at half the best rate, beside a worker without delay, in sixty parts of a minute.  The first ten are
 * compared with the last ten, by their medians. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "footprint.h"
#include "rows.h"

#define PARTS 60
#define SHARE 10               /* parts at each end that are compared */
#define BYTES_A_WEBHOOK 1200.0 /* stored, and written ahead */

struct part {
	double p99_ms, responder_mb, worker_mb, queue_mb;
};

static bool has_room(const struct stage *s, double rate, int seconds, struct fault *f)
{
	struct statvfs disk;
	double needed_gb = rate * seconds * BYTES_A_WEBHOOK / 1e9 + 4;
	if (statvfs(s->instance.folder, &disk) < 0)
		return fault_set(f, FAULT_BUSY, "the disk of %s cannot be asked", s->instance.folder);
	double free_gb = (double)disk.f_bavail * (double)disk.f_frsize / 1e9;
	return free_gb >= needed_gb ||
	       fault_set(f, FAULT_BUSY, "%.0f GB of disk are needed, %.0f are free", needed_gb, free_gb);
}

static double largest_mb(const struct stage *s, const char *name)
{
	static struct pids pids;
	double most = 0;
	instance_parts(&s->instance, name, &pids);
	for (int i = 0; i < pids.count; i++) {
		double mb = footprint_mb(pids.list[i]);
		most = mb > most ? mb : most;
	}
	return most;
}

static bool one_part(
	struct bench *b, struct stage *s, double rate, struct generator_result *load, struct part *ret, struct fault *f)
{
	struct generator_plan plan = bench_open_loop(b, s, rate);
	plan.warm_ms = 0;
	plan.run_ms = b->quick ? 500 : 60000;
	double queue_bytes;
	if (!generator_run(&plan, load, f) ||
		!pg_number(s->owner, "SELECT pg_total_relation_size('payhook.jobs')", &queue_bytes, f))
		return false;
	bench_count_wrong(b, load);
	*ret = (struct part){
		.p99_ms = histogram_ms_at(&load->latency_ns, 0.99),
		.responder_mb = largest_mb(s, "payhook-app"),
		.worker_mb = largest_mb(s, "payhook-worker"),
		.queue_mb = queue_bytes / 1e6,
	};
	return true;
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;
	return (*a > *b) - (*a < *b);
}

/* The median of a member of the parts from..from + SHARE - 1. */
static double median(const struct part *parts, int from, size_t member)
{
	double sorted[SHARE];
	for (int i = 0; i < SHARE; i++)
		sorted[i] = *(const double *)((const char *)&parts[from + i] + member);
	qsort(sorted, SHARE, sizeof sorted[0], compare);
	return (sorted[(SHARE - 1) / 2] + sorted[SHARE / 2]) / 2;
}

static void add(
	struct bench *b, const struct part *parts, const char *name, const char *unit, size_t member, double bound)
{
	char first[64], last[64], ratio[64];
	double at_first = median(parts, 0, member), at_last = median(parts, PARTS - SHARE, member);
	snprintf(first, sizeof first, "%s, the first ten minutes", name);
	snprintf(last, sizeof last, "%s, the last ten minutes", name);
	snprintf(ratio, sizeof ratio, "%s, last / first", name);
	report_add(&b->report, first, unit, at_first);
	report_add(&b->report, last, unit, at_last);
	report_add_for(&b->report, ratio, "x", at_last / at_first, TARGET_MOST, bound);
}

static bool measure_with(struct bench *b, struct stage *s, struct generator_result *load, struct fault *f)
{
	static struct part parts[PARTS];
	struct best best;
	double dead;
	if (!bench_best(b, s, s->instance.port, (struct request_plan){.kind = REQUEST_UNIQUE}, &best, f) ||
		!stage_clean(s, f) || !has_room(s, best.rate / 2, b->quick ? PARTS / 2 : 60 * PARTS, f))
		return false;
	bench_add_rate(b, "open loop, accepted and processed", best.rate / 2);
	for (int i = 0; i < PARTS; i++) {
		if (!one_part(b, s, best.rate / 2, load, &parts[i], f))
			return false;
		if (i % SHARE == SHARE - 1)
			bench_print(b, "part %d of %d: p99 %.1f ms, responder %.1f MB, worker %.1f MB, queue %.1f MB",
				i + 1, PARTS, parts[i].p99_ms, parts[i].responder_mb, parts[i].worker_mb,
				parts[i].queue_mb);
	}
	add(b, parts, "p99", "ms", offsetof(struct part, p99_ms), 1.25);
	add(b, parts, "resident, a responder", "MB", offsetof(struct part, responder_mb), 1.1);
	add(b, parts, "resident, the worker", "MB", offsetof(struct part, worker_mb), 1.1);
	add(b, parts, "table of the queue", "MB", offsetof(struct part, queue_mb), 1.5);
	if (!pg_number(s->owner, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'payhook.jobs'::regclass",
		    &dead, f))
		return false;
	report_add(&b->report, "dead rows of the queue at the end", "", dead);
	return stage_clean(s, f);
}

static bool measure(struct bench *b, struct fault *f)
{
	struct stage *s;
	struct generator_result *load = malloc(sizeof *load);
	bool ok = load || fault_set(f, FAULT_BUSY, "out of memory");
	ok = ok && bench_stage(b, STAGE_WORKING, &s, f) && measure_with(b, s, load, f);
	free(load);
	return ok;
}

const struct row ROW_LONG = {
	.name = "long",
	.asks = "whether latency, memory or the queue's tables grow in an hour; only by its name or by --long",
	.measure = measure,
	.is_long = true,
};
