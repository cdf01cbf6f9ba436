#pragma once

#include <stdbool.h>

#include <json-c/json.h>

#include "support/client.h"

/* What every answer of payhook must be.  All of these fail the test when it is not. */

/* RFC 9457: the media type, and type, title, status, detail and instance, which is the X-Request-Id header. */
void expect_problem(const struct answer *a, int status, const char *what);

/* The same, and frees the answer. */
void expect_problem_once(struct answer *a, int status, const char *what);

/* Retry-After with whole seconds. */
void expect_retry_after(const struct answer *a, const char *what);

/* A member of an object as text; fails when it is not there. */
const char *expect_text(json_object *object, const char *name);

/* RFC 3339 in UTC, ending in Z; fractions of a second are allowed when they are welcome.  Returns seconds since 1970. */
double expect_date(const char *text, bool with_fraction);

/* Posts a webhook and expects 202. */
void expect_accepted(const char *body);

/* Posts a webhook until it is accepted.  Before that it may be told to come again (503), and nothing else. */
void expect_accepted_within(const char *body, int timeout_ms);

/* Of a load that has ended: posts again what was told to come again, and expects that all are accepted in the end. */
struct load;
void expect_all_accepted(struct load *l, int timeout_ms);

/* Waits until posts are accepted again, by every responder. */
void expect_recovery(int timeout_ms);

/* Waits until every responder says that it is healthy.  Unlike expect_recovery(), it makes no transaction. */
void expect_health(int timeout_ms);

/* Waits until so many responders count.  They do once they have read their files: until then, none may be changed under
 * them.  authorization: the header with which they show it, or NULL. */
void expect_responders(int count, const char *authorization);
