#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* One parameter of a request target's query: "source" of "/v1/transactions/7?source=stripe". */

/* What the parameter says, percent-decoded, with a NUL behind; "" when it is not there.  Others are passed over; in its
 * name nothing is decoded.  FAULT_MALFORMED: it is there twice, its encoding is broken or holds a NUL, or it has size
 * bytes or more. */
MUST_USE bool query_param_find(const char *target, const char *name, char *ret, size_t size, struct fault *f);
