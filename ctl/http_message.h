#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* An HTTP request as text, as somebody has captured it.  It is read strictly and within bounds; but not what comes over a
 * network is read here, which is nginx's. */

#define HTTP_HEAD_MAX (32 * 1024) /* bytes before the body, as much as nginx takes */
#define HTTP_HEADERS_MAX 100

struct http_header {
	const char *name; /* lower case */
	const char *value;
};

/* All of it points into the text. */
struct http_message {
	const char *method, *target;
	int count;
	struct http_header header[HTTP_HEADERS_MAX];
	const char *body; /* the bytes behind the head, none of them changed */
	size_t len;
};

/* Reads a request line, headers, an empty line and a body; lines end with LF or CR LF.  The head is read where it stands:
 * it is cut into texts, each with a NUL behind.  On failure the fault is FAULT_MALFORMED and names the line; of a value it
 * shows nothing. */
MUST_USE bool http_message_read(char *text, size_t len, struct http_message *ret, struct fault *f);

/* The value of a header by its name in lower case, of several the first, as a responder gets it; NULL: there is none. */
const char *http_message_header(const struct http_message *m, const char *name);
