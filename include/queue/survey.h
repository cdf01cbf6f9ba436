#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/base.h"
#include "pg/lane.h"

/* A look at the queue as a whole, for those who watch it, on a connection of its own.
 *
 * It costs the same however long the queue is: what is counted is counted up to SURVEY_MOST.  And it is taken when
 * somebody asks, at most every SURVEY_EVERY_MS, however many ask. */

#define SURVEY_EVERY_MS 5000
#define SURVEY_MOST 10001
#define SURVEY_NO_LAG INT64_MIN

struct survey_seen {
	int64_t ready;   /* among the newest SURVEY_MOST jobs */
	int64_t waiting; /* for a retry */
	int64_t claimed; /* by the workers' last beats */
	int64_t oldest_us;
	int64_t paused; /* 1: it is */
	int64_t dead;
	int64_t workers; /* that have beaten within 20 s */
	int64_t conflicts;
	int64_t lag_us; /* of the standby that is furthest behind; SURVEY_NO_LAG: there is none, or we may not see it */
};

/* A question: the asker's memory until done(). */
struct survey_question {
	void (*done)(
		struct survey_question *q, const struct survey_seen *seen); /* NULL: the database does not answer */
	TAILQ_ENTRY(survey_question) waiting;
};

/* The look, as a test runs it by itself; and how its connection is set. */
extern const struct statement SURVEY;
extern const char SURVEY_OPTIONS[];

struct survey;

/* NULL: out of memory. */
MUST_USE struct survey *survey_create(struct lanes *lanes);
void survey_destroy(struct survey *s);

/* q->done() may be called from here. */
void survey_ask(struct survey *s, struct survey_question *q);

/* Takes it back: done() will not be called. */
void survey_unask(struct survey *s, struct survey_question *q);
