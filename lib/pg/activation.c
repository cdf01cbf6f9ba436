/* activation.c - a bounded list of lanes, in the order in which they were added. */

#include "pg/activation.h"

#include <string.h>

/* Moves the first parked job of each lane into jobs, where the lane has none (schema/0021_lanes.sql).
 *
 * Commit: it waits for the disk, because it assigns ids.  A lost answer: sent again, it finds nothing left to move. */
const struct statement ACTIVATE = {"activate", "SELECT payhook.activate($1::bigint[])"};

void activation_add(struct activation *a, int64_t lane)
{
	bool is_listed = a->count > a->sent && a->lanes[a->count - 1] == lane;
	if (!is_listed && a->count < ACTIVATION_MOST)
		a->lanes[a->count++] = lane;
}

bool activation_is_due(const struct activation *a)
{
	return a->count > a->sent;
}

void activation_params(struct activation *a, struct db_params *p)
{
	db_array_start(&a->array, DB_INT8);
	for (int i = 0; i < a->count; i++)
		db_array_add_int8(&a->array, a->lanes[i]);
	a->sent = a->count;
	db_params_add_array(p, &a->array);
}

void activation_end(struct activation *a, bool done)
{
	if (done) {
		a->count -= a->sent;
		memmove(a->lanes, a->lanes + a->sent, (size_t)a->count * sizeof *a->lanes);
	}
	a->sent = 0;
}

void activation_finish(struct activation *a)
{
	db_array_finish(&a->array);
}
