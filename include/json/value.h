#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Values inside a text that json_scan() has found well formed.
 *
 * A value is the piece of the text where it stands, so a number keeps every digit that was written, and whoever
 * complains about a value can say in which line it is.  Nothing is allocated; finding a value reads the text before it
 * once. */

struct json_value {
	const char *at; /* borrowed from the text */
	size_t len;     /* 0: no value */
};

enum json_kind {
	JSON_IS_OBJECT,
	JSON_IS_ARRAY,
	JSON_IS_STRING,
	JSON_IS_NUMBER,
	JSON_IS_TRUE,
	JSON_IS_FALSE,
	JSON_IS_NULL,
};

/* The object that a text is. */
struct json_value json_value_of(const char *text, size_t len);

enum json_kind json_value_kind(struct json_value v);

/* "an object", "a string", "null". */
const char *json_kind_name(enum json_kind kind);

/* Goes through the members of an object, or the elements of an array, in their order. */
struct json_walk {
	const char *at;
	bool is_object;
};

struct json_walk json_walk_into(struct json_value v);

/* False: there is no further one.  *name is the member's name as a string value, in an array nothing; may be NULL. */
MUST_USE bool json_walk_next(struct json_walk *w, struct json_value *name, struct json_value *value);

/* Finds the value that a JSON pointer (RFC 6901) names, counted from v; "" is v itself.  False: there is none. */
MUST_USE bool json_value_find(struct json_value v, const char *pointer, struct json_value *ret);

/* Whether a text is a pointer: empty or beginning with a slash, each ~ followed by 0 or 1. */
bool json_pointer_valid(const char *pointer);

/* What a string says, its escapes decoded, with a NUL behind.  False: it is no string, or has size bytes or more. */
MUST_USE bool json_value_text(struct json_value v, char *ret, size_t size, size_t *ret_len);

/* Whether a string says this. */
bool json_value_equals(struct json_value v, const char *text);
