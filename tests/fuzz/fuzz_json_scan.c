/* What json_scan() accepts, json-c reads to its end and alike. */

#include <json-c/json.h>
#include <string.h>

#include "fuzz.h"
#include "json_scan.h"

static void must_be_read_by_json_c(const char *text, size_t len, const struct json_span *amount)
{
	json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	MUST_HOLD(tokener);
	json_object *body = json_tokener_parse_ex(tokener, text, (int)len), *value;
	MUST_HOLD(body && json_object_is_type(body, json_type_object));
	for (size_t at = json_tokener_get_parse_end(tokener); at < len; at++)
		MUST_HOLD(memchr(" \t\r\n", text[at], 4));
	MUST_HOLD((amount->len > 0) == json_object_object_get_ex(body, "amount", &value));
	json_object_put(body);
	json_tokener_free(tokener);
}

static void must_be_a_value(const char *text, size_t len, const struct json_span *span)
{
	MUST_HOLD(span->at < len && span->len <= len - span->at);
	MUST_HOLD(strchr("{[\"tfn-0123456789", text[span->at]));
	MUST_HOLD(memchr(" \t\r\n,}", text[span->at + span->len], 6));
}

/* Text around and inside that must or must not matter. */
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
	struct json_span amount;
	struct fault f = {FAULT_BUG, ""};
	bool ok = json_scan_for(text, len, "amount", &amount, &f), again = json_scan(text, len, &f);
	MUST_HOLD(ok == again);
	if (!ok) {
		MUST_HOLD(f.kind == (len > JSON_TEXT_MAX ? FAULT_TOO_LARGE : FAULT_MALFORMED));
		MUST_HOLD(f.text[0]);
		return 0;
	}
	if (amount.len)
		must_be_a_value(text, len, &amount);
	must_be_read_by_json_c(text, len, &amount);
	must_stay_what_it_is(text, len);
	return 0;
}
