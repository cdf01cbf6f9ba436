#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* The headers that the operator adds to each call of the processor: the file that PROCESSOR_HEADERS names, "Name: value"
 * on each line.  Empty lines and those that begin with "#" have no meaning.  In a value, {file:PATH} stands for the content
 * of a file, such as a token.  Pure functions but for the caller's reading of these files. */

#define CALL_HEADERS_MAX 32
#define CALL_HEADERS_FILE_MAX 65536   /* bytes of the file */
#define CALL_HEADERS_SECRET_MAX 16384 /* bytes of the content of one file that a value names */
#define CALL_HEADERS_BYTES_MAX 131072 /* bytes of all lines */

/* The lines hold secrets. */
struct call_headers {
	struct buf text;             /* the lines, "Name: value", each ending in NUL */
	size_t at[CALL_HEADERS_MAX]; /* where each begins in text */
	int count;
};

/* Appends the content of the file that a value names to ret, with CALL_HEADERS_SECRET_MAX + 1 as its maximum. */
typedef bool call_headers_secret(void *ctx, const char *path, struct buf *ret, struct fault *f);

/* Reads the file's text.  FAULT_INPUT names the line, and the header's name if that can be no secret, never a value:
 * the name is no token, is one that payhook or curl sets or that belongs to the connection, or stands there twice; the
 * value is empty, has a control character, or names a file that cannot be read. */
MUST_USE bool call_headers_read(const char *text, size_t len, call_headers_secret *secret, void *ctx,
	struct call_headers *ret, struct fault *f);

/* Wipes the values.  Accepts what is all zero. */
void call_headers_finish(struct call_headers *h);

/* Whether one of the headers has the name with which a line begins, in any case. */
bool call_headers_have(const struct call_headers *h, const char *line);
