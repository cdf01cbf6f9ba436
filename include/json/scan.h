#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* A strict validator of JSON.  It runs before any other code reads the text.
 *
 * It accepts the grammar of RFC 8259 in well-formed UTF-8, except where JSON readers are known to differ: a byte order
 * mark, a NUL, an object that names a member twice, nesting beyond JSON_DEPTH_MAX, and any byte but white space after the
 * value are errors.  The top value must be an object.  The escapes \u0000 and of half a surrogate pair are no errors here:
 * a string that is kept is checked by its reader (json/text.h).
 *
 * The expected time is linear in len, whatever the text is; nothing is allocated.  The table that finds duplicate names
 * is static, so two threads must not scan at once. */

#define JSON_DEPTH_MAX 32           /* levels of objects and arrays, including the outermost */
#define JSON_TEXT_MAX (1024 * 1024) /* bytes of a text; longer ones are FAULT_TOO_LARGE */

/* Validates len bytes; no NUL is needed after them.  The text of a FAULT_MALFORMED names the problem and its byte,
 * counted from 0. */
MUST_USE bool json_scan(const char *text, size_t len, struct fault *f);

/* Does the same, and writes to *ret the byte at which reading stopped: len on success, 0 for FAULT_TOO_LARGE, and for
 * FAULT_MALFORMED the byte in the fault's text. */
MUST_USE bool json_scan_at(const char *text, size_t len, size_t *ret, struct fault *f);

/* Does the same as json_scan(), and accepts an array at the top as well. */
MUST_USE bool json_scan_nest(const char *text, size_t len, struct fault *f);
