/* buf.c - a growing byte buffer with a maximum.
 *
 * The maximum is what keeps memory bounded when the bytes come from a sender: no size that a sender controls is
 * allocated without one.  Errors are sticky, so that a chain of additions needs a single check at its end.  The
 * capacity doubles, so adding n bytes in small pieces copies O(n) bytes in all.  Wiping secrets is left to the
 * caller. */

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 256 /* bytes; most replies and log lines fit, so they allocate once */

/* The single place that allocates.  max - len cannot wrap, because len never exceeds max; len + 1 is the place of the
 * NUL.  After an overflow even a piece that would fit is refused, because it would follow a gap. */
char *buf_room(struct buf *b, size_t len)
{
	if (b->overflow || len > b->max - b->len) {
		b->overflow = true;
		return NULL;
	}
	size_t need = b->len + len + 1;
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : CAP_FIRST;
		if (cap > b->max + 1)
			cap = b->max + 1;
		if (cap < need)
			cap = need;
		char *data = realloc(b->data, cap);
		if (!data) {
			b->overflow = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void buf_grown(struct buf *b, size_t len)
{
	assert(len < b->cap - b->len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *room = buf_room(b, len);
	if (!room)
		return;
	if (len)
		memcpy(room, bytes, len);
	buf_grown(b, len);
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_number(struct buf *b, size_t number)
{
	char digits[24];
	size_t first = sizeof digits;
	do {
		digits[--first] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	buf_add(b, digits + first, sizeof digits - first);
}

/* The first vsnprintf() writes into the free capacity, which is enough in most cases.  If it is not, its return value
 * is the number of bytes needed, and the second call writes them after the buffer has grown.  On an overflow the NUL is
 * put back to where it was, because the first call may have overwritten it. */
void buf_add_format(struct buf *b, const char *format, ...)
{
	va_list args, again;
	size_t left = b->overflow ? 0 : b->cap - b->len;
	va_start(args, format);
	va_copy(again, args);
	int wanted = vsnprintf(left > 0 ? b->data + b->len : NULL, left, format, args);
	char *room = wanted >= 0 ? buf_room(b, (size_t)wanted) : NULL;
	if (room) {
		if ((size_t)wanted >= left)
			vsnprintf(room, (size_t)wanted + 1, format, again);
		buf_grown(b, (size_t)wanted);
	} else {
		b->overflow = true;
		if (left > 0)
			b->data[b->len] = '\0';
	}
	va_end(again);
	va_end(args);
}

/* short_forms holds pairs: a byte and the letter of its two-character escape. */
static void add_escaped(struct buf *b, unsigned char c)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (const char *form = short_forms; *form; form += 2) {
		if ((unsigned char)*form == c) {
			buf_add(b, (const char[]){'\\', form[1]}, 2);
			return;
		}
	}
	buf_add_format(b, "\\u%04x", (unsigned)c);
}

/* Bytes that need no escape are copied in runs, not one by one. */
void buf_add_json(struct buf *b, const char *text, size_t len)
{
	size_t done = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, text + done, i - done);
		add_escaped(b, c);
		done = i + 1;
	}
	buf_add(b, text + done, len - done);
}

bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}

void buf_reset(struct buf *b, size_t keep)
{
	if (b->cap > keep) {
		buf_finish(b);
		return;
	}
	b->len = 0;
	b->overflow = false;
	if (b->data)
		b->data[0] = '\0';
}

void buf_finish(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT(b->max);
}
