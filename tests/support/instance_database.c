/* instance_database.c - the tests' own queries to the PostgreSQL of the instance. */

#include "support/instance_database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <libpq-fe.h>

#include "support/calm.h"
#include "support/instance.h"

static PGconn *connection(void)
{
	static PGconn *c;

	if (c != NULL && PQstatus(c) == CONNECTION_OK)
		return c;
	PQfinish(c);
	c = PQconnectdb(instance()->database);
	cr_assert_eq(PQstatus(c), CONNECTION_OK, "%s", PQerrorMessage(c));
	return c;
}

static PGresult *ask(const char *sql, const char *parameter)
{
	PGresult *r = NULL;

	/* Tries a second time if the connection turns out to have been closed since the last query. */
	for (int n = 0; n < 2; n++) {
		PGconn *c = connection();
		PQclear(r);
		r = PQexecParams(c, sql, parameter == NULL ? 0 : 1, NULL, &parameter, NULL, NULL, 0);
		if (PQstatus(c) == CONNECTION_OK)
			break;
	}
	ExecStatusType status = PQresultStatus(r);
	cr_assert(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql, PQresultErrorMessage(r));
	return r;
}

const char *database_text_of(const char *sql, const char *parameter)
{
	static char text[64 * 1024];
	PGresult *r = ask(sql, parameter);

	snprintf(text, sizeof(text), "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	return text;
}

const char *database_as_superuser(const char *sql)
{
	static char text[4096];
	char conninfo[320];

	snprintf(conninfo, sizeof(conninfo), "%s user=postgres", instance()->database);
	PGconn *c = PQconnectdb(conninfo);
	PGresult *r = PQexec(c, sql);
	ExecStatusType status = PQresultStatus(r);
	cr_assert(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(c));
	snprintf(text, sizeof(text), "%s", PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	PQfinish(c);
	return text;
}

long long database_number_of(const char *sql, const char *parameter)
{
	return strtoll(database_text_of(sql, parameter), NULL, 10);
}

long long database_number(const char *sql)
{
	return database_number_of(sql, NULL);
}

void database_each(const char *sql, const char *parameter, void (*visit)(const char *value, void *arg), void *arg)
{
	PGresult *r = ask(sql, parameter);

	for (int row = 0; row < PQntuples(r); row++)
		visit(PQgetvalue(r, row, 0), arg);
	PQclear(r);
}

long long database_wait(const char *sql, const char *parameter, long long least, int timeout_ms)
{
	long long deadline = calm_ms() + timeout_ms;
	long long seen = database_number_of(sql, parameter);

	while (seen < least && calm_ms() < deadline) {
		pause_a_little();
		seen = database_number_of(sql, parameter);
	}
	return seen;
}
