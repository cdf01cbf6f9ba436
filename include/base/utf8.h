#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing above U+10FFFF. */

/* The length in bytes, 1 to 4, of the character at the start of text.  Returns 0 if the bytes are not well formed, if
 * the character is longer than len, or if len is 0.  A NUL is a character of one byte. */
size_t utf8_length(const char *text, size_t len);

/* Whether all bytes are well-formed characters.  No bytes are. */
bool utf8_is_valid(const char *text, size_t len);

/* The two halves by which UTF-16, and so a JSON escape, writes a character above U+FFFF: the first is D800 to DBFF, the
 * second DC00 to DFFF (RFC 2781, section 2).  A negative number is neither. */
bool utf8_is_first_half(int unit);
bool utf8_is_second_half(int unit);

/* The code point of a first and a second half. */
unsigned utf8_join_halves(int first, int second);

/* Whether a character of this length, as utf8_length() returns it, is a control character: C0 (U+0000 to U+001F), DEL
 * (U+007F) or C1 (U+0080 to U+009F).  Each of them could control the terminal that shows the text.  Bytes that are no
 * character, length 0, are none. */
bool utf8_is_control(const char *text, size_t length);

/* The length in bytes of the text without the first bytes of a character at its end, which a truncation has left. */
size_t utf8_whole(const char *text, size_t len);

/* Formats as vsnprintf() does, into ret[size].  A text of size bytes or more is truncated between two characters. */
void utf8_format(char *ret, size_t size, const char *format, va_list args) PRINTF_LIKE(3, 0);

/* Copies text for people into ret[size], truncated between two characters.  Each control character and each byte that
 * is not UTF-8 becomes '?'.  Returns ret. */
const char *utf8_printable(char *ret, size_t size, const char *text);
