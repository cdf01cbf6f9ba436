#pragma once

#include <libpq-fe.h>

#include "base/base.h"

/* A freshly migrated database for each test, on the server that with_cluster.sh runs.
 *
 * Criterion runs every test in a process of its own, so create and drop are the .init and .fini of a suite, and there
 * is one database at a time.  Any error fails the test.  A database made from a template does not inherit its settings,
 * so there is no search_path, and a statement that forgets the schema payhook fails too. */

/* Creates the database and returns a conninfo for it, valid until database_drop(). */
const char *database_create(void);

/* Returns the same conninfo; NULL if there is no database. */
const char *database_conninfo(void);

/* Terminates the connections to the database and drops it; does nothing if there is none.  As a .fini it also runs
 * after a failed test. */
void database_drop(void);

/* To be used as TestSuite(store, .init = database_init, .fini = database_drop). */
void database_init(void);

/* Opens another connection, for tests of two concurrent ones.  The caller closes it with PQfinish(). */
PGconn *database_connect(void);

/* The following functions use the fixture's own connection; each call is a transaction of its own. */

/* Runs statements, which must succeed. */
void database_exec(const char *format, ...) PRINTF_LIKE(1, 2);

/* Returns the single value of a query as text, valid until the next call: "null" for null, "none" if there is no
 * row. */
const char *database_value(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same as a number. */
long long database_number(const char *format, ...) PRINTF_LIKE(1, 2);

/* Returns the number of sequential scans of a table of payhook, after at least this number of scans of any kind are
 * counted.  PostgreSQL counts the scans of a connection when it ends, so this waits for that. */
long long database_scans(const char *table, long long times);

/* Returns the reason for which the server rejects a statement: the name of the constraint, otherwise the SQLSTATE;
 * "accepted" if it does not reject it. */
const char *database_error(const char *format, ...) PRINTF_LIKE(1, 2);
