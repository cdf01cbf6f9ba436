#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pg/db.h"

/* The looks for lanes that were left: jobs are parked, and none of the lane is in jobs.  This happens when a process
 * ends, or loses its connection, between the commit that parked or ended a job and the activation that follows it.
 *
 * Two looks share the work.  The recent one goes every second over what was parked in the last ten seconds, so that a
 * fresh webhook waits no longer.  The whole one walks all lanes, in steps, and takes at most a fiftieth of the time.
 * Every worker does both, and two at once do each other no harm. */

#define PARKED_RECENT_MS 1000      /* from one recent look to the next */
#define PARKED_RECENT_LOOKS 10     /* how many looks see each number, unless there are more than */
#define PARKED_RECENT_MAX 20000    /* numbers that one look goes over, those before the others */
#define PARKED_WALK_MS 1000        /* from one step of the walk to the next, at least */
#define PARKED_WALK_MOST_MS 600000 /* and at most */
#define PARKED_WALK_REST 50        /* otherwise so many durations of the step */
#define PARKED_WALK_MAX 1000       /* lanes of one step */

extern const struct statement PARKED_RECENT;
extern const struct statement PARKED_WALK;

/* Where the recent look of a process begins.  All zero: unknown, as on a new connection, behind which there may be
 * another server.  Such a look finds nothing, and learns where it is. */
struct parked_recent {
	int64_t highest[PARKED_RECENT_LOOKS]; /* a ring: the highest lane_no given out, at each of the latest looks */
	unsigned looks;
	bool is_known; /* the ring is filled */
};

/* The parameters of PARKED_RECENT; and its result, of which it returns how many jobs were activated. */
void parked_recent_params(const struct parked_recent *p, struct db_params *params);
int64_t parked_recent_seen(struct parked_recent *p, const struct pg_result *r);

/* Where the next step of the walk begins.  from: INT64_MIN at first. */
struct parked_walk {
	int64_t from;
	bool is_behind; /* most lanes of the last step were left, and there are more: the next one does not rest */
};

void parked_walk_params(const struct parked_walk *w, struct db_params *params);
void parked_walk_seen(struct parked_walk *w, const struct pg_result *r);

/* The pause after a step that took this long, or failed after it. */
int64_t parked_walk_rest_ms(const struct parked_walk *w, int64_t took_ms);
