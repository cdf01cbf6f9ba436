#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/api_keys.h"
#include "base/base.h"

/* Reads what an operator says about the keys, a strict JSON document:
 *
 *	{"keys":[{"name":"merchant","sha256":"<64 hex>","scopes":["read"],"not_after":"2027-01-01T00:00:00Z"}]}
 *
 * Names and digests are unique; not_after, the last second of a key, may be left out.  Every mistake is told, with line
 * and pointer, and none is told with a word of the document: a key might stand where its digest should. */

/* False: something was complained about; ret then has no key. */
MUST_USE bool api_keys_read(const char *file, const char *text, size_t len,
	void (*report)(void *ctx, const char *complaint), void *ctx, struct api_keys *ret);
