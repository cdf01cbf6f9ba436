/* fuzz_shown.c - the input as text that is shown: whatever it is, what is shown is UTF-8 without a control character, and the
 * escapes keep every byte; rows of it stay rows. */

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "shown.h"

static void must_be_harmless(const char *shown, size_t len)
{
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(shown + at, len - at);
		MUST_HOLD(length > 0);
		MUST_HOLD(!utf8_is_control(shown + at, length));
	}
	MUST_HOLD(shown_width(shown) <= len);
}

/* Takes the escapes back.  A backslash of the input is shown as it is, so this holds for inputs without one. */
static void must_be_same(const char *shown, const char *text)
{
	for (; *shown; text++) {
		char byte[5];
		snprintf(byte, sizeof byte, "\\x%02x", (unsigned)(unsigned char)*text);
		MUST_HOLD(*text);
		if (*shown == '\\') {
			MUST_HOLD(strncmp(shown, byte, 4) == 0);
			shown += 4;
		} else {
			MUST_HOLD(*shown++ == *text);
		}
	}
	MUST_HOLD(!*text);
}

/* In JSON only the line feed is left. */
static void must_be_harmless_json(const char *text, size_t len)
{
	struct buf json = BUF_INIT(12 * len + 1);
	shown_add_json(&json, text);
	MUST_HOLD(buf_ok(&json));
	for (size_t at = 0, length; at < json.len; at += length) {
		length = utf8_length(json.data + at, json.len - at);
		MUST_HOLD(length > 0);
		MUST_HOLD(json.data[at] == '\n' || !utf8_is_control(json.data + at, length));
	}
	buf_finish(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf shown = BUF_INIT(4 * len + 1);
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	memcpy(text, data, len);
	text[len] = '\0';
	shown_add(&shown, text);
	MUST_HOLD(buf_ok(&shown));
	must_be_harmless(shown.data ? shown.data : "", shown.len);
	if (!strchr(text, '\\'))
		must_be_same(shown.data ? shown.data : "", text);
	must_be_harmless_json(text, len);
	buf_finish(&shown);
	free(text);
	return 0;
}
