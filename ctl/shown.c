/* shown.c - makes text from outside fit for a terminal, and knows how wide it is there.
 *
 * The escape keeps every byte: an operator has to tell two ids apart that differ in a control character only, and to pass
 * one on to the next command.  The ranges of wide characters are the blocks of East Asian scripts and of emoji, not the
 * whole table of Unicode: a mistake costs the alignment of one line. */

#include "shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES (64 * 1024) /* a detail of 2,000 characters, each escaped, has 32,000 */
#define MADE_MAX 16384

struct range {
	unsigned first, last;
};

/* Characters of no width of their own that act on their neighbours: directions, joiners, the byte order mark. */
static const struct range HIDDEN[] = {
	{0x00ad, 0x00ad},
	{0x061c, 0x061c},
	{0x180e, 0x180e},
	{0x200b, 0x200f},
	{0x2028, 0x202e},
	{0x2060, 0x206f},
	{0xfeff, 0xfeff},
	{0xfff9, 0xfffb},
	{0xe0000, 0xe0fff},
};
static const struct range COMBINING[] = {
	{0x0300, 0x036f},
	{0x0483, 0x0489},
	{0x0591, 0x05bd},
	{0x064b, 0x065f},
	{0x0e31, 0x0e31},
	{0x0e34, 0x0e3a},
	{0x1ab0, 0x1aff},
	{0x1dc0, 0x1dff},
	{0x20d0, 0x20ff},
	{0xfe00, 0xfe0f},
	{0xfe20, 0xfe2f},
};
static const struct range WIDE[] = {
	{0x1100, 0x115f},
	{0x2e80, 0xa4cf},
	{0xa960, 0xa97f},
	{0xac00, 0xd7a3},
	{0xf900, 0xfaff},
	{0xfe30, 0xfe6f},
	{0xff00, 0xff60},
	{0xffe0, 0xffe6},
	{0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd},
};

static bool is_in_ranges(const struct range *ranges, size_t count, unsigned point)
{
	for (size_t i = 0; i < count; i++) {
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	}
	return false;
}

/* The code point of a well-formed character of this length, 1 to 4. */
static unsigned code_point(const char *text, size_t length)
{
	static const unsigned char MASKS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned point = (unsigned char)text[0] & MASKS[length];
	for (size_t i = 1; i < length; i++)
		point = point << 6 | ((unsigned char)text[i] & 0x3f);
	return point;
}

/* Whether a well-formed character of this length may be shown as it is. */
static bool is_harmless(const char *text, size_t length)
{
	return !utf8_is_control(text, length) && !is_in_ranges(HIDDEN, COUNT_OF(HIDDEN), code_point(text, length));
}

/* As UTF-16 has it (RFC 8259, section 7). */
static void add_json_escape(struct buf *b, unsigned point)
{
	if (point < 0x10000)
		buf_add_format(b, "\\u%04x", point);
	else
		buf_add_format(
			b, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10), 0xdc00 + ((point - 0x10000) & 0x3ff));
}

void shown_add_json(struct buf *b, const char *text)
{
	size_t len = strlen(text);
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(text + at, len - at);
		if (length > 0 && text[at] != '\n' && !is_harmless(text + at, length))
			add_json_escape(b, code_point(text + at, length));
		else
			buf_add(b, length > 0 ? text + at : "?", length > 0 ? length : 1);
		length = length ? length : 1;
	}
}

void shown_add(struct buf *b, const char *text)
{
	size_t len = strlen(text);
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(text + at, len - at);
		bool is_shown = length > 0 && is_harmless(text + at, length);
		length = length ? length : 1;
		if (is_shown)
			buf_add(b, text + at, length);
		for (size_t i = 0; i < length && !is_shown; i++)
			buf_add_format(b, "\\x%02x", (unsigned)(unsigned char)text[at + i]);
	}
}

size_t shown_width(const char *text)
{
	size_t len = strlen(text), width = 0;
	for (size_t at = 0, length; at < len; at += length) {
		length = utf8_length(text + at, len - at);
		unsigned point = length ? code_point(text + at, length) : 0;
		if (is_in_ranges(WIDE, COUNT_OF(WIDE), point))
			width += 2;
		else if (!is_in_ranges(COMBINING, COUNT_OF(COMBINING), point))
			width++;
		length = length ? length : 1;
	}
	return width;
}

void shown_line(const char *label, const char *text)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	shown_add(&line, text);
	printf("  %-9s %s%s\n", label, line.data ? line.data : "", buf_ok(&line) ? "" : "...");
	buf_finish(&line);
}

void shown_format(const char *label, const char *format, ...)
{
	char made[MADE_MAX];
	va_list args;
	va_start(args, format);
	utf8_format(made, sizeof made, format, args);
	va_end(args);
	shown_line(label, made);
}
