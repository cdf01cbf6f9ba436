/* parked.c - the statements that find lanes which were left, and where each look begins.
 *
 * heartbeat.c sends the recent look, which is short whatever vacuum could not remove.  The walk passes over dead rows,
 * for seconds if an old snapshot keeps a million, so maintenance.c sends it, behind which no heartbeat waits.  A lane
 * that is found here may be just about to be activated by the process that parked or ended its job; one of the two then
 * does nothing. */

#include "queue/parked.h"

/* The lanes of a CTE that have no job in jobs, each looked up by the unique index jobs_lane: LATERAL LIMIT 1 keeps the
 * planner from reading the whole queue for an anti join. */
#define LEFT(lanes)                                                                                                \
	"payhook.activate(ARRAY(SELECT DISTINCT l.lane FROM " lanes " l"                                           \
	"  LEFT JOIN LATERAL (SELECT true AS has_job FROM payhook.jobs j WHERE j.lane = l.lane LIMIT 1) b ON true" \
	"  WHERE has_job IS NULL))"

/* Activates the lanes that were left among the jobs with these numbers, after the first and up to the second.  Returns
 * how many jobs were activated, and the highest number that was given out: a job whose commit is under way has a lower
 * one, and the next looks see it.  The sequence says so at once; the index would be read back through all its dead
 * rows.
 *
 * activate() is volatile, so it sees what was committed before it is called, and not only the snapshot of this look.  A
 * lost answer: the next look has the same jobs and some more. */
const struct statement PARKED_RECENT = {"parked_recent",
	"WITH recent AS MATERIALIZED ("
	"  SELECT lane FROM payhook.parked_jobs WHERE lane_no > $1::bigint AND lane_no <= $2::bigint"
	") SELECT " LEFT("recent") ", (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END"
				   "  FROM payhook.lane_numbers)"};

/* The same for the lanes from this one on, at most so many in their order.  Returns how many jobs were activated, how
 * many lanes were walked, and the last of them.
 *
 * Plan: each lane is found by one descent of the primary key, however many jobs it has; the recursion ends at the
 * limit, since nothing asks for more of its rows. */
const struct statement PARKED_WALK = {"parked_walk",
	"WITH RECURSIVE walk AS ("
	"  (SELECT lane FROM payhook.parked_jobs WHERE lane >= $1::bigint ORDER BY lane LIMIT 1)"
	"  UNION ALL"
	"  SELECT (SELECT p.lane FROM payhook.parked_jobs p WHERE p.lane > w.lane ORDER BY p.lane LIMIT 1)"
	"  FROM walk w WHERE w.lane IS NOT NULL"
	"), walked AS MATERIALIZED (SELECT lane FROM walk WHERE lane IS NOT NULL LIMIT $2::int"
	") SELECT " LEFT("walked") ", (SELECT count(*) FROM walked), (SELECT max(lane) FROM walked)"};

void parked_recent_params(const struct parked_recent *p, struct db_params *params)
{
	int64_t from = p->is_known ? p->highest[p->looks % PARKED_RECENT_LOOKS] : 0;
	db_params_add_int8(params, from);
	db_params_add_int8(params, p->is_known ? from + PARKED_RECENT_MAX : from);
}

int64_t parked_recent_seen(struct parked_recent *p, const struct pg_result *r)
{
	int64_t highest = db_int8(r, 0, 1);
	for (int i = 0; !p->is_known && i < PARKED_RECENT_LOOKS; i++)
		p->highest[i] = highest;
	p->is_known = true;
	p->highest[p->looks++ % PARKED_RECENT_LOOKS] = highest;
	return db_int8(r, 0, 0);
}

void parked_walk_params(const struct parked_walk *w, struct db_params *params)
{
	db_params_add_int8(params, w->from);
	db_params_add_int8(params, PARKED_WALK_MAX);
}

void parked_walk_seen(struct parked_walk *w, const struct pg_result *r)
{
	int64_t last = db_int8(r, 0, 2);
	bool is_over = db_int8(r, 0, 1) < PARKED_WALK_MAX || last == INT64_MAX;
	w->from = is_over ? INT64_MIN : last + 1;
	w->is_behind = !is_over && db_int8(r, 0, 0) > PARKED_WALK_MAX / 2;
}

int64_t parked_walk_rest_ms(const struct parked_walk *w, int64_t took_ms)
{
	int64_t rest_ms = took_ms * PARKED_WALK_REST;
	if (w->is_behind)
		return 0;
	return rest_ms < PARKED_WALK_MS        ? PARKED_WALK_MS
	       : rest_ms > PARKED_WALK_MOST_MS ? PARKED_WALK_MOST_MS
					       : rest_ms;
}
