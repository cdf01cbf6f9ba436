#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* One parameter of a request target's query: "source" of "/v1/transactions/7?source=stripe". */

/* Writes the value of a parameter to ret, percent-decoded and with a NUL; "" if the parameter is absent.  ret holds
 * size bytes, at least one.  Other parameters are ignored.  Names are compared as they are written, without decoding,
 * and "+" is not decoded to a space.  The value is bytes: whether it is UTF-8 is not checked.
 *
 * FAULT_MALFORMED: the parameter occurs twice, its encoding is invalid or contains %00, or its value has size bytes or
 * more.  ret is undefined then. */
MUST_USE bool query_param_find(const char *target, const char *name, char *ret, size_t size, struct fault *f);
