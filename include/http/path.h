#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* The path of a request target, split into segments and percent-decoded once.
 *
 * The path is split at slashes before it is decoded, so %2F is part of a segment: a transaction id may contain a slash.
 * The segments "." and ".." are removed as RFC 3986, section 5.2.4, defines, also when they are percent-encoded.  The
 * path ends at "?" or "#". */

#define PATH_SEGMENTS_MAX 8
#define PATH_TEXT_MAX 512 /* decoded bytes, with a NUL for each segment; no route needs more */

struct path {
	int count;                              /* number of segments; "/" has one, which is empty */
	const char *segment[PATH_SEGMENTS_MAX]; /* point into text */
	char text[PATH_TEXT_MAX];
};

/* Reads the path of target.  FAULT_MALFORMED: the leading slash is missing, an escape is invalid or is %00, or ".."
 * leads above the root.  FAULT_ABSENT: the path is longer or deeper than any route, or ".." removes a segment that is
 * empty or contains a slash.  *ret is undefined after a fault.  It must not be copied, because the segments point into
 * it.  Segments are bytes: whether they are UTF-8 is not checked. */
MUST_USE bool path_read(const char *target, struct path *ret, struct fault *f);
