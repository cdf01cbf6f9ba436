/* fuzz_api_keys.c - the input as an API_KEYS_FILE: it is accepted as a whole or rejected with errors, and no error
 * shows a word of the file. */

#include <string.h>

#include "auth/api_keys_read.h"
#include "fuzz.h"

#define MARK "QZX" /* occurs in no text of payhook */

static int complaints;

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	complaints++;
	MUST_HOLD(strncmp(complaint, "f:", 2) == 0 && complaint[2] >= '1' && complaint[2] <= '9');
	MUST_HOLD(!strstr(complaint, MARK));
	for (const char *byte = complaint; *byte; byte++)
		MUST_HOLD(*byte >= ' ' && *byte <= '~');
}

static void must_be_sound(const struct api_keys *keys, int n)
{
	const struct api_key *k = &keys->list[n];
	MUST_HOLD(*k->name && strspn(k->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(k->name));
	MUST_HOLD(k->scopes > 0 && k->scopes <= (API_READ | API_OPERATE | API_PAYLOAD));
	for (int i = 0; i < n; i++) {
		MUST_HOLD(strcmp(k->name, keys->list[i].name) != 0);
		MUST_HOLD(memcmp(k->sha256, keys->list[i].sha256, sizeof k->sha256) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct api_keys keys;
	complaints = 0;
	if (!api_keys_read("f", (const char *)data, len, report, NULL, &keys)) {
		MUST_HOLD(complaints > 0 && keys.count == 0);
		return 0;
	}
	MUST_HOLD(complaints == 0 && keys.count >= 1 && keys.count <= API_KEYS_MAX);
	for (int i = 0; i < keys.count; i++)
		must_be_sound(&keys, i);
	return 0;
}
