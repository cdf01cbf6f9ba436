/* fuzz_content_type.c - the input as a Content-Type, and as a Content-Encoding: no type is JSON and a form, its case does not
 * matter, a charset behind it does, and a coding is one of four words. */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "http/content_coding.h"
#include "http/content_type.h"

static bool fits(const char *type, enum content_type wanted)
{
	struct fault f = {FAULT_BUG, ""};
	bool good = content_type_fits(type, wanted, &f);
	MUST_HOLD(good || (f.kind == FAULT_INPUT && f.text[0]));
	for (const char *at = f.text; *at; at += utf8_length(at, strlen(at)))
		MUST_HOLD(utf8_length(at, strlen(at)) > 0 && !utf8_is_control(at, utf8_length(at, strlen(at))));
	return good;
}

static void must_heed_what_is_behind(const char *type, enum content_type wanted)
{
	static const struct {
		const char *text;
		bool fits;
	} BEHIND[] = {{"; charset=utf-8", true}, {";charset=\"UTF8\"", true}, {"; x=\"charset=latin1\"", true},
		{" ", true}, {"; charset=latin1", false}, {";CHARSET=\"utf-16\"", false}, {",", false},
		{"; x=\"", false}};
	char *longer = malloc(strlen(type) + 32);
	MUST_HOLD(longer);
	for (size_t i = 0; i < sizeof BEHIND / sizeof *BEHIND; i++) {
		snprintf(longer, strlen(type) + 32, "%s%s", type, BEHIND[i].text);
		MUST_HOLD(fits(longer, wanted) == BEHIND[i].fits);
	}
	free(longer);
}

static void must_ignore_case(char *type, enum content_type wanted)
{
	bool before = fits(type, wanted);
	for (char *at = type; *at; at++)
		*at = (char)(isupper((unsigned char)*at) ? tolower((unsigned char)*at) : toupper((unsigned char)*at));
	MUST_HOLD(fits(type, wanted) == before);
}

static void must_be_a_word(const char *coding)
{
	static const char *const WORDS[] = {"", "identity", "gzip", "x-gzip"};
	enum content_coding found = (enum content_coding)7;
	int word = 0;
	while (word < 4 && strcasecmp(coding, WORDS[word]) != 0)
		word++;
	MUST_HOLD(content_coding_read(coding, &found) == (word < 4));
	MUST_HOLD(found == (word == 4 ? (enum content_coding)7 : word < 2 ? CONTENT_CODING_NONE : CONTENT_CODING_GZIP));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *type = malloc(len + 1);
	MUST_HOLD(type);
	if (len)
		memcpy(type, data, len);
	type[len] = '\0';
	bool is_json = fits(type, CONTENT_TYPE_JSON), is_form = fits(type, CONTENT_TYPE_FORM);
	MUST_HOLD(!is_json || !is_form);
	if (is_json || is_form) {
		MUST_HOLD(strncasecmp(type, "application/", 12) == 0);
		must_heed_what_is_behind(type, is_json ? CONTENT_TYPE_JSON : CONTENT_TYPE_FORM);
	}
	must_be_a_word(type);
	must_ignore_case(type, CONTENT_TYPE_JSON);
	must_ignore_case(type, CONTENT_TYPE_FORM);
	free(type);
	return 0;
}
