/* ascii.c - bytes of ASCII.
 *
 * Header names, hexadecimal digits and configuration are ASCII by their standards, so the locale must not have a say.  No
 * byte above 0x7f is a letter, a digit, white space or printable here.  Text of people is UTF-8 and left to utf8.c. */

#include "base/ascii.h"

static int ascii_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ascii_hex(const char *text, size_t len)
{
	int value = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = ascii_hex_digit(text[i]);
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

bool ascii_is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

void ascii_lower(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

/* A NUL is not white space: it may be a byte of a secret. */
static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void ascii_trim(const char **text, size_t *len)
{
	while (*len > 0 && is_space((*text)[*len - 1]))
		--*len;
	while (*len > 0 && is_space(**text)) {
		++*text;
		--*len;
	}
}
