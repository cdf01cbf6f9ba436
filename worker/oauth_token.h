#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"

/* The answer of a token server to the grant of client credentials (RFC 6749, 4.4.3 and 5.1).  Pure functions. */

#define OAUTH_TOKEN_MAX 8192   /* bytes of a token: one of JWT with its claims has some 2,000 */
#define OAUTH_ANSWER_MAX 65536 /* bytes of the body of an answer */
#define OAUTH_LIFE_S 300       /* of a token without a life in its answer */
#define OAUTH_LIFE_MAX_S 86400 /* a longer one is renewed once a day */

struct oauth_token {
	char text[OAUTH_TOKEN_MAX + 1]; /* a secret; empty: there is none */
	int life_s;                     /* from its issue */
};

/* Reads the body of an answer with status 200.  FAULT_INPUT, without a quotation: it is no JSON object, has no access_token
 * of visible ASCII, or a token_type other than Bearer. */
MUST_USE bool oauth_token_read(const char *body, size_t len, struct oauth_token *ret, struct fault *f);
