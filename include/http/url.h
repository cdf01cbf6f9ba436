#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* Whether a URL can be called: http:// or https://, a host, perhaps a port, and only bytes that a request line may
 * hold.  A user or password in it is refused, since addresses are printed and logged.  Faults are FAULT_INPUT and do
 * not quote it. */
MUST_USE bool url_check(const char *url, struct fault *f);
