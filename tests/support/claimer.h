#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"

/* Two minimal workers on one loop for tests of the queue.  A claimer keeps the jobs that it gets and does nothing by
 * itself. */

#define CLAIMER_MOST 6000
#define ME 1001 /* the numbers under which they claim */
#define OTHER 1002

struct claimer {
	struct queue *queue;
	bool up;
	int room;
	bool refuses; /* returns every job to the queue */
	int taken;
	struct job *jobs[CLAIMER_MOST]; /* in the order of arrival; NULL after the job has ended */
	int ended[3];                   /* by enum settled */
	int64_t released;
	int releases;
	int troubles;
	char traceparent[64]; /* of the last job claimed; empty: none */
	char whole
		[512]; /* the transaction of the last job claimed, its members separated by spaces; empty: not fetched */
	char request
		[512]; /* the request of the last job claimed: type, headers and body, likewise; empty: it has none */
	size_t body_bytes; /* of all jobs claimed */
	int requests;      /* jobs claimed with their request */
	int at_once;       /* jobs of the last claim */
	int most_at_once;  /* jobs of the largest claim */
};

extern struct claimer me, other;
extern enum claim_form claimers_form; /* to be set before claimer_init() */

/* The .init and .fini of a suite: a database, a loop, and both claimers connected. */
void claimer_init(void);
void claimer_fini(void);

/* Inserts the transactions t<first> to t<last> with one job each, as the responders do. */
void enqueue(int first, int last);

/* The same with parked jobs, all of one payment. */
void park(const char *payment, int first, int last);

/* Claims under this number until it has this number of jobs. */
void claim(struct claimer *c, int64_t owner, int count);

/* Settles its ith job, or all that it holds, with this outcome. */
void settle_with(struct claimer *c, int i, enum job_outcome outcome, int64_t delay_ms, const char *error);
void settle_all_with(struct claimer *c, enum job_outcome outcome, int64_t delay_ms, const char *error);

/* Settles all that it holds as processed. */
void settle_all(struct claimer *c);

/* Waits until it has taken, ended or released this number of jobs. */
void until_taken(struct claimer *c, int count);
void until_ended(struct claimer *c, int count);
void until_released(struct claimer *c, int count);

long long count_jobs(const char *where);
long long count_status(const char *status);

/* Claims jobs in the owner's name without its knowledge, as a claim does whose answer was lost. */
void lose(int64_t owner, const char *ids);

/* Locks a table until unlock(), so that a statement stays in progress as long as the test needs. */
PGconn *lock(const char *table);
void unlock(PGconn *c);
void until_blocked(void);

/* Terminates the connection that waits for the lock. */
void cut_the_blocked(void);
