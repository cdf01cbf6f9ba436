/* text.c - decodes the content of a JSON string.
 *
 * One character is decoded at a time, so that a name can be compared without a copy.  Nothing is checked:
 * json_scan() has done that, and no escape in the text is incomplete. */

#include "json/text.h"

#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"

/* Writes a code point in UTF-8 and returns the end. */
static char *put_character(char *out, unsigned code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Decodes an escape of \u and four hex digits, or a surrogate pair of two such escapes, to a code point; half of a pair
 * stands for itself.  Returns the byte after it.  The string's closing quote, at the latest, ends the look-ahead. */
static const char *unicode_escape(const char *at, unsigned *code)
{
	int unit = ascii_hex(at + 2, 4);
	const char *next = at + 6;
	*code = (unsigned)unit;
	if (!utf8_is_first_half(unit) || next[0] != '\\' || next[1] != 'u' ||
		!utf8_is_second_half(ascii_hex(next + 2, 4)))
		return next;
	*code = utf8_join_halves(unit, ascii_hex(next + 2, 4));
	return next + 6;
}

/* The byte that a backslash and this letter stand for; a quote, a backslash and a slash stand for themselves. */
static char short_escape(char letter)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *found = strchr(from, letter);
	return (char)(found ? to[found - from] : letter);
}

const char *json_text_next(const char *at, char ret[4], size_t *ret_len)
{
	unsigned code;
	if (*at != '\\') {
		ret[0] = *at;
		*ret_len = 1;
		return at + 1;
	}
	if (at[1] != 'u') {
		ret[0] = short_escape(at[1]);
		*ret_len = 1;
		return at + 2;
	}
	at = unicode_escape(at, &code);
	*ret_len = (size_t)(put_character(ret, code) - ret);
	return at;
}

size_t json_text_decode(const char *text, size_t len, char *ret)
{
	size_t out = 0;
	for (const char *at = text; at < text + len;) {
		size_t written;
		char bytes[4];
		at = json_text_next(at, bytes, &written);
		memcpy(ret + out, bytes, written);
		out += written;
	}
	return out;
}
