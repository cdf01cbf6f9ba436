#pragma once

#include "pg/connect_state.h"

/* Connections that were left while a statement was under way.
 *
 * Closing one would not end its statement: a server that has stalled, or waits for a standby, does not notice it.  So
 * the connection is kept aside until the server answers or closes it, and meanwhile counts against its server.  A server
 * with ABANDONED_MAX of them gets no further connection from the process.  Other servers do.
 *
 * Each has a deadline of its own, after which it is closed and no longer counts: a proxy may keep it open for ever,
 * although the server behind is another one.  If the statements of one connection go unanswered again and again, each
 * gets four times as long as the one before, so that a server that stays stalled for hours gets few of them. */

struct pg_conn;

#define ABANDONED_MAX 2            /* for one server: above it, no connection is made to it */
#define ABANDONED_LEAST_MS 15000   /* until the first of several is closed */
#define ABANDONED_MOST_MS 14400000 /* until any of them is closed: four hours */

/* Abandons a connection to this server and takes it over.  unanswered: how many statements in a row had no answer,
 * with this one; 0 if it was not awaited to its limit.  If there is no memory, it is closed at once. */
void abandoned_add(struct connect_state *s, struct pg_conn *conn, const char *server, int unanswered);

/* The number of abandoned connections to a server. */
int abandoned_count(const struct connect_state *s, const char *server);

/* Closes all of them. */
void abandoned_finish(struct connect_state *s);
