/* bench.c - what the rows of the bench have in common.
 *
 * Instances and nginx are started when a row first needs them, and all rows share those without settings of their own.  A row that needs empty
 * tables empties them itself.  Every load checks its responses; a rate counts only the right ones, so an instance
 * that fails fast does not look fast. */

#include "bench.h"

#include <stdarg.h>
#include <stdlib.h>

#include "pgbench.h"
#include "stop.h"

void bench_print(const struct bench *b, const char *format, ...)
{
	static int64_t begun_ns;
	va_list list;
	if (!begun_ns)
		begun_ns = now_ns();
	printf("%5.1f s  %s", (double)(now_ns() - begun_ns) / 1e9, b->report.row ? b->report.row : "bench");
	if (b->report.row && b->rounds > 1)
		printf(" %d/%d", b->round, b->rounds);
	printf(": ");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
}

bool bench_own_stage(
	struct bench *b, enum stage_kind kind, const char *const settings[], struct stage **ret, struct fault *f)
{
	struct stage *s = &b->stages[kind];
	*ret = s;
	if (s->is_up)
		return true;
	bench_print(b, "starting a payhook");
	if (!stage_start(s, settings, b->quick, f)) {
		stage_stop(s);
		return false;
	}
	bench_print(b, "it runs in %s, at port %d", s->instance.folder, s->instance.port);
	return true;
}

bool bench_stage(struct bench *b, enum stage_kind kind, struct stage **ret, struct fault *f)
{
	static const char *const RESTING[] = {BENCH_RESTING, NULL};
	static const char *const WORKING[] = {"PROCESSOR_DELAY_MS=0", NULL};
	return bench_own_stage(b, kind, kind == STAGE_WORKING ? WORKING : RESTING, ret, f);
}

bool bench_front(struct bench *b, enum front_kind kind, int *port, struct fault *f)
{
	struct stage *s;
	struct front *fr = &b->fronts[kind];
	if (!bench_stage(b, STAGE_RESTING, &s, f))
		return false;
	if (!fr->nginx && !front_start(fr, kind, &s->instance, b->echo, f))
		return false;
	*port = fr->port;
	return true;
}

struct shares bench_shares(const struct bench *b, const struct share_reading *from, const struct share_reading *to)
{
	pid_t roots[STAGES];
	int count = 0;
	for (int i = 0; i < STAGES; i++) {
		if (b->stages[i].is_up)
			roots[count++] = instance_supervisor(&b->stages[i].instance);
	}
	return share_between(from, to, roots, count);
}

struct generator_plan bench_open_loop(const struct bench *b, const struct stage *s, double rate)
{
	return (struct generator_plan){
		.port = s->instance.port,
		.connections = 256,
		.threads = 1,
		.request = {.kind = REQUEST_UNIQUE},
		.status = 202,
		.rate = rate,
		.warm_ms = b->warm_ms,
		.run_ms = b->quick ? 2000 : 10000,
	};
}

void bench_finish_row(struct bench *b)
{
	stage_stop(&b->stages[STAGE_OWN]);
	stage_stop(&b->stages[STAGE_OWN_OTHER]);
}

void bench_finish(struct bench *b)
{
	for (size_t i = 0; i < COUNT_OF(b->fronts); i++)
		front_stop(&b->fronts[i]);
	for (int i = 0; i < STAGES; i++)
		stage_stop(&b->stages[i]);
}

void bench_count_wrong(struct bench *b, const struct generator_result *result)
{
	b->wrong += result->wrong;
	if (result->wrong > 0 && result->wrong_status == 0)
		bench_print(b, "wrong answers: %llu, the first broke off or did not come",
			(unsigned long long)result->wrong);
	else if (result->wrong > 0)
		bench_print(b, "wrong answers: %llu, the first was %d", (unsigned long long)result->wrong,
			result->wrong_status);
}

bool bench_load(struct bench *b, int port, int connections, struct request_plan request, struct generator_result *ret,
	struct fault *f)
{
	struct generator_plan plan = {
		.port = port,
		.connections = connections,
		.threads = b->threads,
		.request = request,
		.status = request.kind == REQUEST_GET ? 200 : 202,
		.warm_ms = b->warm_ms,
		.run_ms = b->run_ms,
	};
	if (!generator_run(&plan, ret, f))
		return false;
	bench_count_wrong(b, ret);
	return ret->rate > 0 || fault_set(f, FAULT_BUSY, "no answer of port %d was %d", port, plan.status);
}

bool bench_rate(struct bench *b, int port, int connections, struct request_plan request, double *ret, struct fault *f)
{
	struct generator_result *result = malloc(sizeof *result);
	if (!result)
		return fault_set(f, FAULT_BUSY, "out of memory");
	bool ok = bench_load(b, port, connections, request, result, f);
	*ret = result->rate;
	free(result);
	return ok;
}

bool bench_accept(struct bench *b, struct stage *s, int connections, double *ret, struct fault *f)
{
	const struct request_plan unique = {.kind = REQUEST_UNIQUE};
	return stage_clean(s, f) && bench_rate(b, s->instance.port, connections, unique, ret, f);
}

bool bench_best(
	struct bench *b, struct stage *clean, int port, struct request_plan request, struct best *ret, struct fault *f)
{
	static const int CONNECTIONS[] = {256, 64};
	*ret = (struct best){0};
	for (size_t i = 0; i < (b->quick ? 1 : COUNT_OF(CONNECTIONS)); i++) {
		double rate = 0;
		if ((clean && !stage_clean(clean, f)) || !bench_rate(b, port, CONNECTIONS[i], request, &rate, f))
			return false;
		if (rate > ret->rate)
			*ret = (struct best){.rate = rate, .connections = CONNECTIONS[i]};
	}
	return true;
}

void bench_add_rate(struct bench *b, const char *name, double rate)
{
	report_add(&b->report, name, "/s", rate);
	bench_print(b, "%s: %.0f/s", name, rate);
}

bool bench_pgbench(struct bench *b, struct stage *s, int clients, double *ret, struct fault *f)
{
	struct pgbench_plan plan = {
		.conninfo = s->instance.database,
		.script = b->script,
		.folder = s->instance.folder,
		.clients = clients,
		.threads = b->threads,
		/* pgbench's time begins before its clients have connected: a second for each hundred of them. */
		.seconds = b->run_ms / 1000 + clients / 100,
	};
	return stage_clean(s, f) && pgbench_rate(&plan, ret, f);
}
