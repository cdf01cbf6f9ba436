#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Values inside a text that json_scan() has accepted.  On any other text the behaviour is undefined.
 *
 * A value is a slice of the text.  A number therefore keeps every digit the sender wrote, and a problem with a value
 * can be reported with its line.  Nothing is allocated.  The text must outlive its values. */

struct json_value {
	const char *at; /* borrowed from the text */
	size_t len;     /* bytes, with the quotes of a string; 0: no value */
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

/* The top object or array of a text, without the white space around it. */
struct json_value json_value_of(const char *text, size_t len);

/* The kind of a value.  v must have one, here and below. */
enum json_kind json_value_kind(struct json_value v);

/* The kind with its article, for messages: "an object", "a string", "null".  Both booleans are "a boolean". */
const char *json_kind_name(enum json_kind kind);

/* A cursor over the members of an object, or the elements of an array, in the order of the text. */
struct json_walk {
	const char *at;
	bool is_object;
};

/* Starts before the first one.  v must be an object or an array. */
struct json_walk json_walk_into(struct json_value v);

/* Goes to the next value.  Returns false, and leaves the results alone, if there is none.  *name becomes the member's
 * name as a string value, with its quotes; in an array it has len 0.  name may be NULL. */
MUST_USE bool json_walk_next(struct json_walk *w, struct json_value *name, struct json_value *value);

/* Finds the value that a JSON pointer (RFC 6901) names, starting at v; "" names v itself.  json_pointer_valid() must
 * accept the pointer.  Returns false, and leaves *ret alone, if there is no such value.  The text up to the value is
 * read once, however deep the pointer goes. */
MUST_USE bool json_value_find(struct json_value v, const char *pointer, struct json_value *ret);

/* Whether a text has the form of a JSON pointer: empty, or with a leading slash and each ~ followed by 0 or 1. */
bool json_pointer_valid(const char *pointer);

/* Decodes a string into ret and adds a NUL, which *ret_len does not count.  The text may hold a NUL itself, and half of a
 * surrogate pair (json/text.h).  Returns false if the value is not a string,
 * or has size bytes or more when decoded; ret may then be partly written. */
MUST_USE bool json_value_text(struct json_value v, char *ret, size_t size, size_t *ret_len);

/* Whether the value is a string that equals text once it is decoded. */
bool json_value_equals(struct json_value v, const char *text);
