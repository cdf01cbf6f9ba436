#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "json/value.h"

/* A strict reader of configuration files in JSON.
 *
 * An unknown member is an error, so that a misspelled option is never ignored.  Every problem becomes one complaint
 * with the file's name, the line, the JSON pointer and, unless the file may hold secrets, the value.  Reading goes on
 * after a complaint, so that an operator sees all problems at once; the caller looks at the count at the end. */

struct json_config {
	const char *file; /* its name, for complaints */
	const char *text; /* borrowed until the last place has been read; its length goes to json_config_open() */
	void (*report)(void *ctx, const char *complaint); /* one line without a newline, borrowed for the call */
	void *ctx;
	int complaints;   /* reported so far; starts at 0 */
	bool is_discreet; /* complaints quote nothing: an operator may have put a secret in the wrong place */
};

/* A value, and the path to it: the value is a member or an element of the outer place.  The outer places must outlive
 * this one, since a complaint gives the path from the top object. */
struct json_place {
	struct json_config *config;
	const struct json_place *outer; /* NULL for the top object */
	const char *name;               /* of the member, borrowed; NULL for an element */
	int index;                      /* of the element, from 0 */
	struct json_value value;        /* len 0: the member is missing */
};

/* Opens the top object.  Complains and returns false if the text is not one strict JSON object of at most JSON_TEXT_MAX
 * bytes (json/scan.h). */
MUST_USE bool json_config_open(struct json_config *c, size_t len, struct json_place *ret);

/* Reports "sources.json:3: /sources/0/name: ..." and counts it.  The formatted text, here "...", is truncated to 511
 * bytes. */
void json_config_complain(const struct json_place *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes the places of the count named members to ret; a missing member has no value and is no error here.  Complains
 * about each member that is not in names.  If the place is missing or not an object, it complains, and no place has a
 * value. */
void json_config_members(const struct json_place *p, const char *const names[], struct json_place ret[], int count);

/* Writes the places of an array's elements, 1 to most, to ret and returns their number.  Complains and returns 0 if the
 * place is missing, not an array, empty, or has more elements. */
int json_config_elements(const struct json_place *p, struct json_place ret[], int most);

/* The next four functions complain, return false and leave *ret alone if the value is missing or does not fit. */

/* Reads a string of 1 to most bytes without control characters (base/utf8.h).  most is at most 1,023; ret has room for most + 1. */
MUST_USE bool json_config_text(const struct json_place *p, size_t most, char *ret);

/* Reads a whole number from least to most, written in one to nine decimal digits; least is not negative. */
MUST_USE bool json_config_number(const struct json_place *p, int least, int most, int *ret);

/* Reads a string that equals one of the words, each of at most 63 bytes; *ret becomes its index. */
MUST_USE bool json_config_word(const struct json_place *p, const char *const words[], int count, int *ret);

/* Reads true or false. */
MUST_USE bool json_config_flag(const struct json_place *p, bool *ret);

/* Whether the member is present, whatever its value. */
static inline bool json_config_given(const struct json_place *p)
{
	return p->value.len > 0;
}
