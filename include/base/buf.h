#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Bytes that grow, up to a maximum given at birth.
 *
 * What would pass the maximum, or what memory cannot hold, is not added and leaves the buffer marked as overflown;
 * so a writer adds piece after piece and asks buf_ok() once at the end. */

struct buf {
	char *data;    /* always ends in a NUL that len does not count, once anything was added */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* bytes that len may reach */
	bool overflow; /* something did not fit since the last reset */
};

#define BUF_INIT(most) ((struct buf){.max = (most)})

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_number(struct buf *b, size_t number); /* decimal */
void buf_add_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds text as the inside of a JSON string: quotes, backslashes and control characters escaped, other bytes as
 * they are.  The caller adds the quotes around it. */
void buf_add_json(struct buf *b, const char *text, size_t len);

/* Makes room for len more bytes and returns where they go, or NULL (and marks the overflow).  buf_grown() then says
 * how many were written. */
char *buf_room(struct buf *b, size_t len);
void buf_grown(struct buf *b, size_t len);

MUST_USE bool buf_ok(const struct buf *b);

/* Empties it and keeps its memory, unless it holds more than keep bytes: a rare large body is not paid for ever. */
void buf_reset(struct buf *b, size_t keep);
void buf_finish(struct buf *b);
