#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* A proxy between a program and PostgreSQL that drops or holds messages.
 *
 * It passes on everything but watches for a prepared statement by name.  A message that is held stays held until either
 * side closes the connection.  So a test knows at which point the program is, and can kill it there. */

struct pg_proxy {
	char folder[96]; /* contains the proxy's socket: "host=<folder>" with the server's own port */
	pid_t pid;
	int reported; /* the read end of a pipe that gets one byte for each intervention */
	int deeds;    /* interventions read from the pipe so far */
};

/* Starts a proxy before the server of this conninfo.  When the server has finished, and so committed, a statement whose
 * name begins with the given text and that returned at least one row, the proxy closes both sides: the program cannot
 * know the outcome.  It does so the given number of times. */
void pg_proxy_start(struct pg_proxy *p, const char *conninfo, const char *statement, int cuts);

/* Never passes on such a statement, nor what follows it on its connection. */
void pg_proxy_hold_question(struct pg_proxy *p, const char *conninfo, const char *statement);

/* Lets the server finish such a statement with at least one row, but never passes on the answer. */
void pg_proxy_hold_answer(struct pg_proxy *p, const char *conninfo, const char *statement);

/* Passes on everything but notifications. */
void pg_proxy_deafen(struct pg_proxy *p, const char *conninfo);

/* The number of times that the proxy has cut, held or dropped something so far. */
int pg_proxy_deeds(struct pg_proxy *p);

/* Waits until that number is at least one; fails the test at the deadline. */
void pg_proxy_wait(struct pg_proxy *p, int timeout_ms);

/* The conninfo with which a program connects through the proxy. */
const char *pg_proxy_conninfo(const struct pg_proxy *p, char ret[256]);

void pg_proxy_stop(struct pg_proxy *p);
