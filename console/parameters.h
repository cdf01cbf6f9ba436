#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"
#include "endpoints.h"
#include "http/path.h"

/* The parameters of a request to the console, as texts: those of the path, and of a GET the query's, of a POST the members of the
 * body.  Only their forms are checked here; what a value means is for the statement to check. */

#define PARAMETERS_TEXT_MAX 3584 /* bytes of the values in a query, with a NUL for each */

struct parameters {
	const char *value[ENDPOINT_PARAMETERS_MAX]; /* in the endpoint's order; NULL: absent */
	char text[PARAMETERS_TEXT_MAX];             /* of the query; must not be copied, as the values point into it */
};

/* Reads them.  The values point into *ret, *path and *body, and are valid as long as these are; the text in *body is changed.
 *
 * A name that the endpoint does not have is an error, so that a misspelt filter does not show everything.  FAULT_MALFORMED: an
 * encoding or the JSON is broken, a parameter is there twice.  FAULT_INPUT: a name is unknown, a value is not UTF-8, has a NUL or the
 * wrong type, or it is both in the path and elsewhere.  FAULT_TOO_LARGE: the query is too long.  *ret is undefined then. */
MUST_USE bool parameters_read(const struct endpoint *e, const char *target, const struct path *path, struct buf *body,
	struct parameters *ret, struct fault *f);
