#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* PostgreSQL servers of a test's own: a primary, and a standby that follows it by streaming replication.
 *
 * The primary is a copy of the server that with_cluster.sh runs, with its template database.  The servers end with the
 * test's process, also when it crashes.  Any error fails the test.  The standby's name, for synchronous_standby_names,
 * is "standby". */

struct pg_server {
	char folder[96]; /* with its data, its socket and its log; "": none */
	pid_t pid;       /* of its first process; 0: it does not run */
};

/* Copies the server of PAYHOOK_TEST_CLUSTER into a new folder and starts it.  From now on PAYHOOK_TEST_CLUSTER is the
 * copy, so database_create() makes its database there. */
void pg_server_primary(struct pg_server *s);

/* The same on a disk of its own, of this size in memory.  Needs root; it is gone with the process, and in no other
 * process's sight but its children's.  Returns false if the process may not mount. */
bool pg_server_primary_on_disk(struct pg_server *s, int megabytes);

/* Copies a running primary, starts the copy as its standby, and waits until it streams. */
void pg_server_standby(struct pg_server *s, const struct pg_server *primary);

/* Starts a server that was ended, and waits until it accepts connections. */
void pg_server_start(struct pg_server *s);

/* Sends a signal (SIGINT: fast shutdown, SIGQUIT: immediate shutdown) and waits for the end.  Does nothing if it does
 * not run. */
void pg_server_end(struct pg_server *s, int signal);

/* Freezes every process of the server, or lets them go on. */
void pg_server_freeze(const struct pg_server *s);
void pg_server_thaw(const struct pg_server *s);

/* Makes a standby a primary, and waits until it is one. */
void pg_server_promote(const struct pg_server *s);

/* Ends the standby's connection to its primary for as long as it is cut off. */
void pg_server_cut_off(const struct pg_server *standby);
void pg_server_join(const struct pg_server *standby, const struct pg_server *primary);

/* Changes a setting of the running server, and waits until new statements see the value. */
void pg_server_set(const struct pg_server *s, const char *name, const char *value);

/* Writes the conninfo of a database of the server.  Returns ret. */
const char *pg_server_conninfo(const struct pg_server *s, const char *database, char ret[256]);

/* Returns the single value of a query as text, "" for null or no row; valid until the next call. */
const char *pg_server_value(const struct pg_server *s, const char *database, const char *sql);

/* Waits until that value is the given one. */
void pg_server_await(const struct pg_server *s, const char *database, const char *sql, const char *value);

/* Ends the server and removes its folder. */
void pg_server_remove(struct pg_server *s);
