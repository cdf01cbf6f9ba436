#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Stands between a program and PostgreSQL, and loses or holds what they say.
 *
 * It passes everything on, but watches for a prepared statement by name.  What is held stays so until either side hangs
 * up: a test then knows where the program stands, and kills it there. */

struct cutter {
	char folder[96]; /* its socket lies here: "host=<folder>" with the server's own port */
	pid_t pid;
	int told;  /* gets one byte for each deed */
	int deeds; /* read from there so far */
};

/* For the server of this conninfo.  Closes both sides when the server has finished a statement whose name begins with
 * the given one, with at least one row, and so has committed it: the program cannot know what became of it.  So many
 * times. */
void cutter_start(struct cutter *c, const char *conninfo, const char *statement, int cuts);

/* Never passes on such a statement, nor what follows it on its connection. */
void cutter_hold_question(struct cutter *c, const char *conninfo, const char *statement);

/* Lets the server finish such a statement, with at least one row, and never passes on the answer. */
void cutter_hold_answer(struct cutter *c, const char *conninfo, const char *statement);

/* Passes on no notification. */
void cutter_deafen(struct cutter *c, const char *conninfo);

/* How many times it has cut, held or left out something so far. */
int cutter_deeds(struct cutter *c);

/* The same as soon as there is one.  Fails the test when there is none by the deadline. */
void cutter_wait(struct cutter *c, int timeout_ms);

/* The conninfo of the way through it. */
const char *cutter_conninfo(const struct cutter *c, char ret[256]);

void cutter_stop(struct cutter *c);
