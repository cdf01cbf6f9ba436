#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of ASCII, whatever the locale is: the functions of ctype.h depend on it. */

/* The value of len hexadecimal digits in either case; -1 if one of them is none.  len is 1 to 7. */
int ascii_hex(const char *text, size_t len);

/* Whether a byte is printable: a space, or one that has a glyph. */
bool ascii_is_printable(char c);

/* Changes the letters of a text to lower case. */
void ascii_lower(char *text);

/* Moves the start and reduces the length, so that no white space is left at either end: spaces, tabs, CR and LF. */
void ascii_trim(const char **text, size_t *len);
