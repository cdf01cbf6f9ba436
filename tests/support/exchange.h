#pragma once

#include <stddef.h>

/* What the tests sent and were answered, written down for tests/openapi/ to hold against openapi.yaml: one JSON object a
 * line, in a file for each process, in the folder that PAYHOOK_EXCHANGES names.  Without it nothing is written. */

struct answer;

struct exchange {
	const char *method; /* NULL: what was sent is no HTTP request that we made, so neither is target */
	const char *target;
	const char *body; /* that was sent; NULL: none */
	size_t len;
};

/* Not an answer that never came. */
void exchange_note(const struct exchange *e, const struct answer *a);
