#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "source/source.h"
#include "txn/currency.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"
#include "json/value.h"

#define PAYLOAD_MAX (64 * 1024) /* bytes of a webhook's body; nginx refuses a longer one before a responder sees it */

/* The transactions that a source's body tells: one, or an element of an array each, less those that the source's filter
 * does not let pass. */

struct payload {
	int count; /* of transactions that payload_next() will find: 0 when the filter lets none pass */

	const struct source *source; /* its own, as the rest */
	struct json_value body;
	struct json_walk walk;
	int index;
};

/* Finds what there is in a body, which stays the caller's.  FAULT_MALFORMED: it is no strict JSON object.  FAULT_INPUT: the
 * source's array is not there, is empty, or has more than MAPPING_ITEMS_MAX elements.  Our own body without a filter is
 * left to payload_next(), which reads it strictly too. */
MUST_USE bool payload_open(
	const struct source *source, const char *body, size_t len, struct payload *ret, struct fault *f);

/* Reads the next, count times at most.  False as mapping_read() and txn_from_json(): the problems are of that one alone. */
MUST_USE bool payload_next(struct payload *p, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f);
