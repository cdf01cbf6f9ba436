#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "fault.h"
#include "txn.h"

/* A webhook's body, read into a transaction.  The door of json-c. */

/* One thing wrong with one member. */
struct txn_problem {
	const char *pointer; /* RFC 6901, into the body: "/amount"; a literal */
	const char *code;    /* for programs: "missing", "wrong_type", "too_many_decimals"; a literal */
	char detail[160];    /* for people */
};

#define TXN_PROBLEMS_MAX 5 /* one for each member of the contract */

struct txn_problems {
	int count;
	struct txn_problem list[TXN_PROBLEMS_MAX];
};

/* Reads the body of one webhook.  On failure the fault is
 *   FAULT_MALFORMED  the bytes are not one strict JSON object (json_scan.h); problems->count is 0,
 *   FAULT_INPUT      members break the rules: *problems lists every one of them, in the contract's order,
 *   FAULT_TOO_LARGE  more than JSON_TEXT_MAX bytes,
 *   FAULT_BUSY       memory ran out.
 * Members that the contract does not name are ignored.  *ret is written only on success. */
MUST_USE bool txn_from_json(const char *text, size_t len, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f);
