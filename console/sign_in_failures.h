#pragma once

#include "base/base.h"
#include "pg/db.h"

/* Records failed sign-ins for the operators: as auth failures of the cause sign_in, which the view auth_failures shows.
 *
 * Anyone who reaches the console can cause them, so recording one delays no answer and takes little of the two connections: a
 * failure is copied into a buffer, and all that wait go in one statement, at most once a second.  Those that the buffer has no
 * room for, or that the database does not take, are in the log only. */

#define SIGN_IN_FAILURES_MAX 20       /* that wait, and so for all addresses in a second */
#define SIGN_IN_FAILURES_REST_MS 1000 /* from one statement to the next */

struct calls;
struct event_base;
struct request;
struct sign_in_failures;

/* The statement, for the plan of the connections. */
extern const struct statement SIGN_IN_FAILURES_RECORD;

/* base and calls must outlive it.  NULL: out of memory. */
MUST_USE struct sign_in_failures *sign_in_failures_create(struct event_base *base, struct calls *calls);

/* Not before the event loop has ended.  What waits is not recorded.  NULL is allowed. */
void sign_in_failures_destroy(struct sign_in_failures *s);

/* Copies a failure: the name of the key, "" if none is known, and the reason.  Each text is cut at its bound, and a byte that is not
 * part of a printable character of UTF-8 becomes a question mark.  Never waits and never fails.  s NULL: it is not recorded. */
void sign_in_failures_add(struct sign_in_failures *s, const struct request *rq, const char *key, const char *why);
