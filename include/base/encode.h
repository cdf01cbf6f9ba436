#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Decodes bytes that were written as text.  Decoding is strict: white space, line breaks and any other character
 * outside the alphabet make the whole text invalid.  A value therefore has one text only, apart from the case of
 * hexadecimal digits. */

enum encoding {
	ENCODING_HEX,    /* RFC 4648, section 8: two digits for each byte, in either case */
	ENCODING_BASE64, /* RFC 4648, section 4: standard alphabet, padded, unused bits zero */
};

/* Bytes that a text of len characters decodes to at most, in either encoding. */
#define DECODED_MAX(len) ((len) / 4 * 3 + 3)

/* Decodes len characters into ret, which holds room bytes, and writes the number of bytes to *ret_len.  Returns false
 * if the text is not valid in this encoding or has more than room bytes.  ret may then be partly written; *ret_len is
 * unchanged. */
MUST_USE bool encode_read(
	enum encoding encoding, const char *text, size_t len, unsigned char *ret, size_t room, size_t *ret_len);

#define ENCODE_BASE64_MAX(len) (((len) + 2) / 3 * 4 + 1) /* bytes of the text of len bytes, its NUL included */

/* Writes len bytes in base64 into ret, which holds ENCODE_BASE64_MAX(len) bytes, and returns the length of the text. */
size_t encode_write_base64(const unsigned char *bytes, size_t len, char *ret);
