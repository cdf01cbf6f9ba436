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

void fault_write(struct fault *f, enum fault_kind kind, const char *format, ...)
{
	/* The text is formatted in a copy, because a caller may extend the fault it has:
	 * fault_set(f, f->kind, "row 3: %s", f->text). */
	char text[FAULT_TEXT_MAX];
	va_list args;
	va_start(args, format);
	utf8_format(text, sizeof text, format, args);
	va_end(args);
	f->kind = kind;
	memcpy(f->text, text, strlen(text) + 1);
}

/* Writes one character in readable form, without a NUL, and returns the number of bytes, at most 6.  len is its length
 * in bytes; 0 means that text points to a byte that is not UTF-8. */
static size_t show_character(char ret[8], const char *text, size_t len)
{
	unsigned char c = (unsigned char)text[0];
	if (len == 0)
		return (size_t)snprintf(ret, 8, "\\x%02x", (unsigned)c);
	/* The last byte of a control character is its code. */
	if (utf8_is_control(text, len))
		return (size_t)snprintf(ret, 8, "\\u%04x", (unsigned)(unsigned char)text[len - 1]);
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
