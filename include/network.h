#pragma once

#include <stdbool.h>

#include "base.h"
#include "fault.h"

/* Addresses and networks as operators write them. */

/* An IPv4 or IPv6 address, and nothing else: no name is looked up. */
MUST_USE bool network_address_check(const char *text, struct fault *f);

/* Addresses and networks, "10.1.2.3,192.168.0.0/16 fd00::/8", with commas or blanks between them; none is well too. */
MUST_USE bool network_list_check(const char *text, struct fault *f);
