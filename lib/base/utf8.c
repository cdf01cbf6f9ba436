/* utf8.c - the length of one UTF-8 character.
 *
 * PostgreSQL rejects a text parameter that is not valid UTF-8, and one such webhook would fail the statement of its
 * whole batch.  Bodies, ids and accounts are therefore checked here before they reach the database. */

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Table 3-7 of the Unicode Standard, "Well-Formed UTF-8 Byte Sequences".  The range of the second byte depends on the
 * first one; that alone excludes overlong forms, surrogates and everything above U+10FFFF.  All later bytes are 80 to
 * bf. */
static const struct form {
	unsigned char first_least, first_most, second_least, second_most;
	size_t length;
} forms[] = {
	{0x00, 0x7f, 0x00, 0xff, 1},
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static size_t length_in_form(const struct form *form, const unsigned char *c, size_t len)
{
	if (form->length == 1)
		return 1;
	if (form->length > len || c[1] < form->second_least || c[1] > form->second_most)
		return 0;
	for (size_t i = 2; i < form->length; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return form->length;
}

size_t utf8_length(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *)text;
	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (c[0] >= forms[i].first_least && c[0] <= forms[i].first_most)
			return length_in_form(&forms[i], c, len);
	}
	return 0;
}

bool utf8_is_valid(const char *text, size_t len)
{
	size_t at = 0;
	for (size_t length; (length = utf8_length(text + at, len - at)) > 0;)
		at += length;
	return at == len;
}

/* U+0080 to U+009F take two bytes: c2 80 to c2 9f. */
bool utf8_is_first_half(int unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

bool utf8_is_second_half(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

unsigned utf8_join_halves(int first, int second)
{
	return 0x10000 + ((unsigned)(first - 0xd800) << 10) + (unsigned)(second - 0xdc00);
}

bool utf8_is_control(const char *text, size_t length)
{
	unsigned char c = (unsigned char)text[0];
	if (length == 1)
		return c < 0x20 || c == 0x7f;
	return length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;
}

/* At most four bytes are looked at, since no character is longer. */
size_t utf8_whole(const char *text, size_t len)
{
	size_t start = len;
	while (start > 0 && len - start < 4) {
		start--;
		if (((unsigned char)text[start] & 0xc0) != 0x80)
			break;
	}
	return start < len && utf8_length(text + start, len - start) == 0 ? start : len;
}

void utf8_format(char *ret, size_t size, const char *format, va_list args)
{
	int wanted = vsnprintf(ret, size, format, args);
	if (wanted < 0)
		ret[0] = '\0';
	else if ((size_t)wanted >= size)
		ret[utf8_whole(ret, size - 1)] = '\0';
}

const char *utf8_printable(char *ret, size_t size, const char *text)
{
	size_t len = strlen(text), out = 0;
	for (size_t at = 0; at < len;) {
		size_t length = utf8_length(text + at, len - at);
		bool is_shown = length > 0 && !utf8_is_control(text + at, length);
		size_t room = is_shown ? length : 1;
		if (out + room >= size)
			break;
		memcpy(ret + out, is_shown ? text + at : "?", room);
		out += room;
		at += length ? length : 1;
	}
	ret[out] = '\0';
	return ret;
}
