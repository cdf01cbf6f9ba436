/* fuzz_json_scan.c - what json_scan() accepts, json-c parses to its end, and json/value.h finds the same in it as
 * json-c. */

#include <string.h>

#include "fuzz.h"
#include "json/scan.h"
#include "json/value.h"
#include "support/json_c_reader.h"

static void must_be_values(const char *text, size_t len)
{
	struct json_value top = json_value_of(text, len), name, value;
	for (struct json_walk w = json_walk_into(top); json_walk_next(&w, &name, &value);) {
		MUST_HOLD(name.at > text && name.len >= 2 && name.at[0] == '"' && name.at[name.len - 1] == '"');
		MUST_HOLD(value.at > name.at + name.len && value.len > 0 && value.at + value.len < text + len);
		MUST_HOLD(strchr("{[\"tfn-0123456789", *value.at));
		MUST_HOLD(memchr(" \t\r\n,}", value.at[value.len], 6));
	}
}

/* Surrounding and embedded text, which must or must not make a difference. */
static void must_stay_what_it_is(const char *text, size_t len)
{
	struct fault f;
	char *more = malloc(len + 2);
	MUST_HOLD(more);
	more[0] = ' ';
	memcpy(more + 1, text, len);
	more[len + 1] = '\n';
	MUST_HOLD(len + 2 > JSON_TEXT_MAX || json_scan(more, len + 2, &f));
	more[len + 1] = '}';
	MUST_HOLD(!json_scan(more, len + 2, &f));
	size_t last = len;
	while (text[last - 1] != '}')
		last--;
	MUST_HOLD(!json_scan(text, last - 1, &f));
	free(more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct fault f = {FAULT_BUG, ""};
	size_t byte = len + 1;
	bool ok = json_scan(text, len, &f), again = json_scan_at(text, len, &byte, &f);
	MUST_HOLD(ok == again && (ok ? byte == len : byte <= len));
	if (!ok) {
		MUST_HOLD(f.kind == (len > JSON_TEXT_MAX ? FAULT_TOO_LARGE : FAULT_MALFORMED));
		MUST_HOLD(f.text[0]);
		return 0;
	}
	must_be_values(text, len);
	MUST_HOLD(json_c_reads_it(text, len));
	must_stay_what_it_is(text, len);
	return 0;
}
