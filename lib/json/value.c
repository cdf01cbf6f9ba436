/* value.c - finds values in a text that json_scan() has accepted.
 *
 * Not a parser library, because a tree keeps neither all digits of a number nor the place of a value: an amount of 18
 * digits does not survive a double.  A value is found by skipping what is before it.  No bound of the text is checked,
 * since an accepted text closes every bracket and quote; json_scan() must therefore run first. */

#include "json/value.h"

#include <string.h>

#include "json/text.h"

static const char *value_skip_space(const char *at)
{
	while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
		at++;
	return at;
}

/* A backslash and the byte after it are skipped together, so an escaped quote does not end the string. */
static const char *skip_string(const char *at)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
	}
	return at + 1;
}

/* Brackets of both kinds count alike: json_scan() has checked that they match. */
static const char *skip_nested(const char *at)
{
	int depth = 0;
	do {
		if (*at == '"') {
			at = skip_string(at);
			continue;
		}
		depth += *at == '{' || *at == '[';
		depth -= *at == '}' || *at == ']';
		at++;
	} while (depth > 0);
	return at;
}

/* The byte after the value that begins here.  A number or a word ends at a comma, a bracket or white space; one of them
 * follows, because the value is always inside an object or an array. */
static const char *skip_value(const char *at)
{
	if (*at == '"')
		return skip_string(at);
	if (*at == '{' || *at == '[')
		return skip_nested(at);
	while (*at != ',' && *at != ']' && *at != '}' && *at > ' ')
		at++;
	return at;
}

static struct json_value value_at(const char *at)
{
	return (struct json_value){at, (size_t)(skip_value(at) - at)};
}

/* json_scan() allows only white space after the object, so its end is the last brace, and that of an array likewise. */
struct json_value json_value_of(const char *text, size_t len)
{
	const char *first = value_skip_space(text), *end = text + len;
	while (end[-1] != (*first == '[' ? ']' : '}'))
		end--;
	return (struct json_value){first, (size_t)(end - first)};
}

enum json_kind json_value_kind(struct json_value v)
{
	switch (*v.at) {
	case '{':
		return JSON_IS_OBJECT;
	case '[':
		return JSON_IS_ARRAY;
	case '"':
		return JSON_IS_STRING;
	case 't':
		return JSON_IS_TRUE;
	case 'f':
		return JSON_IS_FALSE;
	case 'n':
		return JSON_IS_NULL;
	default:
		return JSON_IS_NUMBER;
	}
}

const char *json_kind_name(enum json_kind kind)
{
	switch (kind) {
	case JSON_IS_OBJECT:
		return "an object";
	case JSON_IS_ARRAY:
		return "an array";
	case JSON_IS_STRING:
		return "a string";
	case JSON_IS_NUMBER:
		return "a number";
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		return "a boolean";
	case JSON_IS_NULL:
		return "null";
	}
	return "nothing";
}

struct json_walk json_walk_into(struct json_value v)
{
	return (struct json_walk){v.at + 1, *v.at == '{'};
}

/* Goes to the start of the next value and writes the name before it, if any.  Returns false if there is no next
 * value. */
static bool enter_next(struct json_walk *w, struct json_value *name)
{
	w->at = value_skip_space(w->at);
	if (*w->at == ',')
		w->at = value_skip_space(w->at + 1);
	if (*w->at == '}' || *w->at == ']')
		return false;
	*name = (struct json_value){0};
	if (w->is_object) {
		*name = value_at(w->at);
		w->at = value_skip_space(name->at + name->len);
		w->at = value_skip_space(w->at + 1);
	}
	return true;
}

bool json_walk_next(struct json_walk *w, struct json_value *name, struct json_value *value)
{
	struct json_value found;
	if (!enter_next(w, &found))
		return false;
	*value = value_at(w->at);
	w->at += value->len;
	if (name)
		*name = found;
	return true;
}

/* The next byte of a pointer's token; ~0 stands for a tilde and ~1 for a slash (RFC 6901, section 4). */
static char token_next(const char **token)
{
	char c = *(*token)++;
	if (c != '~')
		return c;
	return *(*token)++ == '0' ? '~' : '/';
}

/* Whether a member's name equals a token, both decoded. */
static bool is_named(struct json_value name, const char *token, size_t len)
{
	const char *end = token + len;
	for (const char *at = name.at + 1, *last = name.at + name.len - 1; at < last;) {
		char bytes[4];
		size_t count;
		at = json_text_next(at, bytes, &count);
		for (size_t i = 0; i < count; i++) {
			if (token == end || token_next(&token) != bytes[i])
				return false;
		}
	}
	return token == end;
}

/* Reads a token as an array index: digits without a leading zero (RFC 6901, section 4).  Seven digits exceed the number
 * of elements in any accepted text. */
static bool read_index(const char *token, size_t len, size_t *ret)
{
	size_t index = 0;
	if (len == 0 || len > 6 || (token[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (token[i] < '0' || token[i] > '9')
			return false;
		index = index * 10 + (size_t)(token[i] - '0');
	}
	*ret = index;
	return true;
}

/* Goes to the member or element that one token names.  Values before it are skipped once, and the value itself is not
 * skipped.  A pointer therefore costs at most one pass over the text, however deep it goes. */
static bool step(const char **at, const char *token, size_t len)
{
	struct json_walk w = json_walk_into((struct json_value){.at = *at});
	struct json_value name;
	size_t index = 0;
	if (**at != '{' && (**at != '[' || !read_index(token, len, &index)))
		return false;
	for (; enter_next(&w, &name); w.at = skip_value(w.at)) {
		if (w.is_object ? is_named(name, token, len) : index-- == 0) {
			*at = w.at;
			return true;
		}
	}
	return false;
}

bool json_value_find(struct json_value v, const char *pointer, struct json_value *ret)
{
	const char *at = v.at;
	while (*pointer == '/') {
		const char *token = pointer + 1;
		size_t len = strcspn(token, "/");
		if (!step(&at, token, len))
			return false;
		pointer = token + len;
	}
	*ret = at == v.at ? v : value_at(at);
	return true;
}

bool json_pointer_valid(const char *pointer)
{
	if (*pointer != '/' && *pointer != '\0')
		return false;
	for (; *pointer; pointer++) {
		if (*pointer == '~' && pointer[1] != '0' && pointer[1] != '1')
			return false;
	}
	return true;
}

bool json_value_text(struct json_value v, char *ret, size_t size, size_t *ret_len)
{
	if (*v.at != '"')
		return false;
	size_t out = 0;
	for (const char *at = v.at + 1, *last = v.at + v.len - 1; at < last;) {
		char bytes[4];
		size_t count;
		at = json_text_next(at, bytes, &count);
		if (out + count >= size)
			return false;
		memcpy(ret + out, bytes, count);
		out += count;
	}
	ret[out] = '\0';
	*ret_len = out;
	return true;
}

bool json_value_equals(struct json_value v, const char *text)
{
	if (*v.at != '"')
		return false;
	for (const char *at = v.at + 1, *last = v.at + v.len - 1; at < last;) {
		char bytes[4];
		size_t count;
		at = json_text_next(at, bytes, &count);
		for (size_t i = 0; i < count; i++) {
			if (*text == '\0' || *text++ != bytes[i])
				return false;
		}
	}
	return *text == '\0';
}
