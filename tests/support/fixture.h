#pragma once

#include "support/load.h"

/* A group of transactions of one test, with a common prefix, and the invariants that must hold for it at the end. */

struct fixture {
	char prefix[64];
	long count;
};

/* Waits until the instance is healthy, its queue is empty and its own worker is registered.  The .init of suites that
 * use fixtures. */
void fixture_begin(void);

/* Posts this number of webhooks to a port (0: that of the shared instance); all of them must be accepted. */
void fixture_post(struct fixture *f, const char *word, long count, int port);

/* The number of the group's transactions that are processed; that have a job; whose job is claimed by a worker. */
long fixture_processed(const struct fixture *f);
long fixture_jobs(const struct fixture *f);
long fixture_claimed(const struct fixture *f);

/* Waits until all jobs of the group are claimed. */
void fixture_wait_claimed(const struct fixture *f, int timeout_ms);

/* Waits until all transactions of the group are processed.  Then none may have a job left, each must have been settled
 * exactly once according to its attempts, and all counts must agree. */
void fixture_wait_processed(const struct fixture *f, int timeout_ms);
