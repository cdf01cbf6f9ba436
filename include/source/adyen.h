#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature.h"
#include "auth/signer.h"
#include "base/base.h"
#include "base/fault.h"
#include "json/value.h"

/* Adyen's webhooks: a body of several notification items.  The signature is in the item and not in a header, and covers
 * eight of the item's fields (auth/signature.h). */

#define ADYEN_ITEMS "/notificationItems"                                        /* JSON pointer to the array of items */
#define ADYEN_SIGNATURE "/NotificationRequestItem/additionalData/hmacSignature" /* in an element */
#define ADYEN_FIELD_BYTES 255 /* bytes of one field; the longest that Adyen documents has 80 characters */

/* Whether a JSON pointer, relative to an element of ADYEN_ITEMS, names one of the eight signed fields.  A mapping must
 * use no other: anyone between Adyen and this process could have changed the rest of an item. */
bool adyen_is_signed(const char *pointer);

/* Room for the strings of one item with their JSON escapes decoded: the decoded text is what Adyen signs. */
struct adyen_texts {
	char field[ADYEN_FIELDS][ADYEN_FIELD_BYTES + 1];
	char signature[ADYEN_FIELD_BYTES + 1];
};

/* Collects the fields and the signature of one element.  *ret borrows from both of the others.  FAULT_INPUT: one of them is an
 * object or an array, or too long. */
MUST_USE bool adyen_item_read(
	struct json_value item, struct adyen_texts *texts, struct signature_item *ret, struct fault *f);

/* Verifies every item of a body.  True if the body is strict JSON with 1 to MAPPING_ITEMS_MAX items, each of them
 * signed.  *ret is always written.  After a success it is the report on the last item.  After a failure it is the
 * report on the body or on the first item that fails; the text then starts with the index of the item, "item 3: ". */
MUST_USE bool adyen_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
