#pragma once

#include "stage.h"

/* Waits for a worker, as PostgreSQL's counters tell: they cost it nothing, where looking into the queue would cost a walk
 * over all that is dead in it. */

struct counters {
	double jobs_gone;              /* rows deleted */
	double jobs_changed, jobs_hot; /* rows updated; those that stayed on their page, without touching an index */
	double transactions_changed, transactions_hot;
};

MUST_USE bool counters_read(struct stage *s, struct counters *ret, struct fault *f);

/* Until so many jobs are gone since then, and no job is left; *ret as it is then.  Counters come a second late. */
MUST_USE bool drained(
	struct stage *s, const struct counters *since, double jobs, struct counters *ret, struct fault *f);
