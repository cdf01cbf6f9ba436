#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* A strict reading of JSON, before any library sees it.
 *
 * Accepts exactly RFC 8259's grammar in well-formed UTF-8, less what nobody reads the same way twice: a byte order
 * mark, NUL and \u0000, unpaired surrogate escapes, an object that names a member twice, nesting beyond
 * JSON_DEPTH_MAX, and any byte after the value but white space.  The top value must be an object.
 *
 * Time is linear in len, whatever the text; nothing is allocated.  Not for two threads at once: the table that finds
 * duplicate names is static. */

#define JSON_DEPTH_MAX 32         /* levels of objects and arrays, the outermost counted */
#define JSON_TEXT_MAX (64 * 1024) /* bytes of a text; longer ones are FAULT_TOO_LARGE */

/* FAULT_MALFORMED says what is wrong and at which byte, counted from 0. */
MUST_USE bool json_scan(const char *text, size_t len, struct fault *f);

/* The same as json_scan(), and on FAULT_MALFORMED says at which byte. */
MUST_USE bool json_scan_at(const char *text, size_t len, size_t *ret, struct fault *f);
