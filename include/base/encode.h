#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* Bytes written as text, read strictly: what is not exactly the form is refused, never skipped. */

enum encoding {
	ENCODING_HEX,    /* two digits a byte, in either case */
	ENCODING_BASE64, /* RFC 4648's standard alphabet, padded, unused bits zero, no line breaks */
};

/* Bytes of room that a text of len characters may need, whatever its encoding. */
#define DECODED_MAX(len) ((len) / 4 * 3 + 3)

/* Writes the text's bytes into ret, of which there are room, and how many to *ret_len.  False: it is not of that form,
 * or has more bytes than room; ret may then be half written. */
MUST_USE bool encode_read(
	enum encoding encoding, const char *text, size_t len, unsigned char *ret, size_t room, size_t *ret_len);
