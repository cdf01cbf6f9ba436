/* parameters.c - reads the parameters of a request to the console: a path, a query in the form of HTML forms, a JSON body.
 *
 * The bytes are a client's, so their form is checked here and nothing else is: each value becomes a text, which the statement gets as
 * a parameter and checks.  A query is decoded into a text of bounded length, a body in its own bytes, since no decoded string is
 * longer than it was. */

#include "parameters.h"

#include <string.h>

#include "base/encode.h"
#include "base/utf8.h"
#include "json/scan.h"
#include "json/value.h"

/* The type of each member that is no string. */
static const struct {
	const char *name;
	enum json_kind kind;
} TYPES[] = {{"even_processed", JSON_IS_TRUE}, {"dry_run", JSON_IS_TRUE}, {"rate", JSON_IS_NUMBER},
	{"filter", JSON_IS_OBJECT}};

struct reading {
	const struct endpoint *endpoint;
	struct parameters *ret;
	size_t used; /* bytes of ret->text */
};

static bool parameter_is_utf8(const char *text)
{
	size_t len = strlen(text);
	for (size_t one; len > 0; text += one, len -= one) {
		one = utf8_length(text, len);
		if (one == 0)
			return false;
	}
	return true;
}

/* Finds the place of a name that is given outside of the path. */
static bool parameters_place(const struct reading *r, const char *name, size_t len, int *ret, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	int place = endpoint_parameter(r->endpoint, name, len);
	if (place < 0)
		return fault_set(f, FAULT_INPUT, "%s is no parameter here: see docs/console-api.md",
			fault_quote(name, len, quoted));
	if (r->ret->value[place])
		return fault_set(f, FAULT_MALFORMED, "the parameter %s is there twice", r->endpoint->parameters[place]);
	*ret = place;
	return true;
}

static bool read_segments(struct reading *r, const struct path *path, struct fault *f)
{
	size_t len;
	for (int i = 0; r->endpoint->segments[i]; i++) {
		const char *name = endpoint_segment_name(r->endpoint, i, &len);
		if (!name)
			continue;
		const char *value = path->segment[ENDPOINT_PREFIX + i];
		int place = endpoint_parameter(r->endpoint, name, len);
		if (!parameter_is_utf8(value))
			return fault_set(f, FAULT_INPUT, "the parameter %.*s is not UTF-8", (int)len, name);
		r->ret->value[place] = value;
	}
	return true;
}

/* ---- a query ---- */

/* The byte at this place of a query, in which "+" is a space.  Returns how many bytes it takes; 0: the escape is broken, or is
 * %00. */
static size_t query_byte(const char *at, size_t len, char *ret)
{
	unsigned char byte;
	size_t one;
	if (*at != '%') {
		*ret = (char)(*at == '+' ? ' ' : *at);
		return 1;
	}
	if (len < 3 || !encode_read(ENCODING_HEX, at + 1, 2, &byte, 1, &one) || byte == 0)
		return 0;
	*ret = (char)byte;
	return 3;
}

static bool parameters_value(struct reading *r, int place, const char *at, size_t len, struct fault *f)
{
	const char *name = r->endpoint->parameters[place];
	char *begin = r->ret->text + r->used;
	for (size_t one; len > 0; at += one, len -= one) {
		if (r->used + 1 >= PARAMETERS_TEXT_MAX)
			return fault_set(
				f, FAULT_TOO_LARGE, "the parameters have more than %d bytes", PARAMETERS_TEXT_MAX - 1);
		one = query_byte(at, len, r->ret->text + r->used);
		if (one == 0)
			return fault_set(f, FAULT_MALFORMED, "the encoding of the parameter %s is broken", name);
		r->used++;
	}
	if (r->used >= PARAMETERS_TEXT_MAX)
		return fault_set(f, FAULT_TOO_LARGE, "the parameters have more than %d bytes", PARAMETERS_TEXT_MAX - 1);
	r->ret->text[r->used++] = '\0';
	if (!parameter_is_utf8(begin))
		return fault_set(f, FAULT_INPUT, "the parameter %s is not UTF-8", name);
	r->ret->value[place] = begin;
	return true;
}

/* The query as HTML forms and URLSearchParams write it.  An empty part between two "&" is nothing. */
static bool read_query(struct reading *r, const char *target, struct fault *f)
{
	const char *at = target + strcspn(target, "?#");
	int place;
	while (*at == '?' || *at == '&') {
		size_t len = strcspn(++at, "&#"), name = strcspn(at, "=&#");
		size_t value = name < len ? name + 1 : len;
		if (len > 0 && (!parameters_place(r, at, name, &place, f) ||
				       !parameters_value(r, place, at + value, len - value, f)))
			return false;
		at += len;
	}
	return true;
}

/* ---- a body ---- */

static enum json_kind type_of(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
		if (strcmp(TYPES[i].name, name) == 0)
			return TYPES[i].kind;
	}
	return JSON_IS_STRING;
}

static bool has_type(const char *name, struct json_value v, struct fault *f)
{
	enum json_kind is = json_value_kind(v), wanted = type_of(name);
	if (is == JSON_IS_FALSE)
		is = JSON_IS_TRUE;
	return is == wanted || fault_set(f, FAULT_INPUT, "%s: %s is wanted, and this is %s", name,
				       json_kind_name(wanted), json_kind_name(is));
}

/* Ends the value with a NUL in its own place: a string decoded, anything else as it stands.  A NUL of the string's own would end it
 * early, and an empty source would stand for all. */
static bool end_value(struct buf *body, const char *name, struct json_value v, const char **ret, struct fault *f)
{
	char *at = body->data + (v.at - body->data);
	size_t len;
	if (*at != '"') {
		at[v.len] = '\0';
		*ret = at;
		return true;
	}
	if (!json_value_text(v, ++at, v.len - 1, &len) || strlen(at) != len || !parameter_is_utf8(at))
		return fault_set(f, FAULT_INPUT, "the parameter %s has a NUL or half of a surrogate pair", name);
	*ret = at;
	return true;
}

/* All members are found before the first of them is ended, since its end is a byte of what follows.  A member's name has its
 * escapes, as no name of a parameter has one. */
static bool parameters_of_body(struct reading *r, struct buf *body, struct fault *f)
{
	struct json_value found[ENDPOINT_PARAMETERS_MAX] = {{0}}, name, value;
	int place;
	if (!json_scan(body->data ? body->data : "", body->len, f) || !body->data)
		return false;
	struct json_walk w = json_walk_into(json_value_of(body->data, body->len));
	while (json_walk_next(&w, &name, &value)) {
		if (!parameters_place(r, name.at + 1, name.len - 2, &place, f))
			return false;
		if (json_value_kind(value) == JSON_IS_NULL)
			continue;
		if (!has_type(r->endpoint->parameters[place], value, f))
			return false;
		found[place] = value;
	}
	for (int i = 0; i < ENDPOINT_PARAMETERS_MAX; i++) {
		if (found[i].len > 0 && !end_value(body, r->endpoint->parameters[i], found[i], &r->ret->value[i], f))
			return false;
	}
	return true;
}

bool parameters_read(const struct endpoint *e, const char *target, const struct path *path, struct buf *body,
	struct parameters *ret, struct fault *f)
{
	struct reading r = {.endpoint = e, .ret = ret};
	memset(ret->value, 0, sizeof ret->value);
	if (!read_segments(&r, path, f))
		return false;
	if (strcmp(e->method, "POST") != 0)
		return read_query(&r, target, f);
	const char *query = target + strcspn(target, "?#");
	if (query[0] == '?' && query[1] != '\0' && query[1] != '#')
		return fault_set(
			f, FAULT_INPUT, "the parameters of a POST are members of its body, and not in the query");
	return parameters_of_body(&r, body, f);
}
