#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"

/* The looks for lanes that were left: jobs are parked, and none of the lane is in jobs.  This happens when a process ends, or
 * loses its connection, between the commit that parked or ended a job and the activation that follows it.
 *
 * Two looks share the work.  The recent one goes every second over what was parked in the last ten seconds, so that a fresh
 * webhook waits no longer.  The whole one walks all lanes, in steps, and takes at most a fiftieth of the time.  Every
 * worker does both, and two at once do each other no harm. */

#define PARKED_RECENT_MS 1000     /* from one recent look to the next */
#define PARKED_RECENT_LOOKS 10    /* how many looks see each job, unless they are full */
#define PARKED_RECENT_MAX 20000   /* jobs of one look */
#define PARKED_WALK_MS 1000       /* from one step of the walk to the next, at least */
#define PARKED_WALK_MOST_MS 60000 /* and at most; between them, a fiftieth of the time */
#define PARKED_WALK_MAX 1000      /* lanes of one step */

extern const struct statement PARKED_RECENT;
extern const struct statement PARKED_WALK;

/* Both looks of one process. */
struct parked {
	int64_t highest[PARKED_RECENT_LOOKS]; /* a ring: the highest lane_no given out, at each of the latest looks */
	unsigned looks;
	bool is_known;  /* the ring is filled */
	int64_t walked; /* the next step begins at this lane */
	bool is_behind; /* most lanes of the last step were left, and there are more: the next step does not rest */
};

/* On a new connection, behind which there may be another server: the recent look learns where it is, the walk begins anew. */
void parked_restart(struct parked *p);

/* The parameters of a statement, and its result, which returns how many jobs were activated. */
void parked_recent_params(const struct parked *p, struct db_params *params);
int64_t parked_recent_seen(struct parked *p, const struct pg_result *r);
void parked_walk_params(const struct parked *p, struct db_params *params);
int64_t parked_walk_seen(struct parked *p, const struct pg_result *r);
