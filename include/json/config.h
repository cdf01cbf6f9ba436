#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "json/value.h"

/* A configuration in JSON, read strictly: a member that nobody knows is refused, and each complaint says in which line
 * and by which pointer, with the value where it may be shown: a file of secrets has none of its text in a complaint. */

struct json_config {
	const char *file; /* its name, for complaints */
	const char *text;
	void (*report)(void *ctx, const char *complaint);
	void *ctx;
	int complaints;
	bool is_discreet; /* complaints quote nothing of it, as a secret may have got into it where none belongs */
};

/* A value of it and the way there: a member or an element of the outer one. */
struct json_place {
	struct json_config *config;
	const struct json_place *outer; /* NULL: this is the top */
	const char *name;               /* of the member; NULL: an element */
	int index;
	struct json_value value; /* len 0: there is none */
};

/* Complains and returns false when the text is not one strict JSON object (json_scan.h). */
MUST_USE bool json_config_open(struct json_config *c, size_t len, struct json_place *ret);

/* "sources.json:3: /sources/0/name: ..." */
void json_config_complain(const struct json_place *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* The members of an object by their names; those that are not there have no value.  Complains about others, and when it
 * is no object; then ret is all without values. */
void json_config_members(const struct json_place *p, const char *const names[], struct json_place ret[], int count);

/* The elements of an array, at least one.  Returns how many; complains, and returns 0, when there are more than most. */
int json_config_elements(const struct json_place *p, struct json_place ret[], int most);

/* These three complain, return false and leave ret alone when the value is another one. */

/* A string of 1 to most bytes without control characters; ret has room for most + 1. */
MUST_USE bool json_config_text(const struct json_place *p, size_t most, char *ret);

/* A whole number of these bounds. */
MUST_USE bool json_config_number(const struct json_place *p, int least, int most, int *ret);

/* One of some words; ret is its index. */
MUST_USE bool json_config_word(const struct json_place *p, const char *const words[], int count, int *ret);

static inline bool json_config_given(const struct json_place *p)
{
	return p->value.len > 0;
}
