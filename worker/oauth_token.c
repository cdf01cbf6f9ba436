/* oauth_token.c - reads the answer of a token server.
 *
 * The answer comes from outside, and its token becomes a header line: it may have visible ASCII only (RFC 6750, 2.1), so it
 * cannot end its line.  Nothing of the answer is quoted, since any member may hold the token. */

#include "oauth_token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json/scan.h"
#include "json/value.h"

#define TYPE_MAX 32

static bool oauth_read_text(struct json_value answer, struct oauth_token *ret, struct fault *f)
{
	struct json_value v;
	size_t len;
	if (!json_value_find(answer, "/access_token", &v) || json_value_kind(v) != JSON_IS_STRING)
		return fault_set(f, FAULT_INPUT, "the answer has no access_token");
	if (!json_value_text(v, ret->text, sizeof ret->text, &len))
		return fault_set(f, FAULT_INPUT, "the access_token is longer than %d bytes", OAUTH_TOKEN_MAX);
	for (size_t i = 0; i < len; i++) {
		if (ret->text[i] <= ' ' || ret->text[i] > '~')
			return fault_set(f, FAULT_INPUT, "the access_token has other characters than visible ASCII");
	}
	return len > 0 || fault_set(f, FAULT_INPUT, "the access_token is empty");
}

static bool is_bearer(struct json_value answer)
{
	struct json_value v;
	char type[TYPE_MAX];
	size_t len;
	if (!json_value_find(answer, "/token_type", &v))
		return true; /* some servers leave it out, though RFC 6749 wants it */
	return json_value_text(v, type, sizeof type, &len) && strcasecmp(type, "Bearer") == 0;
}

/* A number, or a number in a string, as some servers write it.  What is neither counts as absent. */
static int read_life(struct json_value answer)
{
	struct json_value v;
	char digits[TYPE_MAX];
	size_t len;
	if (!json_value_find(answer, "/expires_in", &v))
		return OAUTH_LIFE_S;
	if (!json_value_text(v, digits, sizeof digits, &len)) {
		if (json_value_kind(v) != JSON_IS_NUMBER || v.len >= sizeof digits)
			return OAUTH_LIFE_S;
		memcpy(digits, v.at, v.len);
		digits[v.len] = '\0';
	}
	long long life = strtoll(digits, NULL, 10);
	if (life <= 0)
		return OAUTH_LIFE_S;
	return life > OAUTH_LIFE_MAX_S ? OAUTH_LIFE_MAX_S : (int)life;
}

bool oauth_token_read(const char *body, size_t len, struct oauth_token *ret, struct fault *f)
{
	struct fault why;
	struct oauth_token token = {.life_s = OAUTH_LIFE_S};
	if (!json_scan(body, len, &why))
		return fault_set(f, FAULT_INPUT, "the answer is no JSON object");
	struct json_value answer = json_value_of(body, len);
	bool good = oauth_read_text(answer, &token, f);
	if (good && !is_bearer(answer))
		good = fault_set(f, FAULT_INPUT, "the token_type is not Bearer");
	if (good) {
		token.life_s = read_life(answer);
		*ret = token;
	}
	explicit_bzero(&token, sizeof token);
	return good;
}
