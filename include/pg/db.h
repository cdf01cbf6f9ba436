#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* Statements, their parameters and the rows of their results.  pg/connection.h sends them.
 *
 * struct pg_conn and struct pg_result are libpq's own (PGconn, PGresult), so that only files in lib/pg/
 * include its header. */

struct pg_conn;
struct pg_result;

/* A statement, prepared under its name on each connection whose plan lists it.  Its SQL casts each parameter, because
 * no types are sent with it. */
struct statement {
	const char *name;
	const char *sql;
};

/* A one-dimensional array in PostgreSQL's binary format, built element by element.  The format is that of array_recv()
 * in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.  All integers have four bytes in network byte order: the number
 * of dimensions, a flag for nulls, the OID of the element type; for each dimension its length and lower bound; then
 * each element as its length in bytes and its bytes.
 *
 * A zeroed struct is ready for db_array_start().  Its memory is kept for the next array until db_array_finish(). */
struct db_array {
	struct buf bytes;
	int32_t count;
};

enum db_type { DB_INT8 = 20, DB_TEXT = 25, DB_BYTES = 17 }; /* OIDs from PostgreSQL's pg_type.dat */

/* Begins a new array in place of the one before. */
void db_array_start(struct db_array *a, enum db_type type);

/* Each adds one element, which is copied.  db_array_add() takes bytes in the binary form of the element type.  If there
 * is no room, the array is marked, and db_params_add_array() passes that on. */
void db_array_add(struct db_array *a, const void *bytes, size_t len);
void db_array_add_text(struct db_array *a, const char *text);
void db_array_add_int8(struct db_array *a, int64_t value);

/* Frees the memory. */
void db_array_finish(struct db_array *a);

/* For to_char() of a time AT TIME ZONE 'UTC': RFC 3339 with microseconds. */
#define DB_TIME_FORMAT "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'"

/* The parameters of one connection_send(), in order.  A zeroed struct has none.  Those beyond DB_PARAMS_MAX are counted
 * and not kept.  Texts and arrays are borrowed until connection_send() returns. */
#define DB_PARAMS_MAX 24
#define DB_ARRAY_MAX (64 * 1024 * 1024) /* bytes of one array; sixteen conflicts of 1 MiB have a quarter of it */

struct db_params {
	int count;
	bool overflow;                    /* an array had no room: the call fails instead of sending a part */
	const char *value[DB_PARAMS_MAX]; /* these three as PQsendQueryPrepared() takes them */
	int length[DB_PARAMS_MAX];
	int format[DB_PARAMS_MAX];
	char number[DB_PARAMS_MAX][24]; /* the text of each integer */
};

void db_params_add_text(struct db_params *p, const char *text); /* NULL becomes an SQL null */
void db_params_add_int8(struct db_params *p, int64_t value);
void db_params_add_array(struct db_params *p, struct db_array *a); /* completes the array */

/* Whether all that was added is there.  FAULT_BUSY: an array is too large, or there was no memory for it.  FAULT_BUG:
 * there are more than DB_PARAMS_MAX. */
MUST_USE bool db_params_ok(const struct db_params *p, struct fault *f);

/* Reads a result.  Rows and columns count from 0 and must exist.  Texts end in NUL and are borrowed from the result; an
 * SQL null is "" as a text and 0 as a number.  A number is a decimal in the text format. */
int db_rows(const struct pg_result *r);
bool db_null(const struct pg_result *r, int row, int column);
const char *db_text(const struct pg_result *r, int row, int column);
int64_t db_int8(const struct pg_result *r, int row, int column);

/* Whether a notice of the server says that the wait for a synchronous standby was cancelled: the transaction is then
 * committed, and may be on this server alone.  The SQLSTATE is that of any warning, so the server's source file decides;
 * the text is translated. */
bool db_left_standby(const struct pg_result *notice);

/* For a result that is an error: whether the server itself rejected the statement, which then did not take effect. */
bool db_was_refused(const struct pg_result *r);

/* For a result that is an error: whether the session is of no more use.  The server has become read-only (25006), has
 * lost a prepared statement (26000), or shuts down (57P01 to 57P03). */
bool db_ends_session(const struct pg_result *r);

/* For a result that is an error: whether the statement may not write here. */
bool db_is_read_only(const struct pg_result *r);

/* Why prepared statements are lost or exist already. */
#define DB_POOLER "a pooler in transaction mode does not keep them (PgBouncer does from 1.21 on)"

/* Sets the fault for an error of the server, from its SQLSTATE and message, and returns false.  A NULL sqlstate means
 * that the connection broke.  This is the only place where a SQLSTATE becomes a fault kind. */
bool db_fault(struct fault *f, const char *sqlstate, const char *message);
