#pragma once

#include "base/base.h"
#include "base/fault.h"
#include "service.h"

/* The content of a request's body: the bytes without their content coding. */

struct content {
	const char *bytes; /* not NULL; valid until the next call of content_decode(), and while the request is */
	size_t len;
};

/* The body as it came. */
struct content content_raw(const struct request *rq);

/* Decodes the body, if it came in gzip; in a coding that is not taken, it is left as it is.  The faults are those of content_coding_gunzip(), with BODY_LIMIT for the most that
 * it may decode to. */
MUST_USE bool content_decode(const struct request *rq, struct content *ret, struct fault *f);
