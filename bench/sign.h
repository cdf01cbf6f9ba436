#pragma once

#include <stddef.h>

/* Signs webhooks by the Standard Webhooks specification (standardwebhooks.com), with libcrypto's one-call HMAC(). */

/* The content of the source's secret file: a key of the bench, which protects nothing. */
#define SIGN_SECRET "whsec_YSBrZXkgb2YgdGhlIGJlbmNoJ3MsIG5vIHNlY3JldCE="

#define SIGN_HEADERS_MAX 256 /* bytes of the three header lines, each with CR LF */

/* Writes the headers that sign a body at the present time; returns their length. */
size_t sign_headers(const char *body, size_t len, char ret[SIGN_HEADERS_MAX]);
