#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* Addresses and networks as operators write them. */

/* An IPv4 or IPv6 address, and nothing else: no name is looked up. */
MUST_USE bool network_address_check(const char *text, struct fault *f);

/* A network, or one address, which is a network of 128 bits; IPv4's lie in ::ffff:0:0/96. */
struct network {
	unsigned char bytes[16];
	unsigned char bits;
};

/* "10.1.2.3", "10.0.0.0/8", "fd00::/8"; what stands behind the network's bits does not count. */
MUST_USE bool network_read(const char *text, struct network *ret, struct fault *f);

/* Whether an address lies in it; what is no address lies in none.  IPv4's may come as ::ffff:10.1.2.3, and lie in no
 * network of IPv6's that is wider than theirs: ::/0 is all of IPv6. */
MUST_USE bool network_holds(const struct network *n, const char *address);

/* Whether it is an address of this host or of a private network: 127.0.0.0/8 and ::1, 10.0.0.0/8, 172.16.0.0/12,
 * 192.168.0.0/16 and fc00::/7, and of the link alone, 169.254.0.0/16 and fe80::/10; IPv4's also as ::ffff:10.1.2.3. */
MUST_USE bool network_is_private(const char *address);
