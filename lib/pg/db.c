/* db.c - parameters and rows in PostgreSQL's forms, and what its refusals mean. */

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

#define ARRAY_KEEP (256 * 1024) /* bytes of memory that stay for the next array; a batch of usual size has 30 KiB */

/* Where the number of elements stands, to be known only at the end. */
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
	p->value[p->count] = value;
	p->length[p->count] = length;
	p->format[p->count] = format;
	p->count++;
}

void db_params_add_text(struct db_params *p, const char *text)
{
	params_add(p, text, 0, 0);
}

void db_params_add_int8(struct db_params *p, int64_t value)
{
	char *text = p->number[p->count];
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

struct meaning {
	const char *state; /* the first bytes of a SQLSTATE: a class, or a whole code that differs from its class */
	enum fault_kind kind;
};

/* From PostgreSQL's appendix A.  A code stands before its class. */
static const struct meaning MEANINGS[] = {
	{"40", FAULT_AGAIN},   /* deadlock, serialisation failure */
	{"08", FAULT_BUSY},    /* connection exception */
	{"25006", FAULT_BUSY}, /* read only: the server is a standby now */
	{"53", FAULT_BUSY},    /* disk full, too many connections, out of memory */
	{"55P03", FAULT_BUSY}, /* lock not available */
	{"57", FAULT_BUSY},    /* cancelled, shutting down, starting up */
	{"58", FAULT_BUSY},    /* the server's own input and output */
	{"22", FAULT_INPUT},   /* a value it cannot hold */
	{"23", FAULT_INPUT},   /* a value that a constraint refuses */
	{"54", FAULT_INPUT},   /* a value over a limit of the server, such as an index row's size */
};

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
	for (size_t i = 0; i < COUNT_OF(MEANINGS); i++) {
		if (strncmp(sqlstate, MEANINGS[i].state, strlen(MEANINGS[i].state)) == 0)
			return fault_set(f, MEANINGS[i].kind, "the database says %s: %s", sqlstate, line);
	}
	return fault_set(f, FAULT_BUG, "the database says %s: %s", sqlstate, line);
}
