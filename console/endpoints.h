#pragma once

#include <stdbool.h>

#include "auth/api_keys.h"
#include "base/base.h"
#include "http/path.h"
#include "pg/db.h"

/* The console's API as a table: one row for each route, with the scope that it needs, its statement, and the parameters of that
 * statement in order.  docs/console-api.md lists the same. */

#define ENDPOINT_SEGMENTS_MAX 5    /* below /console/api/v1/ */
#define ENDPOINT_PARAMETERS_MAX 14 /* of those that clients give */
#define ENDPOINT_PREFIX 3          /* segments of /console/api/v1 */

struct endpoint {
	const char *method; /* GET answers HEAD too */
	const char
		*segments[ENDPOINT_SEGMENTS_MAX + 1]; /* below the prefix, ends with NULL; "{id}" is the parameter id */
	enum api_scope scope;
	const char *action; /* its name in operator_actions; NULL: it only reads, and nothing of it is on record */
	struct statement statement;
	/* Names, ends with NULL.  After them, an endpoint with an action has the actor and the request id. */
	const char *parameters[ENDPOINT_PARAMETERS_MAX + 1];
	bool is_file; /* the statement's third column has the answer's bytes, in hexadecimal digits */
};

/* Puts an act that was refused on record: action, source, id, reason, actor, request id, detail. */
extern const struct statement ENDPOINT_REFUSED;

/* All rows; *count of them. */
const struct endpoint *endpoints_all(size_t *count);

/* All statements of the program, ENDPOINT_REFUSED and SIGN_IN_FAILURES_RECORD too, for a connection's plan; *count of them. */
const struct statement *const *endpoints_statements(size_t *count);

/* The endpoint of this method and path.  NULL: none; *allow has the methods of the path then, for the header Allow, or NULL if
 * nothing is at this path. */
const struct endpoint *endpoint_find(const char *method, const struct path *path, const char **allow);

/* The place of a parameter by its name, in the endpoint's list; -1: it has none. */
int endpoint_parameter(const struct endpoint *e, const char *name, size_t len);

/* The text of the parameter in this segment of the endpoint's path, without its braces; its length is *len.  NULL: the segment is
 * a fixed word. */
const char *endpoint_segment_name(const struct endpoint *e, int segment, size_t *len);
