#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* A growing byte buffer with a maximum that is set when it is initialized.
 *
 * An addition that would exceed the maximum, or for which there is no memory, adds nothing and marks the buffer as
 * overflowed.  All later additions are ignored until buf_reset().  The content is therefore always a prefix of the
 * intended text, never a text with a gap, and a writer calls buf_ok() once, after the last piece.
 *
 * No argument may point into the buffer itself, because growing moves the bytes. */

struct buf {
	char *data;    /* ends in a NUL that len does not count; NULL before the first addition */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* upper bound of len; up to max + 1 bytes are allocated */
	bool overflow; /* an addition failed since the last reset */
};

/* An empty buffer that grows to most bytes.  Nothing is allocated before the first addition. */
#define BUF_INIT(most) ((struct buf){.max = (most)})

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_number(struct buf *b, size_t number); /* decimal */
void buf_add_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds text as the content of a JSON string (RFC 8259, section 7).  Quotes, backslashes and control characters are
 * escaped; all other bytes are copied, so text must be UTF-8.  The caller adds the quotes around it. */
void buf_add_json(struct buf *b, const char *text, size_t len);

/* Makes room for len more bytes and their NUL, and returns the place for them.  Returns NULL, and marks the overflow,
 * if there is no room.  The place is valid until the next addition. */
char *buf_room(struct buf *b, size_t len);

/* Counts len bytes, at most as many as buf_room() was asked for, that the caller has written to that place. */
void buf_grown(struct buf *b, size_t len);

/* Whether every addition since the last reset is in the buffer. */
MUST_USE bool buf_ok(const struct buf *b);

/* Empties the buffer and clears the overflow.  The memory is kept for reuse, unless more than keep bytes are allocated:
 * one large body must not occupy memory for the rest of the process. */
void buf_reset(struct buf *b, size_t keep);

/* Frees the memory.  The buffer is then as BUF_INIT() leaves it, with the same maximum.  The bytes are not wiped. */
void buf_finish(struct buf *b);
