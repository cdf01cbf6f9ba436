/* json_author.c - writes random JSON documents. */

#include "support/json_author.h"

#include <string.h>

#include "json/scan.h"

#define ROOM_MAX 6 /* members or elements of one value */
#define NAME_MAX_UNITS 4

unsigned author_below(struct author *a, unsigned limit)
{
	a->state = a->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(a->state >> 33) % limit;
}

static bool one_in(struct author *a, unsigned n)
{
	return author_below(a, n) == 0;
}

static void write_byte(struct author *a, char c)
{
	buf_add(a->out, &c, 1);
}

static void write_space(struct author *a)
{
	while (one_in(a, 6))
		write_byte(a, " \t\r\n"[author_below(a, 4)]);
}

static void write_utf8(struct author *a, unsigned c)
{
	if (c < 0x80) {
		write_byte(a, (char)c);
	} else if (c < 0x800) {
		write_byte(a, (char)(0xc0 | c >> 6));
		write_byte(a, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		write_byte(a, (char)(0xe0 | c >> 12));
		write_byte(a, (char)(0x80 | (c >> 6 & 63)));
		write_byte(a, (char)(0x80 | (c & 63)));
	} else {
		write_byte(a, (char)(0xf0 | c >> 18));
		write_byte(a, (char)(0x80 | (c >> 12 & 63)));
		write_byte(a, (char)(0x80 | (c >> 6 & 63)));
		write_byte(a, (char)(0x80 | (c & 63)));
	}
}

static void write_escape(struct author *a, unsigned unit)
{
	buf_add_format(a->out, one_in(a, 2) ? "\\u%04x" : "\\u%04X", unit);
}

/* One character of a string, literally or as an escape.  Neither a surrogate nor NUL. */
static void write_character(struct author *a, unsigned c)
{
	static const char shorts[] = "\"\\/\b\f\n\r\t", letters[] = "\"\\/bfnrt";
	const char *is_short = c < 0x80 ? strchr(shorts, (int)c) : NULL;
	bool must = c < 0x20 || c == '"' || c == '\\';
	if (is_short && (must ? !one_in(a, 3) : one_in(a, 3))) {
		write_byte(a, '\\');
		write_byte(a, letters[is_short - shorts]);
	} else if (!must && !one_in(a, 5)) {
		write_utf8(a, c);
	} else if (c < 0x10000) {
		write_escape(a, c);
	} else {
		write_escape(a, 0xd800 + ((c - 0x10000) >> 10));
		write_escape(a, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static unsigned some_character(struct author *a)
{
	static const unsigned limits[] = {0x80, 0x80, 0x80, 0x100, 0x800, 0x10000, 0x110000};
	unsigned c = author_below(a, limits[author_below(a, COUNT_OF(limits))]);
	return c == 0 || (c >= 0xd800 && c < 0xe000) ? 'x' : c;
}

static void write_characters(struct author *a)
{
	for (unsigned left = author_below(a, 9); left > 0; left--)
		write_character(a, some_character(a));
	if (one_in(a, 4000)) {
		write_escape(a, 0);
		a->quirks |= QUIRK_NUL;
	}
	if (one_in(a, 4000)) {
		write_escape(a, 0xd800 + author_below(a, 0x800));
		write_byte(a, '.'); /* so that no second half of a pair follows */
		a->quirks |= QUIRK_SURROGATE;
	}
}

static void write_string(struct author *a)
{
	write_byte(a, '"');
	write_characters(a);
	write_byte(a, '"');
}

static void write_digits(struct author *a, unsigned most)
{
	for (unsigned left = 1 + author_below(a, most); left > 0; left--)
		write_byte(a, (char)('0' + author_below(a, 10)));
}

static void write_number(struct author *a)
{
	if (one_in(a, 3))
		write_byte(a, '-');
	if (one_in(a, 4)) {
		write_byte(a, '0');
	} else {
		write_byte(a, (char)('1' + author_below(a, 9)));
		if (!one_in(a, 3))
			write_digits(a, 16);
	}
	if (one_in(a, 2)) {
		write_byte(a, '.');
		write_digits(a, 12);
	}
	if (one_in(a, 4)) {
		write_byte(a, "eE"[author_below(a, 2)]);
		if (one_in(a, 2))
			write_byte(a, "+-"[author_below(a, 2)]);
		write_digits(a, 2);
	}
}

/* A number beyond an integer of 64 bits, or beyond a double. */
static void write_huge(struct author *a)
{
	buf_add_text(a->out, one_in(a, 2) ? "-" : "");
	buf_add_text(a->out, one_in(a, 2) ? "12345678901234567890123" : "1.5E+309");
	a->quirks |= QUIRK_HUGE;
}

static void write_value(struct author *a);

static void write_elements(struct author *a)
{
	for (unsigned i = 0, count = author_below(a, ROOM_MAX); i < count; i++) {
		if (i > 0)
			write_byte(a, ',');
		write_space(a);
		write_value(a);
		write_space(a);
	}
}

/* A name with these characters, each written literally or as an escape. */
static void write_name(struct author *a, const unsigned *units, unsigned count)
{
	write_byte(a, '"');
	for (unsigned i = 0; i < count; i++)
		write_character(a, units[i]);
	write_byte(a, '"');
}

/* The last character of a name is its index in the object, so no name occurs twice by accident. */
static void write_members(struct author *a)
{
	unsigned units[NAME_MAX_UNITS + 1], count = 0;
	for (unsigned i = 0, members = author_below(a, ROOM_MAX); i < members; i++) {
		if (i > 0 && one_in(a, 3000)) {
			a->quirks |= QUIRK_TWICE;
		} else {
			count = 0;
			while (count < NAME_MAX_UNITS && !one_in(a, 3))
				units[count++] = some_character(a);
			units[count++] = 'a' + i;
		}
		buf_add_text(a->out, i > 0 ? "," : "");
		write_space(a);
		write_name(a, units, count);
		write_space(a);
		write_byte(a, ':');
		write_space(a);
		write_value(a);
		write_space(a);
	}
}

static void write_nest(struct author *a, bool is_object)
{
	if (++a->depth > JSON_DEPTH_MAX)
		a->quirks |= QUIRK_DEEP;
	write_byte(a, is_object ? '{' : '[');
	write_space(a);
	if (is_object)
		write_members(a);
	else
		write_elements(a);
	write_byte(a, is_object ? '}' : ']');
	a->depth--;
}

/* Some documents have a deep chain of nested values, to the limit or slightly beyond. */
static void write_shaft(struct author *a, int levels)
{
	char shape[JSON_DEPTH_MAX * 2];
	int count = 0;
	for (; count < levels; count++) {
		shape[count] = "{["[author_below(a, 2)];
		buf_add_text(a->out, shape[count] == '{' ? "{\"\":" : "[");
	}
	a->depth += levels;
	write_value(a);
	a->depth -= levels;
	if (a->depth + levels > JSON_DEPTH_MAX)
		a->quirks |= QUIRK_DEEP;
	while (count > 0)
		write_byte(a, shape[--count] == '{' ? '}' : ']');
}

static void write_value(struct author *a)
{
	static const char *const words[] = {"true", "false", "null"};
	unsigned kind = author_below(a, a->depth < 5 ? 10 : 7);
	if (kind >= 7)
		write_nest(a, kind == 7);
	else if (kind >= 4)
		write_string(a);
	else if (kind >= 1 && one_in(a, 3000))
		write_huge(a);
	else if (kind >= 1)
		write_number(a);
	else if (a->depth < 5 && one_in(a, 400))
		write_shaft(a, JSON_DEPTH_MAX - 5 + (int)author_below(a, 8));
	else
		buf_add_text(a->out, words[author_below(a, 3)]);
}

void author_write(struct author *a, struct buf *out)
{
	buf_reset(out, JSON_TEXT_MAX);
	a->out = out;
	a->quirks = 0;
	a->depth = 0;
	if (one_in(a, 500)) {
		buf_add_text(out, "\xef\xbb\xbf");
		a->quirks |= QUIRK_MARK;
	}
	write_space(a);
	bool is_array = one_in(a, 100);
	write_nest(a, !is_array);
	a->quirks |= is_array ? QUIRK_ARRAY : 0;
	write_space(a);
}
