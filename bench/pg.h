#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* The bench's own connections to PostgreSQL: one statement at a time, which is cancelled when the bench is asked to
 * stop.  Faults have the first line of PostgreSQL's message. */

/* Connects; the caller closes with PQfinish().  options: settings of the session, "-c name=value ...", or NULL. */
MUST_USE bool pg_open(const char *conninfo, const char *options, PGconn **ret, struct fault *f);

/* Run statements without parameters (several, separated by semicolons), or one with a number as $1. */
MUST_USE bool pg_run(PGconn *c, const char *sql, struct fault *f);
MUST_USE bool pg_run_for(PGconn *c, const char *sql, long number, struct fault *f);

/* Return the first column of the only row of a result, as a number or as text; parameter is $1, or NULL. */
MUST_USE bool pg_number(PGconn *c, const char *sql, double *ret, struct fault *f);
MUST_USE bool pg_number_for(PGconn *c, const char *sql, const char *parameter, double *ret, struct fault *f);
MUST_USE bool pg_text(PGconn *c, const char *sql, char *ret, size_t size, struct fault *f);

/* Runs a statement and returns its result, which the caller clears with PQclear(). */
MUST_USE bool pg_ask(PGconn *c, const char *sql, const char *parameter, PGresult **ret, struct fault *f);
