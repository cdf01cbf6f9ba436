#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"

/* Lanes whose next job is to be activated, and the statement that does it.
 *
 * A job that its lane has no room for in jobs lies in parked_jobs.  After a commit that parked jobs, or that ended one,
 * its lane is listed here and sent to payhook.activate() as a statement of its own, whose snapshot shows that commit.
 * To activate a lane twice does no harm, so a list is sent again if it is not known to have taken effect.
 *
 * Nothing is lost with the list: a look of the workers (queue/parked.h) finds each lane that was not activated. */

#define ACTIVATION_MOST 8192 /* lanes; those beyond are left to the look */

extern const struct statement ACTIVATE;

/* All zero: no lanes. */
struct activation {
	int64_t lanes[ACTIVATION_MOST];
	int count;
	int sent;              /* the first so many are in the statement under way */
	struct db_array array; /* the parameter; kept for its memory */
};

/* Adds a lane, unless it is the last one listed. */
void activation_add(struct activation *a, int64_t lane);

/* Whether there are lanes to be sent. */
bool activation_is_due(const struct activation *a);

/* Adds the parameter of ACTIVATE: all lanes of the list, which must live until connection_send() returns. */
void activation_params(struct activation *a, struct db_params *p);

/* The statement has ended.  done: it took effect, and its lanes leave the list. */
void activation_end(struct activation *a, bool done);

/* Frees the memory. */
void activation_finish(struct activation *a);
