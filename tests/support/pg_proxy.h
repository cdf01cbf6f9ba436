#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Stands between a program and PostgreSQL, and loses or holds what they say.
 *
 * It passes everything on, but watches for a prepared statement by name.  What is held stays so until either side hangs
 * up: a test then knows where the program stands, and kills it there. */

struct pg_proxy {
	char folder[96]; /* its socket lies here: "host=<folder>" with the server's own port */
	pid_t pid;
	int reported; /* gets one byte for each deed */
	int deeds;    /* read from there so far */
};

/* For the server of this conninfo.  Closes both sides when the server has finished a statement whose name begins with
 * the given one, with at least one row, and so has committed it: the program cannot know what became of it.  So many
 * times. */
void pg_proxy_start(struct pg_proxy *c, const char *conninfo, const char *statement, int cuts);

/* Never passes on such a statement, nor what follows it on its connection. */
void pg_proxy_hold_question(struct pg_proxy *c, const char *conninfo, const char *statement);

/* Lets the server finish such a statement, with at least one row, and never passes on the answer. */
void pg_proxy_hold_answer(struct pg_proxy *c, const char *conninfo, const char *statement);

/* Passes on no notification. */
void pg_proxy_deafen(struct pg_proxy *c, const char *conninfo);

/* How many times it has cut, held or left out something so far. */
int pg_proxy_deeds(struct pg_proxy *c);

/* The same as soon as there is one.  Fails the test when there is none by the deadline. */
void pg_proxy_wait(struct pg_proxy *c, int timeout_ms);

/* The conninfo of the way through it. */
const char *pg_proxy_conninfo(const struct pg_proxy *c, char ret[256]);

void pg_proxy_stop(struct pg_proxy *c);
