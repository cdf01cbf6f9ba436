#pragma once

#include <stddef.h>

/* Signs webhooks as Standard Webhooks does, by libcrypto's own one-call function. */

/* What the source's file of a secret holds; it is nobody's. */
#define SIGN_SECRET "whsec_YSBrZXkgb2YgdGhlIGJlbmNoJ3MsIG5vIHNlY3JldCE="

#define SIGN_HEADERS_MAX 256 /* bytes of the three lines, each with its CR LF */

/* Writes the headers that sign a body now, and returns their length. */
size_t sign_headers(const char *body, size_t len, char ret[SIGN_HEADERS_MAX]);
