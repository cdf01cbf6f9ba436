#pragma once

#include <stdbool.h>

#include "base.h"
#include "fault.h"

/* Addresses and networks as operators write them. */

/* An IPv4 or IPv6 address, and nothing else: no name is looked up. */
MUST_USE bool network_address_check(const char *text, struct fault *f);

/* Whether it is an address of this host or of a private network: 127.0.0.0/8 and ::1, 10.0.0.0/8, 172.16.0.0/12,
 * 192.168.0.0/16 and fc00::/7, and of the link alone, 169.254.0.0/16 and fe80::/10; IPv4's also as ::ffff:10.1.2.3. */
MUST_USE bool network_is_private(const char *address);

/* Addresses and networks, "10.1.2.3,192.168.0.0/16 fd00::/8", with commas or blanks between them; none is well too. */
MUST_USE bool network_list_check(const char *text, struct fault *f);
