#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "pg/db.h"

/* Whether the session that a new connection has got is of use: on a primary, writable, and its own. */

/* The last statement that runs on each new connection; session_check() reads its result. */
extern const struct statement SESSION;

/* Sends the next step in the preparation of a session.  *step counts the steps that are complete, from 0: each of the
 * statements and SESSION is prepared, the greeting is sent if there is one, SESSION is run.  Moves *step over a step
 * that is left out.  Returns false if libpq does not send it. */
MUST_USE bool session_send(struct pg_conn *conn, const struct statement *const *statements, size_t count,
	const char *greeting, size_t *step);

/* Whether the step under way is the last one; session_check() reads its result. */
bool session_is_complete(size_t step, size_t count);

/* Whether a result is not an error, and comes from a primary.  The fault is that of db_fault(), or FAULT_BUSY: the server
 * has reported that it is a standby. */
MUST_USE bool session_answer_is_good(const struct pg_conn *conn, const struct pg_result *r, struct fault *f);

/* Reads the result of SESSION.  statements are those that the connection has prepared before.  writes: the connection
 * has a statement that the server refused as read-only before.
 *
 * FAULT_BUSY: the server is read-only, which counts only if writes.  FAULT_BUG: a pooler lends the session to others
 * between two transactions and does not keep prepared statements, as PgBouncer before 1.21 in transaction mode.  That
 * is seen if the session has lost statements or has those of others; a pooler with one client only may have given all
 * of them the same session so far. */
MUST_USE bool session_check(const struct pg_result *r, const struct statement *const *statements, size_t count,
	bool writes, struct fault *f);

/* Whether the server has not reported, without being asked, that it is a standby. */
bool session_is_primary(const struct pg_conn *conn);
