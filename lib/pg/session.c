/* session.c - what can be wrong with a session though it answers.
 *
 * All of this would otherwise show at a statement, when a webhook waits for it, or never: a standby answers a SELECT. */

#include "pg/session.h"

#include <libpq-fe.h>
#include <string.h>

/* Prepared like any other, so that a pooler which keeps prepared statements has at least this one in the session that
 * runs it. */
const struct statement SESSION = {"session", "SELECT current_setting('transaction_read_only'), p.name"
					     "  FROM (SELECT) AS one LEFT JOIN pg_prepared_statements p ON true"};

bool session_send(
	PGconn *conn, const struct statement *const *statements, size_t count, const char *greeting, size_t *step)
{
	if (*step <= count) {
		const struct statement *s = *step < count ? statements[*step] : &SESSION;
		return PQsendPrepare(conn, s->name, s->sql, 0, NULL) != 0;
	}
	if (*step == count + 1 && greeting)
		return PQsendQuery(conn, greeting) != 0;
	*step = count + 2;
	return PQsendQueryPrepared(conn, SESSION.name, 0, NULL, NULL, NULL, 0) != 0;
}

bool session_is_complete(size_t step, size_t count)
{
	return step == count + 2;
}

static bool has_statement(const char *name, const struct statement *const *statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(name, statements[i]->name) == 0)
			return true;
	}
	return false;
}

/* A pooler that keeps prepared statements gives them names of its own, which it numbers: PGBOUNCER_7. */
static bool is_numbered(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && name[len - 1] >= '0' && name[len - 1] <= '9';
}

/* In a session of its own a connection finds its own statements and no others; behind a pooler that keeps them it finds
 * numbered ones. */
static bool is_own(const PGresult *r, const struct statement *const *statements, size_t count)
{
	size_t own = 0, numbered = 0, strange = 0;
	for (int row = 0; row < PQntuples(r); row++) {
		const char *name = PQgetvalue(r, row, 1);
		if (has_statement(name, statements, count) || strcmp(name, SESSION.name) == 0)
			own++;
		else if (is_numbered(name))
			numbered++;
		else
			strange++;
	}
	return strange == 0 && (own == count + 1 || (own == 0 && numbered > 0));
}

bool session_check(
	const PGresult *r, const struct statement *const *statements, size_t count, bool writes, struct fault *f)
{
	if (PQntuples(r) == 0 || PQnfields(r) != 2)
		return fault_set(f, FAULT_BUG, "the database does not describe the session");
	if (!is_own(r, statements, count))
		return fault_set(f, FAULT_BUG, "prepared statements are lost or mixed up: " DB_POOLER);
	return !writes || strcmp(PQgetvalue(r, 0, 0), "on") != 0 ||
	       fault_set(f, FAULT_BUSY, "the database is read-only");
}

/* Servers before version 14 and some poolers do not report it. */
bool session_is_primary(const PGconn *conn)
{
	const char *is_standby = PQparameterStatus(conn, "in_hot_standby");
	return !is_standby || strcmp(is_standby, "on") != 0;
}

bool session_answer_is_good(const PGconn *conn, const PGresult *r, struct fault *f)
{
	ExecStatusType status = PQresultStatus(r);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		return db_fault(f, PQresultErrorField(r, PG_DIAG_SQLSTATE), PQresultErrorMessage(r));
	return session_is_primary(conn) || fault_set(f, FAULT_BUSY, "the database is a standby");
}
