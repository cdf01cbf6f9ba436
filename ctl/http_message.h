#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* A captured HTTP/1.1 request as text (RFC 9112), read strictly and within bounds.
 *
 * This parser is for the operator's files alone.  It never reads from a network: the parser that faces the internet is
 * nginx's. */

#define HTTP_HEAD_MAX (32 * 1024) /* bytes before the body; nginx accepts as much (large_client_header_buffers 4 8k) */
#define HTTP_HEADERS_MAX 100      /* in one request */

struct http_header {
	const char *name;  /* lower case */
	const char *value; /* without white space around it */
};

/* All pointers lead into the text that was read, and are valid as long as it is. */
struct http_message {
	const char *method, *target;
	int count;
	struct http_header header[HTTP_HEADERS_MAX];
	const char *body; /* the bytes after the empty line, unchanged; no NUL follows */
	size_t len;
};

/* Reads a request line, headers, an empty line and a body.  Lines end in LF or CR LF, since editors change line ends.
 * The head is parsed in place: delimiters in text are overwritten by NUL bytes, on failure too.
 *
 * A header continued on a second line and Transfer-Encoding are errors: the signature covers the body itself, not its
 * chunks.  The fault is FAULT_MALFORMED and names the line; it never quotes a header's value, which may be a
 * credential. */
MUST_USE bool http_message_read(char *text, size_t len, struct http_message *ret, struct fault *f);

/* Returns the value of a header, by its name in lower case; NULL: there is none.  If there are several, the first
 * one's: a caller to which it matters asks http_message_repeats(). */
const char *http_message_header(const struct http_message *m, const char *name);

/* Whether there are several headers of this name, in lower case. */
bool http_message_repeats(const struct http_message *m, const char *name);
