#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "front.h"
#include "generator.h"
#include "report.h"
#include "share.h"
#include "stage.h"

/* One run of the bench: its options, the processes it has started, and its figures; and the loads that several rows
 * use. */

#define BENCH_PATH 256

/* The instances of payhook, which run side by side so that what is compared can be measured in turns. */
enum stage_kind {
	STAGE_RESTING,   /* its worker has one job in flight for ten minutes and claims no more: accepting alone */
	STAGE_WORKING,   /* its worker processes without delay */
	STAGE_OWN,       /* with settings of the row that runs, and stopped at its end */
	STAGE_OWN_OTHER, /* another of these */
	STAGES
};

/* The settings of STAGE_RESTING: one slot and a call of ten minutes, so the worker lives but takes no part in the load. */
#define BENCH_RESTING "WORKER_SLOTS=1", "PROCESSOR_DELAY_MS=600000", "WORKER_GRACE_MS=0"

struct bench {
	bool quick;
	int rounds, round;       /* their number, and the current one from 1 */
	int run_ms, warm_ms;     /* of one load: the measured time, and the time before it */
	int threads;             /* of the load, and of pgbench */
	char out[BENCH_PATH];    /* folder of the figures */
	char echo[BENCH_PATH];   /* path of the program behind FRONT_ECHO */
	char script[BENCH_PATH]; /* path of the script for pgbench */
	struct stage stages[STAGES];
	struct front fronts[2];
	struct report report;
	uint64_t wrong;              /* responses of all loads with another status than expected */
	struct histogram latency_ns; /* of the open loop, over all rounds */
};

/* Return a running instance, or the port of a running nginx; each is started at its first use. */
MUST_USE bool bench_stage(struct bench *b, enum stage_kind kind, struct stage **ret, struct fault *f);

/* The same for STAGE_OWN and STAGE_OWN_OTHER.  settings: "NAME=value", ended by NULL. */
MUST_USE bool bench_own_stage(
	struct bench *b, enum stage_kind kind, const char *const settings[], struct stage **ret, struct fault *f);

MUST_USE bool bench_front(struct bench *b, enum front_kind kind, int *port, struct fault *f);

/* The shares of the processor between two readings; what the bench and its instances use is not foreign. */
struct shares bench_shares(const struct bench *b, const struct share_reading *from, const struct share_reading *to);

/* Stops the instances of the row that runs; of every row. */
void bench_finish_row(struct bench *b);
void bench_finish(struct bench *b);

/* An open loop of new webhooks, over more connections than are ever busy at a time. */
struct generator_plan bench_open_loop(const struct bench *b, const struct stage *s, double rate);

/* Prints a line of progress. */
void bench_print(const struct bench *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds the wrong responses of a load to b->wrong, and prints what they were. */
void bench_count_wrong(struct bench *b, const struct generator_result *result);

/* Runs a closed loop of the usual length.  Responses with another status than 202 (GET: 200) are counted in
 * b->wrong.  False also if there were no others: nothing can be compared with a rate of 0. */
MUST_USE bool bench_load(struct bench *b, int port, int connections, struct request_plan request,
	struct generator_result *ret, struct fault *f);

/* The same; returns only the rate of right responses, per second. */
MUST_USE bool bench_rate(
	struct bench *b, int port, int connections, struct request_plan request, double *ret, struct fault *f);

/* Empties the tables, then sends unique webhooks; returns the rate. */
MUST_USE bool bench_accept(struct bench *b, struct stage *s, int connections, double *ret, struct fault *f);

/* The best rate of several numbers of connections. */
struct best {
	double rate; /* per second */
	int connections;
};

/* Measures with 256 and with 64 connections, in a quick run with 256 only, and returns the better.  clean: the
 * instance whose tables are emptied before each load, or NULL. */
MUST_USE bool bench_best(
	struct bench *b, struct stage *clean, int port, struct request_plan request, struct best *ret, struct fault *f);

/* Ceiling S: empties the tables, then runs pgbench with that many clients; returns its rate. */
MUST_USE bool bench_pgbench(struct bench *b, struct stage *s, int clients, double *ret, struct fault *f);

/* Adds a rate to the report and prints it. */
void bench_add_rate(struct bench *b, const char *name, double rate);
