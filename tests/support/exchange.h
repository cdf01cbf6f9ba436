#pragma once

#include <stddef.h>

/* Records what the tests sent and what was answered, for the comparison of tests/openapi/ with openapi.yaml: one JSON
 * object a line, in one file per process, in the directory that PAYHOOK_EXCHANGES names.  Without PAYHOOK_EXCHANGES
 * nothing is recorded. */

struct answer;

struct exchange {
	const char *method; /* NULL: the request was not one well-formed HTTP request; target is then NULL as well */
	const char *target;
	const char *body; /* the body that was sent; NULL: none */
	size_t len;
};

/* Records one request and its answer, unless no answer arrived. */
void exchange_note(const struct exchange *e, const struct answer *a);
