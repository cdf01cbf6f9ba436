#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* The words in which statements, parameters and rows are spoken of; connection.h runs them.
 *
 * struct pg_conn and struct pg_result are libpq's own (PGconn, PGresult), so that its header stays behind two doors. */

struct pg_conn;
struct pg_result;

/* One statement, prepared under its name on every connection of a lane.  Its SQL casts each parameter. */
struct statement {
	const char *name;
	const char *sql;
};

/* A one-dimensional array in PostgreSQL's binary form, built element by element.  The source of the form is
 * array_recv() in PostgreSQL's src/backend/utils/adt/arrayfuncs.c: dimensions, a flag, the element's type; length and
 * lower bound; then each element as its length and its bytes. */
struct db_array {
	struct buf bytes;
	int32_t count;
};

enum db_type { DB_INT8 = 20, DB_TEXT = 25, DB_BYTES = 17 }; /* oids, from pg_type.dat */

void db_array_start(struct db_array *a, enum db_type type);
void db_array_add(struct db_array *a, const void *bytes, size_t len);
void db_array_add_text(struct db_array *a, const char *text);
void db_array_add_int8(struct db_array *a, int64_t value);
void db_array_finish(struct db_array *a);

/* The parameters of one call, in order.  Texts and arrays are borrowed until connection_send() returns. */
#define DB_PARAMS_MAX 12
#define DB_ARRAY_MAX (64 * 1024 * 1024) /* bytes of one array: 1,024 bodies of 64 KiB */

struct db_params {
	int count;
	bool overflow; /* an array did not fit in memory: the call fails instead of sending less */
	const char *value[DB_PARAMS_MAX];
	int length[DB_PARAMS_MAX];
	int format[DB_PARAMS_MAX];
	char number[DB_PARAMS_MAX][24];
};

void db_params_add_text(struct db_params *p, const char *text); /* NULL is SQL's null */
void db_params_add_int8(struct db_params *p, int64_t value);
void db_params_add_array(struct db_params *p, struct db_array *a); /* closes the array */

/* Rows of a result.  Texts are borrowed from it and end in NUL; a null is "". */
int db_rows(const struct pg_result *r);
bool db_null(const struct pg_result *r, int row, int column);
const char *db_text(const struct pg_result *r, int row, int column);
int64_t db_int8(const struct pg_result *r, int row, int column);

/* What a server's refusal means to us: the one place where SQLSTATE becomes a kind of fault.  Returns false.  A null
 * state is a connection that broke. */
bool db_fault(struct fault *f, const char *sqlstate, const char *message);
