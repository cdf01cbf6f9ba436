#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"

/* A webhook's body, read into a transaction. */

/* Reads the body of one webhook.  On failure the fault is
 *   FAULT_MALFORMED  the bytes are not one strict JSON object (json_scan.h); problems->count is 0,
 *   FAULT_INPUT      members break the rules: *problems lists every one of them, in the contract's order,
 *   FAULT_TOO_LARGE  more than JSON_TEXT_MAX bytes.
 * Members that the contract does not name are ignored.  *ret is written only on success. */
MUST_USE bool txn_from_json(const char *text, size_t len, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f);
