#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* Whether a URL can be called by HTTP: http:// or https://, a host (a name, an IPv4 address, or an IPv6 address in
 * brackets), optionally a port from 1 to 65535, and only visible ASCII.  A user or a password is an error, because URLs
 * are printed and logged; so is a fragment, because it is never sent.  The fault is FAULT_INPUT and does not quote the
 * URL. */
MUST_USE bool url_check(const char *url, struct fault *f);
