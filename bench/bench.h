#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "front.h"
#include "generator.h"
#include "report.h"
#include "stage.h"

/* One run of the bench: how thorough, where, what it has started, what came out. */

#define BENCH_PATH 256

/* Payhooks side by side, so that what is compared is measured in turns. */
enum stage_kind {
	STAGE_RESTING, /* its worker holds one job and claims no more: accepting alone */
	STAGE_WORKING, /* its worker processes without delay */
	STAGE_FULL,    /* as the first, with millions of transactions stored */
	STAGE_SIGNED,  /* as the first, with a scheme for the built-in source */
	STAGES
};

struct bench {
	bool quick;
	int rounds, round;
	int run_ms, warm_ms;      /* of one load */
	int threads;              /* of the load, and of pgbench */
	char out[BENCH_PATH];     /* where the figures go */
	char echo[BENCH_PATH];    /* the program behind FRONT_ECHO */
	char script[BENCH_PATH];  /* for pgbench */
	char sources[BENCH_PATH]; /* the setting of STAGE_SIGNED */
	struct stage stages[STAGES];
	struct front fronts[2];
	struct report report;
	uint64_t wrong;              /* answers of all loads that were not what they should be */
	struct histogram latency_ns; /* of the open loop, all rounds */
};

/* They are started when they are asked for first. */
MUST_USE bool bench_stage(struct bench *b, enum stage_kind kind, struct stage **ret, struct fault *f);
MUST_USE bool bench_front(struct bench *b, enum front_kind kind, int *port, struct fault *f);
void bench_finish(struct bench *b);

/* A line for who watches. */
void bench_print(const struct bench *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* A load of the usual length, closed loop; the answers are checked. */
MUST_USE bool bench_load(struct bench *b, int port, int connections, struct request_plan request,
	struct generator_result *ret, struct fault *f);

/* Its rate alone. */
MUST_USE bool bench_rate(
	struct bench *b, int port, int connections, struct request_plan request, double *ret, struct fault *f);

/* Unique webhooks on empty tables. */
MUST_USE bool bench_accept(struct bench *b, struct stage *s, int connections, double *ret, struct fault *f);

/* The better of 64 and 256 connections; of a quick run 256 only.  clean: the stage to empty before each, or NULL. */
struct best {
	double rate;
	int connections;
};

MUST_USE bool bench_best(
	struct bench *b, struct stage *clean, int port, struct request_plan request, struct best *ret, struct fault *f);

/* S at so many clients, on empty tables. */
MUST_USE bool bench_pgbench(struct bench *b, struct stage *s, int clients, double *ret, struct fault *f);

/* Adds a rate to the report and says it. */
void bench_add_rate(struct bench *b, const char *name, double rate);
