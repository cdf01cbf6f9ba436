#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* The path of a request target, decoded once and cut into segments.
 *
 * A slash divides segments before percent-decoding, so %2F is part of a segment: an id may hold a slash.  "." and ".."
 * are resolved as RFC 3986, 5.2.4 has it, however they are written.  What follows "?" or "#" is no part of it. */

#define PATH_SEGMENTS_MAX 8
#define PATH_TEXT_MAX 512 /* decoded bytes, a NUL for each segment included; no route of ours is longer */

struct path {
	int count; /* of segments: "/" has one, which is empty */
	const char *segment[PATH_SEGMENTS_MAX];
	char text[PATH_TEXT_MAX];
};

/* FAULT_MALFORMED: no leading slash, a broken or NUL escape, a path that climbs above the root.  FAULT_ABSENT: longer or
 * deeper than any route, or climbing out of a segment that is empty or holds a slash.  The segments point into *ret, so it
 * must not be copied. */
MUST_USE bool path_read(const char *target, struct path *ret, struct fault *f);
