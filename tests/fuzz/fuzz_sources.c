/* fuzz_sources.c - the input as a SOURCES_FILE: it is accepted as a whole or rejected with one line for each error, and
 * no error shows a secret. */

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "source/sources_read.h"

#define SECRET "c2VjcmV0LXRoYXQtbm9ib2R5LXNob3dz"

static const struct currency_extras extras = {0};
static int complaints;
static bool is_written; /* the secret is part of the input itself, so an error may quote it */

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	complaints++;
	MUST_HOLD(strncmp(complaint, "f:", 2) == 0 && complaint[2] >= '1' && complaint[2] <= '9');
	MUST_HOLD(is_written || !strstr(complaint, SECRET));
	for (size_t at = 0, len = strlen(complaint); at < len;) {
		size_t length = utf8_length(complaint + at, len - at);
		MUST_HOLD(length > 0 && (unsigned char)complaint[at] >= ' ');
		at += length;
	}
}

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx;
	MUST_HOLD(*name);
	if (place == SECRET_IN_FILE && *name == 'n')
		return fault_set(f, FAULT_INPUT, "there is none");
	buf_add_text(ret, *name == 'H' ? "0123456789abcdef0123456789abcdef" : SECRET);
	return true;
}

static void must_be_sound(const struct source *s)
{
	MUST_HOLD(*s->name && strspn(s->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s->name));
	MUST_HOLD((s->auth == SOURCE_AUTH_SIGNATURE) == (s->signer.count > 0));
	MUST_HOLD(s->allow_count >= 0 && s->allow_count <= SOURCE_ALLOW_MAX);
	for (int i = 0; i < s->allow_count; i++)
		MUST_HOLD(s->allow[i].bits <= 128);
	MUST_HOLD((s->client == SOURCE_CERTAIN_CLIENT) == (strchr(s->subject, '=') != NULL));
	MUST_HOLD(json_pointer_valid(s->mapping.items));
	MUST_HOLD(s->mapping.is_canonical || *s->mapping.transaction_id.at == '/');
	for (int i = 0; i < s->mapping.condition_count; i++)
		MUST_HOLD(s->mapping.conditions[i].count > 0 && json_pointer_valid(s->mapping.conditions[i].at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sources sources;
	struct sources_outside outside = {.file = "f", .extras = &extras, .secret = give_secret, .report = report};
	complaints = 0;
	is_written = memmem(data, len, SECRET, strlen(SECRET)) != NULL;
	if (!sources_read((const char *)data, len, &outside, &sources)) {
		MUST_HOLD(complaints > 0 && sources.count == 0);
		return 0;
	}
	MUST_HOLD(complaints == 0 && sources.count >= 1 && sources.count <= SOURCES_MAX);
	for (int i = 0; i < sources.count; i++)
		must_be_sound(&sources.list[i]);
	sources_finish(&sources);
	return 0;
}
