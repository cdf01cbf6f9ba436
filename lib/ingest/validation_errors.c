/* validation_errors.c - validation errors in bounded memory, until they are written to the rings of their sources.
 *
 * Two lists, of verified webhooks and of others, each bounded, and bounded for each source.  An error that finds no place is
 * dropped; the log and the metrics have it all the same.  Sending is left to auth_failures.c. */

#include "ingest/validation_errors.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Adds errors to the rings of their sources (schema/0025_validation_errors.sql).  Any number of processes may do so at once.
 * Ages are sent instead of times, so only the server's clock counts.  A lost answer is not followed by a second try. */
const struct statement VALIDATION_ERRORS_RECORD = {"record_invalid",
	"SELECT payhook.add_validation_errors($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],"
	" $7::bigint[])"};

enum column { SOURCE, IS_VERIFIED, STATUS, PROBLEMS, ADDRESS, ID, AGE };
static const enum db_type TYPES[VALIDATION_ERROR_COLUMNS] = {[SOURCE] = DB_TEXT,
	[IS_VERIFIED] = DB_INT8,
	[STATUS] = DB_INT8,
	[PROBLEMS] = DB_TEXT,
	[ADDRESS] = DB_TEXT,
	[ID] = DB_TEXT,
	[AGE] = DB_INT8};

static int count_of_source(const struct validation_error_waiting *list, int count, const char *source)
{
	int found = 0;
	for (int i = 0; i < count; i++)
		found += strcmp(list[i].source, source) == 0;
	return found;
}

bool validation_errors_add(struct validation_errors *all, const struct validation_error *error)
{
	struct validation_error_waiting *list = all->waiting[error->is_verified];
	int *count = &all->count[error->is_verified];
	if (*count == VALIDATION_ERRORS_WAITING_MAX)
		return false;
	struct validation_error_waiting *w = &list[*count];
	utf8_printable(w->source, sizeof w->source, error->source);
	if (count_of_source(list, *count, w->source) == VALIDATION_ERRORS_OF_SOURCE_MAX)
		return false;
	w->status = error->status;
	w->since_us = clock_us();
	utf8_printable(w->problems, sizeof w->problems, error->problems);
	utf8_printable(w->address, sizeof w->address, error->address ? error->address : "");
	utf8_printable(w->id, sizeof w->id, error->request_id ? error->request_id : "");
	(*count)++;
	return true;
}

int validation_errors_count(const struct validation_errors *all)
{
	return all->count[0] + all->count[1];
}

static void add_error(struct validation_errors *all, int is_verified, const struct validation_error_waiting *w)
{
	db_array_add_text(&all->columns[SOURCE], w->source);
	db_array_add_int8(&all->columns[IS_VERIFIED], is_verified);
	db_array_add_int8(&all->columns[STATUS], w->status);
	db_array_add_text(&all->columns[PROBLEMS], w->problems);
	db_array_add_text(&all->columns[ADDRESS], w->address);
	db_array_add_text(&all->columns[ID], w->id);
	db_array_add_int8(&all->columns[AGE], clock_us() - w->since_us);
}

void validation_errors_params(struct validation_errors *all, struct db_params *ret)
{
	for (int c = 0; c < VALIDATION_ERROR_COLUMNS; c++)
		db_array_start(&all->columns[c], TYPES[c]);
	for (int is_verified = 0; is_verified < 2; is_verified++)
		for (int i = 0; i < all->count[is_verified]; i++)
			add_error(all, is_verified, &all->waiting[is_verified][i]);
	for (int c = 0; c < VALIDATION_ERROR_COLUMNS; c++)
		db_params_add_array(ret, &all->columns[c]);
}

int validation_errors_empty(struct validation_errors *all)
{
	int count = validation_errors_count(all);
	all->count[0] = all->count[1] = 0;
	return count;
}

void validation_errors_finish(struct validation_errors *all)
{
	for (int c = 0; c < VALIDATION_ERROR_COLUMNS; c++)
		db_array_finish(&all->columns[c]);
}
