/* database.c - creates and drops the database of an integration test, and runs the test's own statements. */

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/fresh_database.h"

#define TEXT_MAX 8192 /* bytes of a test's statement, or of a value that it reads */

static char conninfo[512];
static PGconn *observer;

/* The server's conninfo with the name of this database.  Returns ret. */
static const char *conninfo_for(const char *database, char ret[static sizeof(conninfo)])
{
	const char *cluster = getenv("PAYHOOK_TEST_CLUSTER");
	cr_assert(cluster != NULL, "no PAYHOOK_TEST_CLUSTER: run it through tests/support/with_cluster.sh");
	int len = snprintf(ret, sizeof(conninfo), "%s dbname=%s", cluster, database);
	cr_assert(len > 0 && (size_t)len < sizeof(conninfo), "PAYHOOK_TEST_CLUSTER is too long");
	return ret;
}

static PGconn *connect_to(const char *info)
{
	PGconn *conn = PQconnectdb(info);
	cr_assert(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
	PQsetNoticeProcessor(conn, (PQnoticeProcessor){0}, NULL);
	return conn;
}

/* A database is created and dropped over a connection to another one. */
static void administer(const char *statement, const char *database, const char *rest)
{
	char info[sizeof(conninfo)], sql[256];
	snprintf(sql, sizeof(sql), "%s %s %s", statement, database, rest);
	PGconn *conn = connect_to(conninfo_for("postgres", info));
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);
	cr_assert(status == PGRES_COMMAND_OK, "%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
}

/* Concurrent tests have different process ids.  A test that crashed may have left a database with this name behind. */
static const char *database_name(void)
{
	static char name[32];
	snprintf(name, sizeof(name), "t_%ld", (long)getpid());
	return name;
}

const char *database_create(void)
{
	cr_assert(observer == NULL, "one database for one test");
	administer("DROP DATABASE IF EXISTS", database_name(), "WITH (FORCE)");
	administer("CREATE DATABASE", database_name(), "TEMPLATE template_payhook");
	observer = connect_to(conninfo_for(database_name(), conninfo));
	return conninfo;
}

const char *database_conninfo(void)
{
	return observer != NULL ? conninfo : NULL;
}

void database_drop(void)
{
	if (observer == NULL)
		return;
	PQfinish(observer);
	observer = NULL;
	administer("DROP DATABASE", database_name(), "WITH (FORCE)");
}

void database_init(void)
{
	database_create();
}

PGconn *database_connect(void)
{
	cr_assert(observer != NULL, "no database: database_create() comes first");
	return connect_to(conninfo);
}

/* Runs one statement.  The caller clears the result. */
PRINTF_LIKE(1, 0) static PGresult *run(const char *format, va_list args)
{
	char sql[TEXT_MAX];
	cr_assert(observer != NULL, "no database: database_create() comes first");
	int len = vsnprintf(sql, sizeof(sql), format, args);
	cr_assert(len >= 0 && (size_t)len < sizeof(sql), "a statement longer than %d bytes", TEXT_MAX);
	return PQexec(observer, sql);
}

static bool succeeded(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

void database_exec(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	PGresult *result = run(format, args);
	va_end(args);
	cr_assert(succeeded(result), "%s", PQerrorMessage(observer));
	PQclear(result);
}

/* Copies the value out of the result and clears the result. */
static const char *take_value(PGresult *result)
{
	static char value[TEXT_MAX];
	cr_assert(PQresultStatus(result) == PGRES_TUPLES_OK, "%s", PQerrorMessage(observer));
	cr_assert(PQntuples(result) <= 1 && PQnfields(result) == 1, "a single value was asked for");
	const char *text = "none";
	if (PQntuples(result) == 1)
		text = PQgetisnull(result, 0, 0) ? "null" : PQgetvalue(result, 0, 0);
	int len = snprintf(value, sizeof(value), "%s", text);
	cr_assert(len >= 0 && (size_t)len < sizeof(value), "a value longer than %d bytes", TEXT_MAX);
	PQclear(result);
	return value;
}

const char *database_value(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	PGresult *result = run(format, args);
	va_end(args);
	return take_value(result);
}

long long database_number(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	PGresult *result = run(format, args);
	va_end(args);
	const char *text = take_value(result);
	char *end;
	long long number = strtoll(text, &end, 10);
	cr_assert(end != text && *end == '\0', "not a number: %s", text);
	return number;
}

long long database_scans(const char *table, long long times)
{
	static const char COUNTS[] =
		"SELECT %s FROM pg_stat_user_tables WHERE schemaname = 'payhook' AND relname = '%s'";
	for (int tries = 0; database_number(COUNTS, "seq_scan + idx_scan", table) < times; tries++) {
		cr_assert(tries < 1000, "%s was not looked into %lld times", table, times);
		usleep(10000);
	}
	return database_number(COUNTS, "seq_scan", table);
}

const char *database_error(const char *format, ...)
{
	static char reason[128];
	va_list args;
	va_start(args, format);
	PGresult *result = run(format, args);
	va_end(args);
	const char *why = "accepted";
	if (!succeeded(result)) {
		why = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
		if (why == NULL)
			why = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	}
	snprintf(reason, sizeof(reason), "%s", why != NULL ? why : PQerrorMessage(observer));
	PQclear(result);
	return reason;
}
