/* fuzz_form.c - the input as a form: what form_to_json() accepts is an object of as many texts as there are fields, and the
 * same texts with every byte percent-encoded are the same object. */

#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "http/form.h"
#include "json/scan.h"
#include "json/value.h"

static size_t count_fields(const char *text, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++)
		count += text[i] != '&' && (i == 0 || text[i - 1] == '&');
	return count;
}

static void add_encoded(struct buf *b, struct json_value v)
{
	char *text = malloc(v.len);
	size_t len;
	MUST_HOLD(text && json_value_text(v, text, v.len, &len));
	for (size_t i = 0; i < len; i++) {
		MUST_HOLD(text[i] != '\0');
		buf_add_format(b, "%%%02x", (unsigned)(unsigned char)text[i]);
	}
	free(text);
}

static void must_survive_a_round(const struct buf *object, size_t fields)
{
	struct buf form = BUF_INIT(JSON_TEXT_MAX), again = BUF_INIT(JSON_TEXT_MAX);
	struct json_value name, value;
	struct fault f;
	size_t count = 0;
	for (struct json_walk w = json_walk_into(json_value_of(object->data, object->len));
		json_walk_next(&w, &name, &value); count++) {
		MUST_HOLD(json_value_kind(value) == JSON_IS_STRING);
		buf_add_text(&form, "&");
		add_encoded(&form, name);
		buf_add_text(&form, "=");
		add_encoded(&form, value);
	}
	MUST_HOLD(count == fields);
	MUST_HOLD(!buf_ok(&form) || form_to_json(form.data ? form.data : "", form.len, &again, &f));
	MUST_HOLD(!buf_ok(&form) || (again.len == object->len && memcmp(again.data, object->data, again.len) == 0));
	buf_finish(&form);
	buf_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct buf object = BUF_INIT(JSON_TEXT_MAX);
	struct fault f = {FAULT_BUG, ""};
	if (form_to_json(text, len, &object, &f)) {
		MUST_HOLD(!memchr(text, '\0', len));
		if (json_scan(object.data, object.len, &f))
			must_survive_a_round(&object, count_fields(text, len));
		else
			MUST_HOLD(strstr(f.text, "named twice") || strstr(f.text, "not UTF-8"));
	} else {
		MUST_HOLD((f.kind == FAULT_MALFORMED || len > JSON_TEXT_MAX / 8) && f.text[0]);
	}
	buf_finish(&object);
	return 0;
}
