#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "ingest/batch.h"
#include "pg/connection.h"

/* The accept path: webhooks become durable here, many in one commit.
 *
 * What arrives while a batch is under way forms the next one; so a single webhook waits for nobody, and under load
 * hundreds share a commit.  Everyone is told the outcome of its own.  How long to wait for it is the caller's affair:
 * whose time is over is withdrawn. */

#define INGEST_WAITING_MAX 4096 /* webhooks waiting, those under way included; more are refused at once */
#define INGEST_PROMPT_MS 450    /* a commit that takes longer is no sign of health */
#define INGEST_FRESH_MS 5000    /* how long the last commit tells of the health */

struct ingest;

/* Whom an intake tells.  The callbacks run from the event loop. */
struct ingest_events {
	void (*up)(void *ctx);                            /* webhooks can be accepted */
	void (*down)(void *ctx, const struct fault *why); /* they cannot, or an attempt to connect failed */
	void (*enqueued)(void *ctx);                      /* a commit brought new jobs */
	/* A commit stored so many webhooks, conflicts too, so long after it was sent.  Or NULL. */
	void (*committed)(void *ctx, int webhooks, int64_t us);
};

/* NULL: out of memory.  events and ctx must outlive it. */
MUST_USE struct ingest *ingest_create(
	struct connect_state *connect_state, const struct ingest_events *events, void *ctx);
void ingest_destroy(struct ingest *in);

/* Takes one webhook in.  a->done() may be called from here, when it is refused at once. */
void ingest_accept(struct ingest *in, struct pending_insert *a);

/* Takes it back: done() will not be called.  It may be stored all the same, when it is under way. */
void ingest_withdraw(struct ingest *in, struct pending_insert *a);

/* A question: could a webhook be made durable now?  The caller's memory until done(), as an arrival. */
struct ingest_probe {
	void (*done)(struct ingest_probe *p, const struct fault *f); /* f NULL: yes; else why not */
	TAILQ_ENTRY(ingest_probe) waiting;
};

/* Answered from the last commit while that is younger than INGEST_FRESH_MS and came back in time; else by a small
 * durable write of our own, since reading still works when the disk is full.  p->done() may be called from here. */
void ingest_probe_health(struct ingest *in, struct ingest_probe *p);
void ingest_withdraw_probe(struct ingest *in, struct ingest_probe *p);

/* The statement that makes a batch durable, and its parameters: the bench runs it by itself.  Arrays and traces must live
 * as long as the parameters. */
#define INGEST_ARRAYS 6
#define INGEST_TRACES_MAX (1024 * 1024) /* bytes; 500 ids, each of 255 quotes that are escaped, take a third */

extern const struct statement INGEST_STORE;
void ingest_params(
	struct db_params *p, struct db_array arrays[INGEST_ARRAYS], struct buf *traces, const struct batch *b);
