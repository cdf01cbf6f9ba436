#pragma once

#include "pg/db.h"

/* The release: frees the jobs that the database assigns to a worker and that the worker does not have in flight.
 * Parameters: the worker's number, the keys of the jobs in flight, each an id, a source and a transaction_id separated
 * by spaces, and the most jobs to free.  Returns how many were freed. */
extern const struct statement RELEASE;
