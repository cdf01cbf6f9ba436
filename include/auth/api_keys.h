#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/digest.h"
#include "base/base.h"

/* The keys of those who may read: what an operator's file keeps of them, and what a request's Authorization is worth.
 *
 * Of a key only its SHA-256 is known here.  That is enough for a key of 256 random bits ("payhook key" makes them), and
 * whoever reads the file has no key. */

#define API_KEYS_MAX 64     /* in one file */
#define API_KEY_NAME_MAX 64 /* bytes */
#define API_KEY_MAX 512     /* bytes of a key; ours have 51 */

/* What a key is for.  A key may have several, and has those that are listed, no others. */
enum api_scope { API_READ = 1, API_OPERATE = 2 };
#define API_SCOPES_MAX 2

const char *api_scope_name(enum api_scope scope);

/* 1 to API_KEY_NAME_MAX lower case letters, digits and hyphens. */
bool api_key_name_valid(const char *name);

struct api_key {
	char name[API_KEY_NAME_MAX + 1];
	unsigned char sha256[DIGEST_SHA256_LEN];
	unsigned scopes;     /* enum api_scope, or-ed */
	int64_t not_after_s; /* Unix time; INT64_MAX: for ever */
};

struct api_keys {
	int count;
	struct api_key list[API_KEYS_MAX];
};

enum access_decision {
	API_GRANTED,
	API_NO_KEY,    /* no Authorization at all */
	API_NO_BEARER, /* one that is not "Bearer" and a key */
	API_UNKNOWN,   /* a key of nobody */
	API_EXPIRED,   /* somebody's, who has had it too long */
	API_NO_SCOPE,  /* somebody's, who may do other things */
	API_FAILED,    /* libcrypto could not say, for want of memory */
};

/* Finds the key in "Bearer KEY" (RFC 6750; the word in any case, RFC 9110 11.1), for requests that want this scope.
 * *ret is the key when there is one, whatever the verdict, else NULL.  Takes the same time wherever in the list the key
 * stands, and whether it stands there. */
MUST_USE enum access_decision api_keys_judge(const struct api_keys *keys, const char *authorization,
	enum api_scope wanted, int64_t now_s, const struct api_key **ret);

/* The verdict in words, for logs. */
const char *access_decision_text(enum access_decision decision);

/* The key in an Authorization's value; its length, 0: there is none. */
size_t api_keys_bearer(const char *authorization, const char **ret);
