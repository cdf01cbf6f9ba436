/* encode.c - strict decoding of hexadecimal and base64 (RFC 4648).
 *
 * The length is checked first, and nothing is written that does not fit.  The running time depends on the text.  That
 * is safe for a signature, because the sender knows what it sent: only the comparison with the expected signature must
 * be constant in time, and it is not made here. */

#include "base/encode.h"

#include "base/ascii.h"

static bool read_hex(const char *text, size_t len, unsigned char *ret, size_t room, size_t *ret_len)
{
	if (len % 2 != 0 || len / 2 > room)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		int byte = ascii_hex(text + 2 * i, 2);
		if (byte < 0)
			return false;
		ret[i] = (unsigned char)byte;
	}
	*ret_len = len / 2;
	return true;
}

/* The digit's value, or -1.  "=" is not a digit, so padding in the middle of a text is invalid. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/* Padding characters, 0 to 2.  len is a multiple of 4.  A third "=" is left to the digits, where it is invalid. */
static size_t padding(const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

static bool read_base64(const char *text, size_t len, unsigned char *ret, size_t room, size_t *ret_len)
{
	if (len % 4 != 0)
		return false;
	size_t digits = len - padding(text, len);
	size_t bytes = digits * 6 / 8;
	if (bytes > room)
		return false;
	unsigned bits = 0; /* the last digits, six bits each; older ones are shifted out */
	size_t written = 0;
	for (size_t i = 0; i < digits; i++) {
		int digit = base64_digit(text[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		if (i % 4 != 0)
			ret[written++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	/* Bits of the last digit that belong to no byte must be zero, so that one value has one text (RFC 4648,
	 * 3.5). */
	unsigned unused = digits % 4 == 2 ? 0xf : digits % 4 == 3 ? 0x3 : 0;
	if (bits & unused)
		return false;
	*ret_len = written;
	return true;
}

bool encode_read(enum encoding encoding, const char *text, size_t len, unsigned char *ret, size_t room, size_t *ret_len)
{
	switch (encoding) {
	case ENCODING_HEX:
		return read_hex(text, len, ret, room, ret_len);
	case ENCODING_BASE64:
		return read_base64(text, len, ret, room, ret_len);
	}
	return false;
}

size_t encode_write_base64(const unsigned char *bytes, size_t len, char *ret)
{
	static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;
	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)bytes[i] << 16;
		bits |= i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0;
		bits |= i + 2 < len ? (unsigned)bytes[i + 2] : 0;
		ret[at++] = DIGITS[bits >> 18];
		ret[at++] = DIGITS[bits >> 12 & 63];
		ret[at++] = (char)(i + 1 < len ? DIGITS[bits >> 6 & 63] : '=');
		ret[at++] = (char)(i + 2 < len ? DIGITS[bits & 63] : '=');
	}
	ret[at] = '\0';
	return at;
}
