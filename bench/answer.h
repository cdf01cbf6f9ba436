#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads as much of an HTTP answer as the bench needs. */

struct answer {
	int status;
	bool closes; /* the connection */
};

/* Returns its length once all of it is there; 0: more has to come; -1: it is no answer with a Content-Length.  The byte
 * behind the last must be a NUL. */
int answer_read(const char *bytes, size_t len, struct answer *ret);
