#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "queue/job.h"

/* The header lines of a call that carries a webhook as it came (PROCESSOR_BODY=original): its Content-Type, the headers
 * that are kept with it, and what payhook knows of the transaction in headers of its own.  Pure functions, without
 * curl. */

#define HTTP_ORIGINAL_LINES_MAX 64           /* the kept headers are a short list, and payhook's own are eleven */
#define HTTP_ORIGINAL_KEPT_MAX (64 * 1024)   /* bytes of the JSON object; a responder keeps 2 KiB at most */
#define HTTP_ORIGINAL_BYTES_MAX (128 * 1024) /* those, decoded, and payhook's own */

struct http_original {
	struct buf text;                    /* the lines, each ending in NUL */
	size_t at[HTTP_ORIGINAL_LINES_MAX]; /* where each begins in text */
	int count;
};

/* Writes the lines for a job whose body is not NULL into *ret, as curl takes them: "name: value", and "name;" for an
 * empty value.  Left out are the user-agent, what belongs to the connection or to the message, credentials, and names
 * that payhook sets itself: none of these goes from a sender to the processor.
 *
 * Returns false if the kept headers are no JSON object within HTTP_ORIGINAL_KEPT_MAX, or too many.  A caller checks
 * buf_ok(&ret->text) besides: there may be no memory. */
MUST_USE bool http_original_lines(struct http_original *ret, const struct job *j);
