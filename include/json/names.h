#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* Finds duplicate member names in the objects that json_scan() has open.  Only lib/json/scan.c uses it.
 *
 * The expected time to add a name depends on its length only.  It does not grow with the number of names, even if a
 * sender chooses them to collide.  The tables are static, so one text at a time can be read. */

#define JSON_NAMES_TEXT_MAX (1024 * 1024) /* bytes of the longest text whose names fit in the tables */
#define JSON_NAMES_DEPTH_MAX 32           /* objects open at once */

struct json_name {
	const char *bytes; /* in the text, or decoded in a static table; valid until json_names_begin() */
	size_t len;        /* bytes */
	bool has_escape;   /* the bytes still hold backslash escapes */
};

/* One open object. */
struct json_names {
	size_t first; /* index of its first name among the names of all open objects */
	size_t count;
	uint32_t id; /* marks its entries in the hash table; 0 while its names are compared one by one */
};

/* Forgets the names of the previous text; the next has len bytes, JSON_NAMES_TEXT_MAX at most. */
void json_names_begin(size_t len);

/* json_names_open() opens an object inside the open ones; json_names_close() closes the innermost one.  When a text
 * turns out to be invalid, its objects need not be closed: json_names_begin() forgets them. */
struct json_names json_names_open(void);
void json_names_close(struct json_names *names);

/* Decodes the escapes of a name: "\u0061" becomes "a".  The escapes must be well formed. */
void json_name_decode(struct json_name *name);

/* Adds a decoded name to the innermost open object.  Returns false if the object has that name already; the object must
 * then not be added to any more. */
MUST_USE bool json_names_add(struct json_names *names, const struct json_name *name);
