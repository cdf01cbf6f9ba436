/* api_keys.c - decides whether the Authorization header of a request grants a scope.
 *
 * The key of the request is digested once, and its SHA-256 is compared with that of every key of the file.  The file's
 * keys do not change while the process runs, so nothing is locked.  A failure of libcrypto denies access.  The HTTP
 * answer, and the record of an auth failure, are left to the caller. */

#include "auth/api_keys.h"

#include <string.h>
#include <strings.h>

bool api_key_name_valid(const char *name)
{
	static const char LETTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strspn(name, LETTERS);
	return len > 0 && len <= API_KEY_NAME_MAX && name[len] == '\0';
}

const char *api_scope_name(enum api_scope scope)
{
	switch (scope) {
	case API_READ:
		return "read";
	case API_OPERATE:
		return "operate";
	case API_PAYLOAD:
		return "payload";
	}
	return "";
}

const enum api_scope API_SCOPES[API_SCOPES_MAX] = {API_READ, API_OPERATE, API_PAYLOAD};

unsigned api_scope_of(const char *name)
{
	for (int i = 0; i < API_SCOPES_MAX; i++) {
		if (strcmp(name, api_scope_name(API_SCOPES[i])) == 0)
			return API_SCOPES[i];
	}
	return 0;
}

const char *access_decision_text(enum access_decision decision)
{
	switch (decision) {
	case API_GRANTED:
		return "granted";
	case API_NO_KEY:
		return "there is no Authorization";
	case API_NO_BEARER:
		return "the Authorization is not \"Bearer\" and a key";
	case API_UNKNOWN:
		return "the key is not in the file";
	case API_EXPIRED:
		return "the key has expired";
	case API_NO_SCOPE:
		return "the key lacks the scope";
	case API_FAILED:
		return "the key could not be digested";
	}
	return "";
}

/* The length of the token68 at the start of the text (RFC 9110, 11.2): one or more letters, digits and any of "-._~+/",
 * then any number of "=".  0: the text does not start with one. */
static size_t token_length(const char *text)
{
	static const char ALL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/";
	size_t len = strspn(text, ALL);
	return len > 0 ? len + strspn(text + len, "=") : 0;
}

/* One or more spaces follow "Bearer" (RFC 6750, 2.1).  The key must be the last thing in the header, so that a list of
 * credentials is not taken for its first element. */
size_t api_keys_bearer(const char *authorization, const char **ret)
{
	static const char BEARER[] = "bearer ";
	const char *at = authorization;
	if (strncasecmp(at, BEARER, sizeof BEARER - 1) != 0)
		return 0;
	at += sizeof BEARER - 1;
	at += strspn(at, " ");
	size_t len = token_length(at);
	if (len == 0 || len > API_KEY_MAX || at[len] != '\0')
		return 0;
	*ret = at;
	return len;
}

/* The loop does not end at a match: its time must not reveal the position of a key in the file. */
static const struct api_key *api_keys_find(const struct api_keys *keys, const unsigned char sha256[DIGEST_SHA256_LEN])
{
	const struct api_key *found = NULL;
	for (int i = 0; i < keys->count; i++) {
		if (digest_equal(keys->list[i].sha256, sha256, DIGEST_SHA256_LEN))
			found = &keys->list[i];
	}
	return found;
}

enum access_decision api_keys_identify(
	const struct api_keys *keys, const char *authorization, int64_t now_s, const struct api_key **ret)
{
	unsigned char sha256[DIGEST_SHA256_LEN];
	const char *token;
	*ret = NULL;
	if (!*authorization)
		return API_NO_KEY;
	size_t len = api_keys_bearer(authorization, &token);
	if (len == 0)
		return API_NO_BEARER;
	if (!digest_sha256(token, len, sha256))
		return API_FAILED;
	/* The key is returned also when access is denied: the operator sees in the log which key has expired. */
	const struct api_key *key = *ret = api_keys_find(keys, sha256);
	if (!key)
		return API_UNKNOWN;
	if (key->not_after_s < now_s)
		return API_EXPIRED;
	return API_GRANTED;
}

enum access_decision api_keys_judge(const struct api_keys *keys, const char *authorization, enum api_scope wanted,
	int64_t now_s, const struct api_key **ret)
{
	enum access_decision decision = api_keys_identify(keys, authorization, now_s, ret);
	return decision == API_GRANTED && !((*ret)->scopes & wanted) ? API_NO_SCOPE : decision;
}
