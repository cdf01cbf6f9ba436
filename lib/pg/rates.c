/* rates.c - a short list of sources with their counts.
 *
 * There are few sources, and a webhook is mostly of the same one as the last, so the place of the last is tried first and the
 * others in turn.  When to send, and on which connection, is decided by the two that count: ingest/auth_failures.c and
 * queue/maintenance.c. */

#include "pg/rates.h"

#include <string.h>

/* Adds to the rows of the present minute, by the server's clock (schema/0031_rates.sql).  It may wait for another process
 * that adds to the same rows, for as long as a few updates take; the rows are locked in the order of their keys, so two
 * calls do not deadlock.
 *
 * A lost answer: the counts are not sent again.  Commit: if the server crashes, the last second may be lost; it does not
 * wait for the disk. */
const struct statement RATES_ADD = {"rates",
	"SELECT payhook.add_rates($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
	"  WHERE (SELECT set_config('synchronous_commit', 'off', true)) = 'off'"};

static int rates_place(const struct rates *r, const char *source)
{
	if (r->last < r->count && strcmp(r->list[r->last].source, source) == 0)
		return r->last;
	for (int i = 0; i < r->count; i++)
		if (strcmp(r->list[i].source, source) == 0)
			return i;
	return r->count;
}

void rates_add(struct rates *r, const char *source, enum rate what)
{
	int place = rates_place(r, source);
	size_t len = strlen(source);
	if (place == RATES_SOURCES_MAX || len == 0 || len > RATES_SOURCE_MAX)
		return;
	if (place == r->count) {
		memset(&r->list[place], 0, sizeof r->list[place]);
		memcpy(r->list[place].source, source, len + 1);
		r->count++;
	}
	r->last = place;
	r->list[place].number[what]++;
}

bool rates_are_due(const struct rates *r)
{
	return r->count > 0;
}

void rates_params(struct rates *r, struct db_params *p)
{
	db_array_start(&r->arrays[RATES], DB_TEXT);
	for (int i = 0; i < r->count; i++)
		db_array_add_text(&r->arrays[RATES], r->list[i].source);
	db_params_add_array(p, &r->arrays[RATES]);
	for (int what = 0; what < RATES; what++) {
		db_array_start(&r->arrays[what], DB_INT8);
		for (int i = 0; i < r->count; i++)
			db_array_add_int8(&r->arrays[what], r->list[i].number[what]);
		db_params_add_array(p, &r->arrays[what]);
	}
	r->count = 0;
}

void rates_finish(struct rates *r)
{
	for (int i = 0; i <= RATES; i++)
		db_array_finish(&r->arrays[i]);
}
