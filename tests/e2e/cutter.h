#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Stands between a program and PostgreSQL and loses answers.
 *
 * It passes everything on, but watches for a prepared statement by name.  When the server has finished that statement,
 * with at least one row, and so has committed it, the cutter closes both sides instead of passing the answer on: the
 * program cannot know what became of its statement. */

struct cutter {
	char folder[96]; /* its socket lies here: "host=<folder>" with the server's own port */
	pid_t pid;
	int told; /* gets one byte for each cut */
	int cuts; /* read from there so far */
};

/* Listens in folder for the server whose conninfo this is, and cuts the first so many finished runs of statements whose
 * name begins with the given one. */
void cutter_start(struct cutter *c, const char *conninfo, const char *statement, int cuts);

/* How many answers it has lost so far. */
int cutter_cuts(struct cutter *c);

void cutter_stop(struct cutter *c);
