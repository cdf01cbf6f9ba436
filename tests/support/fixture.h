#pragma once

#include "support/load.h"

/* Transactions of one test, under a prefix of their own, and what must be true of them in the end. */

struct fixture {
	char prefix[64];
	long count;
};

/* Waits for a healthy, empty payhook with its own worker: what each test of such a suite begins with. */
void fixture_begin(void);

/* Posts so many webhooks, all of them accepted, to a port; 0: the shared instance's. */
void fixture_post(struct fixture *s, const char *word, long count, int port);

/* How many of them are processed; have a job; have a job that somebody owns. */
long fixture_processed(const struct fixture *s);
long fixture_jobs(const struct fixture *s);
long fixture_claimed(const struct fixture *s);

/* Waits until all of them are claimed. */
void fixture_wait_claimed(const struct fixture *s, int timeout_ms);

/* Waits until all of them are processed.  Then none has a job left, each was settled exactly once as its attempts on
 * record show, and the books balance. */
void fixture_wait_processed(const struct fixture *s, int timeout_ms);
