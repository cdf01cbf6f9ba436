#pragma once

#include "base.h"
#include "fault.h"
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
	STAGES
};

struct bench {
	bool quick;
	int rounds, round;
	int run_ms, warm_ms;     /* of one load */
	int threads;             /* of the load, and of pgbench */
	char out[BENCH_PATH];    /* where the figures go */
	char echo[BENCH_PATH];   /* the program behind FRONT_ECHO */
	char script[BENCH_PATH]; /* for pgbench */
	struct stage stages[STAGES];
	struct front fronts[2];
	struct report report;
	struct histogram latency_ns; /* of the open loop, all rounds */
};

/* They are started when they are asked for first. */
MUST_USE bool bench_stage(struct bench *b, enum stage_kind kind, struct stage **ret, struct fault *f);
MUST_USE bool bench_front(struct bench *b, enum front_kind kind, int *port, struct fault *f);
void bench_finish(struct bench *b);

/* A line for who watches. */
void bench_say(const struct bench *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* A load of the usual length, closed loop; the answers are checked. */
MUST_USE bool bench_load(const struct bench *b, int port, int connections, struct request_plan request,
	struct generator_result *ret, struct fault *f);

/* The same on empty tables with unique webhooks: answers a second. */
MUST_USE bool bench_accept(struct bench *b, struct stage *s, int connections, double *ret, struct fault *f);

/* A front's rate. */
MUST_USE bool bench_front_rate(struct bench *b, enum front_kind kind, int connections, double *ret, struct fault *f);

/* S at so many clients, on empty tables. */
MUST_USE bool bench_pgbench(struct bench *b, struct stage *s, int clients, double *ret, struct fault *f);
