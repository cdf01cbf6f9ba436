#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* The bench's own conversation with PostgreSQL: one statement at a time, given up when it is asked to stop. */

/* options: settings of the session, "-c name=value ..."; or NULL. */
MUST_USE bool pg_open(const char *conninfo, const char *options, PGconn **ret, struct fault *f);

/* Runs statements without parameters, or one with $1. */
MUST_USE bool pg_run(PGconn *c, const char *sql, struct fault *f);
MUST_USE bool pg_run_for(PGconn *c, const char *sql, long number, struct fault *f);

/* The single value of a single row. */
MUST_USE bool pg_number(PGconn *c, const char *sql, double *ret, struct fault *f);
MUST_USE bool pg_number_for(PGconn *c, const char *sql, const char *parameter, double *ret, struct fault *f);
MUST_USE bool pg_text(PGconn *c, const char *sql, char *ret, size_t size, struct fault *f);
MUST_USE bool pg_ask(PGconn *c, const char *sql, const char *parameter, PGresult **ret, struct fault *f);
