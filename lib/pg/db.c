/* db.c - parameters and rows in PostgreSQL's formats, and the meaning of its errors.
 *
 * A batch is sent as one array for each column, so a statement has the same text and is prepared once for any number of
 * rows.  Arrays are sent in the binary format, where no element needs quoting: a sender's text is data and cannot
 * become SQL.  Single values and results are in the text format.  Sending is left to connection.c, a retry to the
 * caller. */

#include "pg/db.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_int4(struct buf *b, uint32_t value)
{
	uint32_t wire = htonl(value);
	buf_add(b, &wire, sizeof wire);
}

#define ARRAY_KEEP (256 * 1024) /* bytes of memory that are kept for the next array; a usual batch has 30 KiB */

/* Offset of the number of elements, which is written when the array is complete. */
#define COUNT_OFFSET 12

void db_array_start(struct db_array *a, enum db_type type)
{
	a->bytes.max = DB_ARRAY_MAX;
	buf_reset(&a->bytes, ARRAY_KEEP);
	a->count = 0;
	add_int4(&a->bytes, 1); /* dimensions */
	add_int4(&a->bytes, 0); /* no element is null */
	add_int4(&a->bytes, (uint32_t)type);
	add_int4(&a->bytes, 0); /* elements */
	add_int4(&a->bytes, 1); /* lower bound */
}

void db_array_add(struct db_array *a, const void *bytes, size_t len)
{
	add_int4(&a->bytes, (uint32_t)len);
	buf_add(&a->bytes, bytes, len);
	a->count++;
}

void db_array_add_text(struct db_array *a, const char *text)
{
	db_array_add(a, text, strlen(text));
}

void db_array_add_int8(struct db_array *a, int64_t value)
{
	uint32_t wire[2] = {htonl((uint32_t)((uint64_t)value >> 32)), htonl((uint32_t)value)};
	db_array_add(a, wire, sizeof wire);
}

void db_array_finish(struct db_array *a)
{
	buf_finish(&a->bytes);
}

static void params_add(struct db_params *p, const char *value, int length, int format)
{
	if (p->count < DB_PARAMS_MAX) {
		p->value[p->count] = value;
		p->length[p->count] = length;
		p->format[p->count] = format;
	}
	p->count++;
}

void db_params_add_text(struct db_params *p, const char *text)
{
	params_add(p, text, 0, 0);
}

void db_params_add_int8(struct db_params *p, int64_t value)
{
	char *text = p->count < DB_PARAMS_MAX ? p->number[p->count] : NULL;
	if (text)
		snprintf(text, sizeof p->number[0], "%lld", (long long)value);
	params_add(p, text, 0, 0);
}

void db_params_add_array(struct db_params *p, struct db_array *a)
{
	if (!buf_ok(&a->bytes)) {
		p->overflow = true;
		params_add(p, NULL, 0, 0);
		return;
	}
	uint32_t wire = htonl((uint32_t)a->count);
	memcpy(a->bytes.data + COUNT_OFFSET, &wire, sizeof wire);
	params_add(p, a->bytes.data, (int)a->bytes.len, 1);
}

bool db_params_ok(const struct db_params *p, struct fault *f)
{
	if (p->count > DB_PARAMS_MAX)
		return fault_set(
			f, FAULT_BUG, "a statement has %d parameters, at most %d are sent", p->count, DB_PARAMS_MAX);
	return !p->overflow ||
	       fault_set(f, FAULT_BUSY, "there is no memory for the parameters of a statement, or they are too large");
}

int db_rows(const struct pg_result *r)
{
	return PQntuples(r);
}

bool db_null(const struct pg_result *r, int row, int column)
{
	return PQgetisnull(r, row, column) != 0;
}

const char *db_text(const struct pg_result *r, int row, int column)
{
	return PQgetvalue(r, row, column);
}

int64_t db_int8(const struct pg_result *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

bool db_left_standby(const struct pg_result *notice)
{
	const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char *file = PQresultErrorField(notice, PG_DIAG_SOURCE_FILE);
	return state && file && strcmp(state, "01000") == 0 && strcmp(file, "syncrep.c") == 0;
}

/* A pooler reports that its own connection to the server broke in class 08: the statement may have taken effect. */
bool db_was_refused(const struct pg_result *r)
{
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	return sqlstate && strncmp(sqlstate, "08", 2) != 0;
}

static bool is_state(const PGresult *r, const char *state)
{
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	return sqlstate && strcmp(sqlstate, state) == 0;
}

bool db_is_read_only(const struct pg_result *r)
{
	return is_state(r, "25006");
}

bool db_ends_session(const struct pg_result *r)
{
	return is_state(r, "25006") || is_state(r, "26000") || is_state(r, "57P01") || is_state(r, "57P02") ||
	       is_state(r, "57P03");
}

/* The kind of fault for the SQLSTATEs that begin with these bytes. */
struct meaning {
	const char *state; /* a class (two bytes), or a whole code (five) */
	enum fault_kind kind;
};

/* From appendix A of PostgreSQL's documentation.  The first entry that matches is used, so a code precedes its class.
 *
 * The kind decides whether a call is repeated.  FAULT_BUSY and FAULT_AGAIN are temporary: the same call may succeed.
 * FAULT_INPUT is permanent: a value can never be stored, so a batch is divided to find it.  Any other code, such as
 * that of a missing table or privilege, is FAULT_BUG, which an operator must correct. */
static const struct meaning MEANINGS[] = {
	{"40", FAULT_AGAIN},   /* deadlock, serialization failure */
	{"08", FAULT_BUSY},    /* connection exception */
	{"25006", FAULT_BUSY}, /* read only: the server is a standby now */
	{"26000", FAULT_BUSY}, /* a prepared statement is not there: a new session has it */
	{"53", FAULT_BUSY},    /* insufficient resources: disk full, too many connections, out of memory */
	{"55P03", FAULT_BUSY}, /* lock not available */
	{"57", FAULT_BUSY},    /* canceled, shutting down, starting up */
	{"58", FAULT_BUSY},    /* an I/O error of the server */
	{"22", FAULT_INPUT},   /* data exception: a value that the type cannot hold */
	{"23", FAULT_INPUT},   /* a value that violates a constraint */
	{"54", FAULT_INPUT},   /* a value beyond a limit of the server, such as the size of an index row */
};

/* The message becomes one line, since a fault is one clause of a log line. */
bool db_fault(struct fault *f, const char *sqlstate, const char *message)
{
	char line[FAULT_TEXT_MAX];
	size_t n = 0;
	for (; message && message[n] && n + 1 < sizeof line; n++)
		line[n] = (char)(message[n] == '\n' || message[n] == '\t' ? ' ' : message[n]);
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	if (!sqlstate)
		return fault_set(f, FAULT_BUSY, "the database's connection broke: %s", line);
	const char *hint = strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0 ? ": " DB_POOLER : "";
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++) {
		if (strncmp(sqlstate, MEANINGS[i].state, strlen(MEANINGS[i].state)) == 0)
			return fault_set(f, MEANINGS[i].kind, "the database reports %s: %s%s", sqlstate, line, hint);
	}
	return fault_set(f, FAULT_BUG, "the database reports %s: %s%s", sqlstate, line, hint);
}
