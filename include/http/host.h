#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* The names by which clients may address this service.
 *
 * A page in a browser can read what its own name leads to.  By DNS rebinding the owner of evil.example makes that name
 * lead to an address of this host, but the browser still sends "Host: evil.example".  An address and "localhost" cannot
 * be rebound. */

/* Whether list consists of host names, separated by commas or blanks: letters, digits, hyphens, underscores and single
 * dots; neither port nor URL.  An empty list is valid.  The fault is FAULT_INPUT and quotes the first that is no name. */
MUST_USE bool host_list_check(const char *list, struct fault *f);

/* Whether a client may address this service by this value of the header Host, with or without a port: it is NULL or ""
 * (no browser omits it), an IP address, "localhost", or a name in list.  Letter case and a final dot do not matter. */
MUST_USE bool host_is_allowed(const char *host, const char *list);
