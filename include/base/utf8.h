#pragma once

#include <stddef.h>

/* UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing above U+10FFFF. */

/* The length in bytes, 1 to 4, of the character at the start of text.  Returns 0 if the bytes are not well formed, if
 * the character is longer than len, or if len is 0.  A NUL is a character of one byte. */
size_t utf8_length(const char *text, size_t len);
