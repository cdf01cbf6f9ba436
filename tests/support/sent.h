#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "ingest/ingest.h"

/* An intake on an event loop, webhooks that tests send to it, and what became of them. */

#define SENT_MOST 1200

/* One webhook of a test. */
struct sent {
	struct pending_insert pending_insert;
	struct txn txn;
	char body[64];
	bool reports;
	enum accepted outcome;
	bool failed;
	struct fault fault;
};

extern struct ingest *in;
extern struct connect_state *connect_state;
extern struct sent sent[SENT_MOST]; /* in their order */
extern int sent_count;
extern const struct ingest_events SENT_EVENTS; /* they count these: */
extern int enqueued, ups, downs;

/* For a suite's init and fini: a database, a loop, and the intake on it, connected. */
void sent_init(void);
void sent_fini(void);

/* From source "from" to "to", in EUR. */
struct sent *send_to(struct ingest *ingest, const char *id, const char *source, const char *amount);

/* To the intake, of the built-in source. */
struct sent *send_one(const char *id, const char *amount);

/* Turns the loop until each that was sent is told its outcome. */
void sent_all(void);

void expect(const struct sent *s, enum accepted outcome);

/* How many a table of payhook's has. */
long long rows(const char *table);

/* For loop_until(). */
bool is_up(void *ctx);      /* connected since ups was last 0 */
bool is_blocked(void *ctx); /* a statement waits for a lock */
