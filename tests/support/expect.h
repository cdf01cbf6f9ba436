#pragma once

#include <stdbool.h>

#include <json-c/json.h>

#include "support/client.h"

/* The rules that hold for every answer of payhook.  Each of these functions fails the test if its rule is broken. */

/* The answer is a problem (RFC 9457) with this status: the media type, and type, title, status, detail and instance,
 * which equals the X-Request-Id header. */
void expect_problem(const struct answer *a, int status, const char *what);

/* The same; frees the answer. */
void expect_problem_once(struct answer *a, int status, const char *what);

/* Retry-After is present, in whole seconds. */
void expect_retry_after(const struct answer *a, const char *what);

/* Returns a member of an object as text; fails if there is none. */
const char *expect_text(json_object *object, const char *name);

/* The text is a time of RFC 3339 in UTC that ends in Z; fractions of a second are allowed only if the argument allows
 * them.  Returns seconds since 1970. */
double expect_date(const char *text, bool with_fraction);

/* Posts a webhook and expects 202. */
void expect_accepted(const char *body);

/* Posts a webhook until it is accepted.  Earlier answers may only be 503. */
void expect_accepted_within(const char *body, int timeout_ms);

/* For a load that has ended: posts again every webhook that was answered 503, and expects that all are accepted by the
 * deadline. */
struct load;
void expect_all_accepted(struct load *l, int timeout_ms);

/* Waits until every responder accepts webhooks again. */
void expect_recovery(int timeout_ms);

/* Waits until every responder reports that it is healthy.  Unlike expect_recovery(), it stores no transaction. */
void expect_health(int timeout_ms);

/* Waits until payhook_responders has reached this number.  A responder is included once it has read its files; until
 * then the files must not be changed.  authorization: the header with which /metrics may be read, or NULL. */
void expect_responders(int count, const char *authorization);
