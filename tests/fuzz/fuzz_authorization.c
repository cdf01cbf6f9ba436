/* fuzz_authorization.c - the input as an Authorization header: only "Bearer" with the one key is granted access. */

#include <string.h>
#include <strings.h>

#include "auth/api_keys.h"
#include "fuzz.h"

#define KEY "phk_key"

static void must_be_bearer(const char *text, const char *token, size_t len)
{
	MUST_HOLD(len <= API_KEY_MAX && token + len == text + strlen(text));
	MUST_HOLD(strncasecmp(text, "bearer ", 7) == 0 && token >= text + 7);
	MUST_HOLD(strspn(text + 7, " ") == (size_t)(token - text - 7));
	MUST_HOLD(!strpbrk(token, " \t,;\"\\:") && *token != '=');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct api_keys keys = {
		.count = 1, .list = {{.name = "k", .scopes = API_READ, .not_after_s = INT64_MAX}}};
	const struct api_key *found;
	const char *token = NULL;
	char *text = malloc(len + 1);
	MUST_HOLD(text && digest_sha256(KEY, strlen(KEY), keys.list[0].sha256));
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	size_t length = api_keys_bearer(text, &token);
	if (length > 0)
		must_be_bearer(text, token, length);
	bool is_ours = length == strlen(KEY) && memcmp(token, KEY, length) == 0;
	enum access_decision decision = api_keys_judge(&keys, text, API_READ, 0, &found);
	MUST_HOLD((decision == API_GRANTED) == is_ours && (found != NULL) == is_ours);
	MUST_HOLD((decision == API_NO_KEY) == (*text == '\0'));
	MUST_HOLD((decision == API_UNKNOWN) == (length > 0 && !is_ours));
	free(text);
	return 0;
}
