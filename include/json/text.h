#pragma once

#include <stddef.h>

/* What stands between the quotes of a string that json_scan() has found well formed, its escapes decoded. */

/* Decodes the byte or the escape at this place into 1 to 4 bytes; returns the place behind it. */
const char *json_text_next(const char *at, char ret[4], size_t *ret_len);

/* Decodes all of it; returns the number of bytes, which is never more than len.  ret needs no room for a NUL. */
size_t json_text_decode(const char *text, size_t len, char *ret);
