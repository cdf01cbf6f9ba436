#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"

/* A worker for tests of the queue: it takes what it is given and does nothing by itself.  Two of them, on one loop. */

#define CLAIMER_MOST 6000
#define ME 1001 /* numbers to claim under */
#define OTHER 1002

struct claimer {
	struct queue *queue;
	bool up;
	int room;
	bool refuses; /* every job */
	int taken;
	struct job *jobs[CLAIMER_MOST]; /* in the order they came; NULL once it ended */
	int ended[3];                   /* by enum settled */
	int64_t released;
	int releases;
	int troubles;
	char traceparent[64]; /* of the last job claimed; empty: it has none */
	char whole[512]; /* the transaction of the last job claimed, its fields by a space; empty: it was not fetched */
};

extern struct claimer me, other;
extern bool claimers_want_whole; /* set before claimer_init() */

/* A suite's .init and .fini: a database, a loop, and both connected. */
void claimer_init(void);
void claimer_fini(void);

/* Transactions t<first> to t<last> with a job each, as the accept path stores them. */
void enqueue(int first, int last);

/* Under this number, until it has taken so many. */
void claim(struct claimer *c, int64_t owner, int count);

/* Settles the job that it took as the i-th, or all that it holds, with this end. */
void settle_with(struct claimer *c, int i, enum job_outcome outcome, int64_t delay_ms, const char *error);
void settle_all_with(struct claimer *c, enum job_outcome outcome, int64_t delay_ms, const char *error);

/* Settles all that it holds as processed. */
void settle_all(struct claimer *c);

/* Until it has taken, ended, released so often. */
void until_taken(struct claimer *c, int count);
void until_ended(struct claimer *c, int count);
void until_released(struct claimer *c, int count);

long long count_jobs(const char *where);
long long count_status(const char *status);

/* Jobs that were claimed in this owner's name without its knowing: claims whose answers were lost. */
void lose(int64_t owner, const char *ids);

/* Holds a table until unlock(), so that a statement is under way as long as the test likes. */
PGconn *lock(const char *table);
void unlock(PGconn *c);
void until_blocked(void);

/* Cuts the connection that waits for the lock. */
void cut_the_blocked(void);
