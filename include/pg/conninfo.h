#pragma once

#include "base/base.h"

/* Attempts to connect by libpq's connection string or URI. */

struct pg_conn;

/* Starts an attempt, which goes on by PQconnectPoll().  All arguments are borrowed for the call.  name is the
 * application_name unless the environment or the string sets one; ours are server settings, "-c name=value ...", before
 * which the statement_timeout of answer_ms is set and after which those of the string come, or NULL.  The lists of hosts
 * are rotated by turns (pg/hosts.h).  Returns NULL if there is no memory; the caller closes the connection with
 * PQfinish().  A string that is not valid yields a connection of status CONNECTION_BAD with libpq's message. */
MUST_USE struct pg_conn *conninfo_connect(
	const char *conninfo, const char *name, const char *ours, int answer_ms, unsigned turns);

/* The place, counted from 0, of the host that the attempt is at or has connected to, in the rotated lists; 0 if that
 * cannot be known. */
unsigned conninfo_place(struct pg_conn *conn);
