/* fuzz_signer.c - the input as the settings of a source, one a line: scheme, url, webhook_id, header, prefix,
 * timestamp_header, separator, tolerance.  The rest is the secret.  A line "-" stands for a setting that is not
 * given. */

#include <string.h>
#include <strings.h>

#include "auth/signer.h"
#include "fuzz.h"

static char *next_line(char **at)
{
	char *line = *at;
	if (!line)
		return NULL;
	char *end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*at = end ? end + 1 : NULL;
	return strcmp(line, "-") == 0 ? NULL : line;
}

static void must_be_kept(const char *given, const char *kept)
{
	MUST_HOLD(!given || strcasecmp(given, kept) == 0);
}

static void add_secret(struct signer *s, const char *secret, size_t len)
{
	struct fault f = {FAULT_BUG, ""};
	if (signer_add_secret(s, secret, len, 1000, &f))
		MUST_HOLD(s->count == 1 && s->secrets[0].not_after_s <= 1000);
	else
		MUST_HOLD(s->count == 0 && f.kind == FAULT_INPUT && f.text[0]);
	signer_finish(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct signer s;
	struct fault f = {FAULT_BUG, ""};
	struct signer_settings settings = {.scheme = SCHEME_HMAC};
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	char *at = text;
	char *scheme = next_line(&at);
	settings.url = next_line(&at);
	settings.webhook_id = next_line(&at);
	settings.header = next_line(&at);
	settings.prefix = next_line(&at);
	settings.timestamp_header = next_line(&at);
	settings.separator = next_line(&at);
	char *tolerance = next_line(&at);
	settings.tolerance_s = tolerance ? (int)strtol(tolerance, NULL, 10) : 0;
	for (int i = 0; scheme && i < SCHEME_COUNT; i++) {
		if (strcmp(scheme_name((enum scheme)i), scheme) == 0)
			settings.scheme = (enum scheme)i;
	}
	if (signer_init(&s, &settings, &f)) {
		must_be_kept(settings.url, s.url);
		must_be_kept(settings.header, s.header);
		must_be_kept(settings.timestamp_header, s.timestamp_header);
		MUST_HOLD(s.tolerance_s >= 1 && s.tolerance_s <= SIGNER_TOLERANCE_MAX_S && s.count == 0);
		add_secret(&s, at ? at : "", at ? (size_t)(text + len - at) : 0);
	} else {
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0]);
	}
	free(text);
	return 0;
}
