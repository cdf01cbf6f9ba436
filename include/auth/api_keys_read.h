#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "auth/api_keys.h"
#include "base/base.h"

/* Reads the operator's list of API keys, a strict JSON document of at most JSON_TEXT_MAX bytes (json/scan.h):
 *
 *	{"keys":[{"name":"merchant","sha256":"<64 hex>","scopes":["read"],"not_after":"2027-01-01T00:00:00Z"}]}
 *
 * Names and digests are unique.  not_after is optional; it is the last second in which the key is valid.
 *
 * Each mistake is reported with the file, the line and the JSON pointer.  No report quotes the document: an operator
 * may have written a key where its digest belongs. */

/* file is the name for the reports.  Calls report once for each mistake.  Returns false if there was one; ret then has
 * no key. */
MUST_USE bool api_keys_read(const char *file, const char *text, size_t len,
	void (*report)(void *ctx, const char *complaint), void *ctx, struct api_keys *ret);
