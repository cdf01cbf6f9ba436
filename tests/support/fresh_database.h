#pragma once

#include <libpq-fe.h>

#include "base/base.h"

/* A freshly migrated database for each test, on the server that with_cluster.sh runs.
 *
 * Criterion runs every test in a process of its own, so create and drop are a suite's .init and .fini and keep one
 * database.  Whatever fails here fails the test.  The database has no search_path of ours (a template's settings are
 * not copied), so a statement that forgets to name the schema payhook fails as well. */

/* Makes the database and returns a conninfo for it, valid until database_drop(). */
const char *database_create(void);

/* The same conninfo; NULL when there is no database. */
const char *database_conninfo(void);

/* Cuts its connections and removes it; does nothing when there is none.  As a .fini it also runs after a failure. */
void database_drop(void);

/* As .init and .fini: TestSuite(store, .init = database_init, .fini = database_drop). */
void database_init(void);

/* One more connection, for tests of what happens between two; the caller ends it with PQfinish(). */
PGconn *database_connect(void);

/* What follows is sent over the fixture's own connection, each call a transaction of its own. */

/* Runs statements that must succeed. */
void database_exec(const char *format, ...) PRINTF_LIKE(1, 2);

/* The single value of a query, as text, valid until the next call: "null" for null, "none" for no row. */
const char *database_value(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same as a number. */
long long database_number(const char *format, ...) PRINTF_LIKE(1, 2);

/* Of so many times at least that a table of payhook's was looked into, by an index or from end to end, how often it was
 * read from end to end.  Waits for the connections that did it to tell, which they do when they end. */
long long database_scans(const char *table, long long times);

/* Why the server refuses a statement: the constraint's name, else the SQLSTATE; "accepted" when it does not. */
const char *database_error(const char *format, ...) PRINTF_LIKE(1, 2);
