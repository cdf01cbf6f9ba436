#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "console.h"

/* Which operator makes a request, and what that operator may do.
 *
 * An operator signs in by an API key, or is signed in by a proxy that REAL_IP_FROM names and that puts the user's name into the
 * header CONSOLE_USER_HEADER.  Without API_KEYS_FILE, a client on this host may read, and nobody may act. */

#define OPERATOR_NAME_MAX 255 /* bytes; that of a key has 64 at most */

struct operator
{
	char name[OPERATOR_NAME_MAX + 1]; /* of the key or the user; "" for a client on this host without either */
	unsigned scopes;                  /* enum api_scope, or-ed */
};

/* Finds the operator at this time, in Unix seconds.  False: the request has been answered 401, 403, 429 or 503, and the failure is
 * logged and counted. */
MUST_USE bool sign_in(struct request *rq, int64_t now_s, struct operator* ret);

/* Whether one more failure of the request's address may be put on record; otherwise the request has been answered 429. */
MUST_USE bool sign_in_may_fail(struct request *rq);
