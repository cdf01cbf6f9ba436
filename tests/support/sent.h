#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "ingest/ingest.h"
#include "ingest/notifier.h"

/* An ingest on an event loop, the webhooks that a test sends to it, and their outcomes. */

#define SENT_MOST 4400

/* One webhook of a test. */
struct sent {
	struct pending_insert pending_insert;
	struct txn txn;
	struct insert_body body;
	char bytes[64];
	bool is_reported;
	int place; /* its outcome was the nth, counted from 1; valid if is_reported */
	enum accepted outcome;
	bool failed;
	struct fault fault;
};

extern struct ingest *in;
extern struct connect_state *connect_state;
extern struct sent sent[SENT_MOST]; /* in the order of sending */
extern int sent_count;
extern int sent_withdrawn;                     /* of these; their outcome is not awaited */
extern const struct ingest_events SENT_EVENTS; /* they count in the following variables: */
extern int enqueued, ups, downs, commits, unkept;
extern struct notifier *sent_notifier; /* NULL, or gets the lanes of parked jobs */

/* The .init and .fini of a suite: a database, a loop, and a connected ingest. */
void sent_init(void);
void sent_fini(void);

/* Sends a webhook to an ingest: from account "from" to "to", in EUR. */
struct sent *send_to(struct ingest *ingest, const char *id, const char *source, const char *amount);

/* Sends a webhook of the built-in source to in. */
struct sent *send_one(const char *id, const char *amount);

/* Runs the loop until the outcome of every webhook sent has been reported. */
void sent_all(void);

void expect(const struct sent *s, enum accepted outcome);

/* The number of rows of a table of payhook. */
long long rows(const char *table);

/* Conditions for loop_until(). */
bool is_up(void *ctx);      /* connected since ups was last set to 0 */
bool is_blocked(void *ctx); /* a statement waits for a lock */
