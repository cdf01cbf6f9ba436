/* fuzz_oauth_token.c - the input as the answer of a token server: a token is visible ASCII, and its life is bounded. */

#include <string.h>

#include "fuzz.h"
#include "oauth_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct oauth_token t;
	struct fault f;
	if (!oauth_token_read((const char *)data, len, &t, &f)) {
		MUST_HOLD(*f.text);
		return 0;
	}
	MUST_HOLD(t.text[0] && strlen(t.text) <= OAUTH_TOKEN_MAX);
	for (const char *c = t.text; *c; c++)
		MUST_HOLD(*c > ' ' && *c <= '~');
	MUST_HOLD(t.life_s > 0 && t.life_s <= OAUTH_LIFE_MAX_S);
	return 0;
}
