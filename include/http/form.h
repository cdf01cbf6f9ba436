#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/fault.h"

/* The fields of a form, application/x-www-form-urlencoded (WHATWG URL Standard, section 5). */

/* Appends the fields as a JSON object of texts, in their order: "id=tr_1&x=a+b" as {"id":"tr_1","x":"a b"}.  A field without
 * "=" has the text "", and of two "&" in a row nothing becomes a field.  The faults are
 *   FAULT_MALFORMED  a percent sign without two hexadecimal digits, a NUL, or a byte beyond ASCII; the text has its byte, counted from 0,
 *   FAULT_TOO_LARGE  the object has more bytes than the buffer may have,
 *   FAULT_BUSY       there is no memory.
 * What else makes an object no strict JSON is left to json_scan(): a name twice, and bytes that are not UTF-8. */
MUST_USE bool form_to_json(const char *body, size_t len, struct buf *ret, struct fault *f);
