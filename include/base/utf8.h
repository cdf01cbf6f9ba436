#pragma once

#include <stddef.h>

/* Characters in UTF-8, as RFC 3629 has them: no overlong form, no surrogate, nothing above U+10FFFF. */

/* Bytes of the well-formed character that text begins with; 0 if it begins with none or len ends inside it. */
size_t utf8_length(const char *text, size_t len);
