/* row_responders.c - how many responders of the pool are to be busy: one with a spare (ops/pool), against one for each core.
 *
 * One has larger batches, so PostgreSQL has less work for each webhook; several use several cores. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>

#include "rows.h"

#define POOL_SPARE_CORES 2 /* of ops/pool */

static bool start(struct bench *b, enum stage_kind kind, int responders, struct stage **ret, struct fault *f)
{
	char count[32];
	const char *const settings[] = {BENCH_RESTING, count, NULL};
	/* 0 is what the pool has by itself: up to two cores one responder and its spare. */
	snprintf(count, sizeof count, "RESPONDERS=%d", responders);
	return bench_own_stage(b, kind, settings, ret, f);
}

/* The rate, and the processor time of one webhook, the load's included. */
static bool load(
	struct bench *b, struct stage *s, int connections, struct generator_result *result, double *us, struct fault *f)
{
	struct share_reading from, to;
	if (!stage_clean(s, f) || !share_read(&from, f))
		return false;
	bool ok =
		bench_load(b, s->instance.port, connections, (struct request_plan){.kind = REQUEST_UNIQUE}, result, f);
	if (ok && (ok = share_read(&to, f))) {
		struct shares shares = bench_shares(b, &from, &to);
		*us = (shares.load + shares.own) * get_nprocs() * 1e6 / result->rate;
		share_finish(&to);
	}
	share_finish(&from);
	return ok;
}

static bool compare(struct bench *b, struct stage *one, struct stage *all, int connections,
	struct generator_result *result, struct fault *f)
{
	double one_us, all_us, one_rate;
	char name[72];
	if (!load(b, one, connections, result, &one_us, f))
		return false;
	one_rate = result->rate;
	if (!load(b, all, connections, result, &all_us, f))
		return false;
	snprintf(name, sizeof name, "%d connections, one and a spare", connections);
	bench_add_rate(b, name, one_rate);
	snprintf(name, sizeof name, "%d connections, %d responders", connections, get_nprocs());
	bench_add_rate(b, name, result->rate);
	snprintf(name, sizeof name, "%d connections, one / %d", connections, get_nprocs());
	report_add(&b->report, name, "x", one_rate / result->rate);
	snprintf(name, sizeof name, "%d connections, processor time, one / %d", connections, get_nprocs());
	report_add(&b->report, name, "x", one_us / all_us);
	return true;
}

static bool measure(struct bench *b, struct fault *f)
{
	static const int CONNECTIONS[] = {16, 64, 256};
	if (get_nprocs() > POOL_SPARE_CORES) {
		report_leave_out(&b->report, "with more than two cores the pool has no spare (ops/pool)");
		return true;
	}
	struct stage *one, *all;
	struct generator_result *result = malloc(sizeof *result);
	bool ok = result || fault_set(f, FAULT_BUSY, "out of memory");
	ok = ok && start(b, STAGE_OWN, 0, &one, f) && start(b, STAGE_OWN_OTHER, get_nprocs(), &all, f);
	for (size_t i = 0; ok && i < COUNT_OF(CONNECTIONS); i++)
		ok = compare(b, one, all, CONNECTIONS[i], result, f);
	ok = ok && stage_clean(one, f) && stage_clean(all, f);
	free(result);
	return ok;
}

const struct row ROW_RESPONDERS = {
	.name = "responders",
	.asks = "what one busy responder with a spare reaches, beside one for each core",
	.measure = measure,
};
