#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* The names of the objects that json_scan() has open, to find one that stands twice.  Only json_scan.c uses it.
 *
 * Adding a name takes a time that depends on the name's length alone, however many there are and whoever chose them.
 * Static tables: one text at a time. */

#define JSON_NAMES_TEXT_MAX (64 * 1024) /* bytes of the longest text whose names fit into the tables */
#define JSON_NAMES_DEPTH_MAX 32         /* objects open at once */

struct json_name {
	const char *bytes; /* inside the text, or decoded into a table of ours; valid until the next text */
	size_t len;
	bool has_escape; /* bytes are still as written, with backslashes */
};

/* One open object. */
struct json_names {
	size_t first; /* where its names begin among those of all open objects */
	size_t count;
	uint32_t id; /* which entries of the hash table are its; 0 while it is too small to need any */
};

/* Forgets the text before. */
void json_names_begin(void);

struct json_names json_names_open(void);
void json_names_close(struct json_names *names);

/* Takes the escapes out of a name that json_scan() found well formed; "\u0061" becomes "a". */
void json_name_decode(struct json_name *name);

/* False: the object has that name already.  Inner objects must be closed before their outer one is added to. */
MUST_USE bool json_names_add(struct json_names *names, const struct json_name *name);
