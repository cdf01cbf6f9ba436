#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"

/* IP addresses and networks, as operators write them in settings.  No name is ever looked up. */

/* Whether text is an IPv4 or IPv6 address.  The fault is FAULT_INPUT and quotes the text. */
MUST_USE bool network_address_check(const char *text, struct fault *f);

/* A network.  A single address is a network of 128 bits.  IPv4 is kept as IPv4-mapped IPv6, in ::ffff:0:0/96 (RFC 4291,
 * section 2.5.5.2). */
struct network {
	unsigned char bytes[16]; /* in network byte order; bits after the prefix are ignored */
	unsigned char bits;      /* of the prefix, 0 to 128; an IPv4 /8 has 104 */
};

/* Reads "10.1.2.3", "10.0.0.0/8" or "fd00::/8".  Bits after the prefix are ignored.  The fault is FAULT_INPUT. */
MUST_USE bool network_read(const char *text, struct network *ret, struct fault *f);

/* Whether the network contains an address.  ::ffff:10.1.2.3 is the same address as 10.1.2.3.  An IPv6 network with a
 * prefix shorter than 96 bits contains no IPv4 address: ::/0 is all of IPv6 and nothing else.  A text that is no
 * address is in no network. */
MUST_USE bool network_holds(const struct network *n, const char *address);

#define NETWORKS_MAX 32

/* A list of networks in a setting. */
struct networks {
	int count;
	struct network list[NETWORKS_MAX];
};

/* Reads networks with commas or blanks between them.  The fault is FAULT_INPUT: a text that is no network, none at all, or
 * more than NETWORKS_MAX.  *ret is undefined then. */
MUST_USE bool networks_read(const char *text, struct networks *ret, struct fault *f);

/* Whether one of the networks contains the address, as network_holds(). */
MUST_USE bool networks_hold(const struct networks *n, const char *address);

/* Whether an address is loopback (127.0.0.0/8, ::1), private (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7) or
 * link-local (169.254.0.0/16, fe80::/10).  IPv4 may be written as ::ffff:10.1.2.3.  A text that is no address is none
 * of these. */
MUST_USE bool network_is_private(const char *address);
