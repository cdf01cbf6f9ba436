#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "json/value.h"
#include "source/source.h"
#include "txn/currency.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"

#define PAYLOAD_MAX (1024 * 1024) /* bytes of a webhook's body: the most that BODY_LIMIT may allow */

/* The transactions of one webhook's body: one, or one for each element of an array, without those that the source's
 * filter excludes. */

struct payload {
	int count; /* of transactions that payload_next() can read; 0: the filter excludes all of them, or the array is empty */
	/* What the mappings read of the request.  Its item is the top value of the body; of a plain source
	 * (source_is_plain()) the text, which is not read yet. */
	struct places in;

	/* Private to payload.c. */
	const struct source *source;
	struct json_walk walk;
	int index;
	char values[PLACES_VALUES_MAX]; /* of the request; written only if the source reads them */
};

/* Opens a body, as it is without its content coding, and counts its transactions.  *ret borrows the source and the body, and
 * has nothing to free; it is valid until the next call, since what is read from a form is kept in static buffers.
 *   FAULT_MALFORMED  the body is not one strict JSON object (json/scan.h), or array if the source wants one; or it is not
 *                    a strict form (http/form.h), or has a field twice,
 *   FAULT_TOO_LARGE  it has more than JSON_TEXT_MAX bytes,
 *   FAULT_INPUT      the source's array is absent, or has more than MAPPING_ITEMS_MAX elements; or the source's field is
 *                    absent,
 *   FAULT_BUSY       there is no memory for what a form contains.
 * A body of a plain source is not read here: payload_next() reports its faults.
 * is_scanned: json_scan() has accepted the body already.  request may be NULL if the source reads nothing but the body;
 * of one that does, the faults are those of places_write() too.  *ret must stay where it is. */
MUST_USE bool payload_open(const struct source *source, const struct places_request *request, const char *body,
	size_t len, bool is_scanned, struct payload *ret, struct fault *f);

/* The code of a fault of payload_open(), for reports that may not quote a body: "form_member" (the source's field is absent),
 * "items", "too_large" or "malformed".  The form is read once more if need be. */
const char *payload_code(const struct source *source, const char *body, size_t len, const struct fault *f);

/* Reads the next transaction; the caller calls this count times at most.  Fails as mapping_read() and txn_from_json()
 * do: *problems is about this transaction alone. */
MUST_USE bool payload_next(struct payload *p, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f);
