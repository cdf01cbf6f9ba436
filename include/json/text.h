#pragma once

#include <stddef.h>

/* Decodes the content of a JSON string, without its quotes.  json_scan() must have accepted the text: escapes are not
 * checked again, and malformed ones would be read past the end.
 *
 * What is decoded may hold a NUL, and half of a surrogate pair that stands alone.  Such a half becomes the three bytes that
 * UTF-8 would have for it, which utf8_length() refuses: no two different texts decode to the same bytes. */

/* Decodes the byte or the escape at this address into 1 to 4 bytes of UTF-8.  Returns the address of the next byte or
 * escape. */
const char *json_text_next(const char *at, char ret[4], size_t *ret_len);

/* Decodes len bytes into ret and returns the number of bytes written, which is at most len.  No NUL is added. */
size_t json_text_decode(const char *text, size_t len, char *ret);
