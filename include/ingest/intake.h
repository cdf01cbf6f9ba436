#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "base/fault.h"
#include "batch.h"
#include "pg/lane.h"

/* The accept path: webhooks become durable here, many in one commit.
 *
 * What arrives while a batch is under way forms the next one; so a single webhook waits for nobody, and under load
 * hundreds share a commit.  Everyone is told the outcome of its own.  How long to wait for it is the caller's affair:
 * whose time is over is withdrawn. */

#define INTAKE_WAITING_MAX 4096 /* webhooks waiting, those under way included; more are refused at once */
#define INTAKE_PROMPT_MS 450    /* a commit that takes longer is no sign of health */
#define INTAKE_FRESH_MS 5000    /* how long the last commit tells of the health */

struct intake;

/* Whom an intake tells.  The callbacks run from the event loop. */
struct intake_events {
	void (*up)(void *ctx);                            /* webhooks can be accepted */
	void (*down)(void *ctx, const struct fault *why); /* they cannot, or an attempt to connect failed */
	void (*enqueued)(void *ctx);                      /* a commit brought new jobs */
	/* A commit stored so many webhooks, conflicts too, so long after it was sent.  Or NULL. */
	void (*committed)(void *ctx, int webhooks, int64_t us);
};

/* NULL: out of memory.  events and ctx must outlive it. */
MUST_USE struct intake *intake_create(struct lanes *lanes, const struct intake_events *events, void *ctx);
void intake_destroy(struct intake *in);

/* Takes one webhook in.  a->done() may be called from here, when it is refused at once. */
void intake_accept(struct intake *in, struct arrival *a);

/* Takes it back: done() will not be called.  It may be stored all the same, when it is under way. */
void intake_withdraw(struct intake *in, struct arrival *a);

/* A question: could a webhook be made durable now?  The caller's memory until done(), as an arrival. */
struct intake_probe {
	void (*done)(struct intake_probe *p, const struct fault *f); /* f NULL: yes; else why not */
	TAILQ_ENTRY(intake_probe) waiting;
};

/* Answered from the last commit while that is younger than INTAKE_FRESH_MS and came back in time; else by a small
 * durable write of our own, since reading still works when the disk is full.  p->done() may be called from here. */
void intake_ask(struct intake *in, struct intake_probe *p);
void intake_unask(struct intake *in, struct intake_probe *p);

/* The statement that makes a batch durable, and its parameters: the bench runs it by itself.  Arrays and traces must live
 * as long as the parameters. */
#define INTAKE_ARRAYS 6
#define INTAKE_TRACES_MAX (1024 * 1024) /* bytes; 500 ids, each of 255 quotes that are escaped, take a third */

extern const struct statement INTAKE_STORE;
void intake_params(
	struct db_params *p, struct db_array arrays[INTAKE_ARRAYS], struct buf *traces, const struct batch *b);
