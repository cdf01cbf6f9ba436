#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "processor.h"
#include "queue/held.h"
#include "queue/survey.h"

/* What a worker counts, and shows beside what it sees in the database. */

struct tally;

/* How the worker stands when it is asked. */
struct tally_now {
	int held, slots;
	bool circuit_open;
	int64_t late, released, stale; /* since the start */
};

/* NULL: out of memory. */
MUST_USE struct tally *tally_create(void);
void tally_destroy(struct tally *t);

/* A call ended so, after so many microseconds. */
void tally_call(struct tally *t, enum verdict verdict, int64_t us);

/* A job is settled with its end, so many microseconds after it was accepted; -1: that is not known. */
void tally_settled(struct tally *t, enum end end, int64_t age_us);

/* Jobs of workers that are gone were freed. */
void tally_rescued(struct tally *t, int64_t jobs);

/* Adds everything to a text for Prometheus.  seen NULL: the database does not answer. */
void tally_render(struct tally *t, const struct tally_now *now, const struct survey_seen *seen, struct buf *ret);
