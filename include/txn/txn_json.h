#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"

/* Reads the body of a webhook in payhook's own format into a transaction. */

/* Reads len bytes; no NUL is needed.  *problems is always written.  On failure the fault is
 *   FAULT_MALFORMED  the bytes are not one strict JSON object (json/scan.h); problems->count is 0,
 *   FAULT_INPUT      members break the rules: *problems lists each of them, in the order of the contract,
 *   FAULT_TOO_LARGE  there are more than JSON_TEXT_MAX bytes; problems->count is 0.
 * Members that the contract does not name are ignored, so that providers may add some.  *ret is written only on
 * success.  A static buffer is used: two threads must not call this at once. */
MUST_USE bool txn_from_json(const char *text, size_t len, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f);
