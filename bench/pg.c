/* pg.c - statements of the bench, which wait for their result.
 *
 * They are sent asynchronously, so a signal can cancel a statement that takes minutes, such as storing ten million
 * rows. */

#include "pg.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stop.h"

static bool pg_fault(const char *text, struct fault *f)
{
	return fault_set(f, FAULT_BUSY, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

bool pg_open(const char *conninfo, const char *options, PGconn **ret, struct fault *f)
{
	const char *keys[] = {"dbname", "options", "application_name", NULL};
	const char *values[] = {conninfo, options ? options : "", "payhook-bench", NULL};
	PGconn *c = PQconnectdbParams(keys, values, 1);
	if (PQstatus(c) == CONNECTION_OK) {
		*ret = c;
		return true;
	}
	pg_fault(PQerrorMessage(c), f);
	PQfinish(c);
	return false;
}

static void cancel(PGconn *c)
{
	char error[256];
	PGcancel *request = PQgetCancel(c);
	if (request)
		PQcancel(request, error, sizeof error);
	PQfreeCancel(request);
}

/* Waits for a result.  After a cancellation it goes on waiting: the server answers with an error. */
static void await(PGconn *c)
{
	bool cancelled = false;
	while (PQisBusy(c)) {
		struct pollfd p = {.fd = PQsocket(c), .events = POLLIN};
		poll(&p, 1, 200);
		if (p.revents && !PQconsumeInput(c))
			return;
		if (stop_asked() && !cancelled) {
			cancel(c);
			cancelled = true;
		}
	}
}

/* Returns the result of the last statement, or of the one that failed: PostgreSQL executes none after it. */
static PGresult *collect(PGconn *c)
{
	PGresult *last = NULL;
	for (;;) {
		await(c);
		PGresult *r = PQgetResult(c);
		if (!r)
			return last;
		PQclear(last);
		last = r;
	}
}

bool pg_ask(PGconn *c, const char *sql, const char *parameter, PGresult **ret, struct fault *f)
{
	int sent = parameter ? PQsendQueryParams(c, sql, 1, NULL, &parameter, NULL, NULL, 0) : PQsendQuery(c, sql);
	PGresult *r = sent ? collect(c) : NULL;
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		*ret = r;
		return true;
	}
	PQclear(r);
	return pg_fault(PQerrorMessage(c), f);
}

bool pg_run(PGconn *c, const char *sql, struct fault *f)
{
	PGresult *r;
	if (!pg_ask(c, sql, NULL, &r, f))
		return false;
	PQclear(r);
	return true;
}

bool pg_run_for(PGconn *c, const char *sql, long number, struct fault *f)
{
	char text[24];
	PGresult *r;
	snprintf(text, sizeof text, "%ld", number);
	if (!pg_ask(c, sql, text, &r, f))
		return false;
	PQclear(r);
	return true;
}

static bool one(PGconn *c, const char *sql, const char *parameter, char *ret, size_t size, struct fault *f)
{
	PGresult *r;
	if (!pg_ask(c, sql, parameter, &r, f))
		return false;
	bool is_one = PQntuples(r) == 1;
	if (is_one)
		snprintf(ret, size, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	return is_one || fault_set(f, FAULT_BUG, "no row from: %.100s", sql);
}

bool pg_text(PGconn *c, const char *sql, char *ret, size_t size, struct fault *f)
{
	return one(c, sql, NULL, ret, size, f);
}

bool pg_number_for(PGconn *c, const char *sql, const char *parameter, double *ret, struct fault *f)
{
	char text[64];
	if (!one(c, sql, parameter, text, sizeof text, f))
		return false;
	*ret = strtod(text, NULL);
	return true;
}

bool pg_number(PGconn *c, const char *sql, double *ret, struct fault *f)
{
	return pg_number_for(c, sql, NULL, ret, f);
}
