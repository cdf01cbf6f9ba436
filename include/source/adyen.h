#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "auth/signature.h"
#include "auth/signer.h"
#include "base/base.h"

/* Adyen's notifications: a body of several items, each with a signature inside that covers eight of its fields. */

#define ADYEN_ITEMS "/notificationItems" /* the pointer to the array of items */
#define ADYEN_FIELD_BYTES 255            /* of one field; the longest that Adyen documents has 80 characters */

/* Whether a pointer, counted from an element of ADYEN_ITEMS, is one of those that are signed. */
bool adyen_is_signed(const char *pointer);

/* True when the body is strict JSON, has 1 to MAPPING_ITEMS_MAX items, and each is signed. */
MUST_USE bool adyen_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret);
