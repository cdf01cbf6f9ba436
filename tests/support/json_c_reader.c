/* json_c_reader.c - compares json-c's tree of a text with the results of json/value.h.
 *
 * Some differences are known, and the first two are the reason why payhook does not parse with json-c.  Version 0.16 takes the
 * escape of a character beyond U+FFFF for half of a surrogate pair if its low 16 bits are those of one, and it clamps integers
 * beyond 64 bits.  It replaces half of a surrogate pair by U+FFFD, and looks for a name up to its first NUL.  Such texts
 * and integers are not compared. */

#include "support/json_c_reader.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "json/scan.h"
#include "json/value.h"

static bool same_value(struct json_value ours, json_object *theirs);

/* Whether the text contains a character that json-c may misread. */
static bool is_misread(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;
	for (size_t i = 0; i + 3 < len; i++) {
		unsigned low = (c[i + 1] & 0xfu) << 12 | (c[i + 2] & 0x3fu) << 6 | (c[i + 3] & 0x3fu);
		if (c[i] >= 0xf0 && low >= 0xd800 && low < 0xe000)
			return true;
	}
	for (size_t i = 0; i + 1 < len; i++) {
		if (c[i] == 0xed && c[i + 1] >= 0xa0)
			return true;
	}
	return memchr(text, '\0', len) != NULL;
}

static bool same_text(struct json_value ours, json_object *theirs)
{
	static char text[JSON_TEXT_MAX];
	size_t len;
	if (!json_object_is_type(theirs, json_type_string) || !json_value_text(ours, text, sizeof text, &len))
		return false;
	bool same = (size_t)json_object_get_string_len(theirs) == len &&
		    memcmp(text, json_object_get_string(theirs), len) == 0;
	return same || is_misread(text, len);
}

static bool same_member(struct json_value name, struct json_value value, json_object *theirs)
{
	char *text = malloc(name.len);
	size_t len;
	json_object *member;
	bool same = text && json_value_text(name, text, name.len, &len) &&
		    json_object_object_get_ex(theirs, text, &member) && same_value(value, member);
	free(text);
	return same;
}

/* Whether json-c may misread a name of the object, and so take two names for one: then any of its members may have
 * the value of another. */
static bool has_misread_name(struct json_value object)
{
	struct json_value name, value;
	bool misread = false;
	for (struct json_walk w = json_walk_into(object); !misread && json_walk_next(&w, &name, &value);) {
		char *text = malloc(name.len);
		size_t len;
		misread = text && json_value_text(name, text, name.len, &len) && is_misread(text, len);
		free(text);
	}
	return misread;
}

static bool same_members(struct json_value ours, json_object *theirs)
{
	struct json_value name, value;
	size_t count = 0;
	if (!json_object_is_type(theirs, json_type_object))
		return false;
	if (has_misread_name(ours))
		return true;
	for (struct json_walk w = json_walk_into(ours); json_walk_next(&w, &name, &value); count++)
		if (!same_member(name, value, theirs))
			return false;
	return count == (size_t)json_object_object_length(theirs);
}

static bool same_elements(struct json_value ours, json_object *theirs)
{
	struct json_value value;
	size_t count = 0;
	if (!json_object_is_type(theirs, json_type_array))
		return false;
	for (struct json_walk w = json_walk_into(ours); json_walk_next(&w, NULL, &value); count++)
		if (!same_value(value, json_object_array_get_idx(theirs, count)))
			return false;
	return count == json_object_array_length(theirs);
}

static bool same_number(struct json_value ours, json_object *theirs)
{
	char text[400];
	if (!json_object_is_type(theirs, json_type_int) && !json_object_is_type(theirs, json_type_double))
		return false;
	if (ours.len >= sizeof text)
		return true;
	memcpy(text, ours.at, ours.len);
	text[ours.len] = '\0';
	double number = strtod(text, NULL);
	bool is_clamped = json_object_is_type(theirs, json_type_int) && (number < -9.2e18 || number > 9.2e18);
	return is_clamped || number == json_object_get_double(theirs);
}

static bool same_value(struct json_value ours, json_object *theirs)
{
	enum json_kind kind = json_value_kind(ours);
	switch (kind) {
	case JSON_IS_OBJECT:
		return same_members(ours, theirs);
	case JSON_IS_ARRAY:
		return same_elements(ours, theirs);
	case JSON_IS_STRING:
		return same_text(ours, theirs);
	case JSON_IS_NUMBER:
		return same_number(ours, theirs);
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		return json_object_is_type(theirs, json_type_boolean) &&
		       json_object_get_boolean(theirs) == (kind == JSON_IS_TRUE);
	case JSON_IS_NULL:
		return theirs == NULL;
	}
	return false;
}

bool json_c_reads_it(const char *text, size_t len)
{
	json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	json_object *theirs = tokener ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;
	bool same = theirs && same_value(json_value_of(text, len), theirs);
	json_object_put(theirs);
	json_tokener_free(tokener);
	return same;
}
