#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"

/* API keys: the entries of the operator's file, and the decision on the Authorization header of a request.
 *
 * Only the SHA-256 of a key is known here.  A plain digest is enough, and a slow password hash is not needed, because a
 * key is made of 256 random bits ("payhook key" generates it) and cannot be guessed from its digest.  An attacker who
 * reads the file obtains no key. */

#define API_KEYS_MAX 64     /* keys in one file */
#define API_KEY_NAME_MAX 64 /* bytes of a name */
#define API_KEY_MAX 512     /* bytes of a key; those of "payhook key" have 51 */

/* What a key permits: read is for transactions and the console's answers, operate for /metrics and the console's acts, payload
 * for the bytes of a webhook.  A key has the scopes that are listed for it and no others: operate does not include read. */
enum api_scope { API_READ = 1, API_OPERATE = 2, API_PAYLOAD = 4 };
#define API_SCOPES_MAX 3

extern const enum api_scope API_SCOPES[API_SCOPES_MAX];

/* The name of a scope in the operator's file: "read", "operate" or "payload". */
const char *api_scope_name(enum api_scope scope);

/* The scope of this name; 0: there is none. */
unsigned api_scope_of(const char *name);

/* True if the name consists of 1 to API_KEY_NAME_MAX lower case letters, digits and hyphens. */
bool api_key_name_valid(const char *name);

struct api_key {
	char name[API_KEY_NAME_MAX + 1];
	unsigned char sha256[DIGEST_SHA256_LEN];
	unsigned scopes;     /* enum api_scope, or-ed */
	int64_t not_after_s; /* Unix time of the last second in which the key is valid; INT64_MAX: no end */
};

struct api_keys {
	int count;
	struct api_key list[API_KEYS_MAX];
};

enum access_decision {
	API_GRANTED,
	API_NO_KEY,    /* the request has no Authorization header, or an empty one */
	API_NO_BEARER, /* the header is not "Bearer" and one key */
	API_UNKNOWN,   /* the key is not in the file */
	API_EXPIRED,   /* the key is in the file, and its not_after has passed */
	API_NO_SCOPE,  /* the key is valid and lacks the scope */
	API_FAILED,    /* libcrypto could not calculate the digest, for lack of memory; the key may be valid */
};

/* Decides on a request that needs the scope wanted.  authorization is the value of its Authorization header, "" if
 * there is none: "Bearer KEY" (RFC 6750), with the word Bearer in any case (RFC 9110, 11.1).  now_s is Unix time.
 *
 * *ret is always written: the key if it is in the file, whatever the decision, and NULL otherwise.  It points into
 * keys.  The time of the look-up depends neither on the position of the key in the list nor on whether the key is in
 * the list. */
MUST_USE enum access_decision api_keys_judge(const struct api_keys *keys, const char *authorization,
	enum api_scope wanted, int64_t now_s, const struct api_key **ret);

/* The same for an Authorization header alone: which key it is, whatever its scopes.  Never API_NO_SCOPE. */
MUST_USE enum access_decision api_keys_identify(
	const struct api_keys *keys, const char *authorization, int64_t now_s, const struct api_key **ret);

/* The decision as a clause for logs. */
const char *access_decision_text(enum access_decision decision);

/* Finds the key in the value of an Authorization header.  Returns its length and sets *ret to its first byte, inside
 * authorization.  Returns 0, and leaves *ret alone, if the value is not "Bearer" and one key of 1 to API_KEY_MAX
 * bytes. */
size_t api_keys_bearer(const char *authorization, const char **ret);
