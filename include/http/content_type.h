#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* What a source takes: JSON, which is application/json or a type with the suffix +json, or the fields of a form, which are
 * application/x-www-form-urlencoded. */
enum content_type { CONTENT_TYPE_JSON, CONTENT_TYPE_FORM };

/* Whether the value of a Content-Type header means the wanted type in UTF-8: with charset=utf-8, charset=utf8 or no charset,
 * in any case.  Other parameters are ignored.  "" stands for a missing header, and does not fit.  The fault is FAULT_INPUT:
 * it names what is wanted, and what came. */
MUST_USE bool content_type_fits(const char *content_type, enum content_type wanted, struct fault *f);
