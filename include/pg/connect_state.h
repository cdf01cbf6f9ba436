#pragma once

#include <sys/queue.h>

/* What the connections of one process share: the connection string, the server in use, the abandoned connections.
 *
 * One server is in use at a time.  When a connection is made to another server than the one in use, all others leave
 * the old one.  After a failover the old primary may come back to life without knowing that it is no longer one: what
 * it answers then is not to be used. */

struct event_base;
struct connection;
struct abandoned;

#define SERVER_NAME_MAX 320 /* bytes with the NUL: a host name has 253 at most, a socket's folder 107 */

/* It must outlive the connections and the last run of the event loop.  Only base and conninfo are set by its owner; all
 * else starts at zero. */
struct connect_state {
	struct event_base *base;
	const char *conninfo;         /* libpq's connection string or URI; borrowed */
	int abandoned;                /* connections that are abandoned now */
	unsigned turns;               /* by how many places the next attempt rotates the lists of hosts */
	char server[SERVER_NAME_MAX]; /* in use, "host:port"; empty: none yet */
	LIST_HEAD(, connection) connections;
	LIST_HEAD(, abandoned) abandoned_list;
};
