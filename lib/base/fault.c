/* fault.c - the reason of a failed call, as one value.
 *
 * A fault is a plain struct with a bounded text, so that a failure allocates nothing and can be reported when memory
 * has run out.  The text may go to a log and to a sender, so a sender's text in it is quoted by fault_quote(),
 * which leaves no control character.  Translating a kind into an HTTP status or a retry is left to the
 * programs. */

#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Removes the last character if the truncation left only its first bytes.  At most four bytes are looked at, since no
 * UTF-8 character is longer. */
static void fault_drop_half_character(char *text, size_t len)
{
	size_t start = len;
	while (start > 0 && len - start < 4) {
		start--;
		if (((unsigned char)text[start] & 0xc0) != 0x80)
			break;
	}
	if (start < len && utf8_length(text + start, len - start) == 0)
		text[start] = '\0';
}

void fault_write(struct fault *f, enum fault_kind kind, const char *format, ...)
{
	/* The text is formatted in a copy, because a caller may extend the fault it has:
	 * fault_set(f, f->kind, "row 3: %s", f->text). */
	char text[FAULT_TEXT_MAX];
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(text, sizeof text, format, args);
	va_end(args);

	if (wanted < 0)
		text[0] = '\0';
	else if ((size_t)wanted >= sizeof text)
		fault_drop_half_character(text, sizeof text - 1);
	f->kind = kind;
	memcpy(f->text, text, strlen(text) + 1);
}

/* Writes one character in readable form, without a NUL, and returns the number of bytes, at most 6.  len is its length
 * in bytes; 0 means that text points to a byte that is not UTF-8. */
static size_t show_character(char ret[8], const char *text, size_t len)
{
	unsigned char c = (unsigned char)text[0];
	bool is_c1 = len == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;
	if (len == 0)
		return (size_t)snprintf(ret, 8, "\\x%02x", (unsigned)c);
	if (c < 0x20 || c == 0x7f || is_c1)
		return (size_t)snprintf(ret, 8, "\\u%04x", (unsigned)(is_c1 ? (unsigned char)text[1] : c));
	memcpy(ret, text, len);
	return len;
}

/* sizeof cut counts the NUL, so there is always room for the ellipsis, the closing quote and the NUL. */
const char *fault_quote(const char *text, size_t len, char ret[FAULT_QUOTE_MAX])
{
	static const char cut[] = "...\"";
	size_t out = 0;
	ret[out++] = '"';
	for (size_t at = 0; at < len;) {
		char shown[8];
		size_t width = utf8_length(text + at, len - at);
		size_t room = show_character(shown, text + at, width);
		if (out + room + sizeof cut > FAULT_QUOTE_MAX) {
			memcpy(ret + out, cut, sizeof cut);
			return ret;
		}
		memcpy(ret + out, shown, room);
		out += room;
		at += width ? width : 1;
	}
	ret[out++] = '"';
	ret[out] = '\0';
	return ret;
}
