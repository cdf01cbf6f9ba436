/* network.c - reads IP addresses and networks, and matches one against the other.
 *
 * IPv4 and IPv6 share one form of 16 bytes, so that a single comparison of prefixes serves both.  Access decisions
 * depend on these functions: a text that cannot be read matches nothing.  Which address a request comes from, with or
 * without a proxy, is not decided here. */

#include "http/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (INET6_ADDRSTRLEN + 4) /* an address, a slash, three digits */

/* The length of an address in bits, 32 or 128; 0 if text is not an address. */
static int address_bits(const char *text)
{
	unsigned char bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 32;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 128 : 0;
}

bool network_address_check(const char *text, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	return address_bits(text) > 0 ||
	       fault_set(f, FAULT_INPUT, "%s is not an address", fault_quote(text, strlen(text), quoted));
}

/* Networks that are not reachable from the Internet: RFC 1122 and 4291 (loopback), RFC 1918 and 4193 (private), RFC
 * 3927 and 4291 (link-local).  IPv4 networks are IPv4-mapped. */
#define V4_BITS 96
#define V4 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
static const struct {
	unsigned char bytes[16];
	int bits;
} PRIVATE[] = {
	{{V4, 127}, 96 + 8},
	{{V4, 10}, 96 + 8},
	{{V4, 172, 16}, 96 + 12},
	{{V4, 192, 168}, 96 + 16},
	{{V4, 169, 254}, 96 + 16},
	{{[15] = 1}, 128},
	{{0xfc}, 7},
	{{0xfe, 0x80}, 10},
};

/* Compares the first bits of both: whole bytes first, then the upper bits of the next byte. */
static bool is_within(const unsigned char address[16], const unsigned char network[16], int bits)
{
	int left = 8 - bits % 8;
	return memcmp(address, network, (size_t)(bits / 8)) == 0 &&
	       (left == 8 || address[bits / 8] >> left == network[bits / 8] >> left);
}

/* Reads an address of either kind into 16 bytes, IPv4 as IPv4-mapped.  ret is undefined after a failure. */
static bool read_address(const char *text, unsigned char ret[16])
{
	static const unsigned char v4[16] = {V4};
	memcpy(ret, v4, sizeof v4);
	return inet_pton(AF_INET, text, ret + 12) == 1 || inet_pton(AF_INET6, text, ret) == 1;
}

bool network_is_private(const char *address)
{
	unsigned char bytes[16];
	if (!read_address(address, bytes))
		return false;
	for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
		if (is_within(bytes, PRIVATE[i].bytes, PRIVATE[i].bits))
			return true;
	}
	return false;
}

static bool read_network(const char *text, size_t len, struct network *ret)
{
	char copy[TEXT_MAX + 1];
	unsigned char bytes[16];
	if (len > TEXT_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	char *slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	/* The prefix of an IPv4 network counts from the start of the IPv4 part; 96 is added for the mapping. */
	int most = address_bits(copy);
	size_t digits = slash ? strspn(slash, "0123456789") : 0;
	long bits = slash ? strtol(slash, NULL, 10) : most;
	if (most == 0 || !read_address(copy, bytes) || bits > most)
		return false;
	if (slash && (digits < 1 || digits > 3 || slash[digits] != '\0'))
		return false;
	memcpy(ret->bytes, bytes, sizeof bytes);
	ret->bits = (unsigned char)(128 - most + bits);
	return true;
}

bool network_read(const char *text, struct network *ret, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	size_t len = strlen(text);
	return read_network(text, len, ret) ||
	       fault_set(f, FAULT_INPUT, "%s is neither an address nor a network such as 10.0.0.0/8",
		       fault_quote(text, len, quoted));
}

/* Without the check for V4_BITS, ::/0 in a list of allowed networks would admit every IPv4 address, although the
 * operator wrote a network of IPv6. */
bool network_holds(const struct network *n, const char *address)
{
	static const unsigned char v4[16] = {V4};
	unsigned char bytes[16];
	if (!read_address(address, bytes) || (n->bits < V4_BITS && is_within(bytes, v4, V4_BITS)))
		return false;
	return is_within(bytes, n->bytes, n->bits);
}

bool networks_read(const char *text, struct networks *ret, struct fault *f)
{
	static const char SEPARATORS[] = ", \t";
	char one[TEXT_MAX + 1], quoted[FAULT_QUOTE_MAX];
	ret->count = 0;
	for (text += strspn(text, SEPARATORS); *text; text += strspn(text, SEPARATORS)) {
		size_t len = strcspn(text, SEPARATORS);
		if (ret->count == NETWORKS_MAX)
			return fault_set(f, FAULT_INPUT, "there are more than %d networks", NETWORKS_MAX);
		if (len > TEXT_MAX)
			return fault_set(
				f, FAULT_INPUT, "%s is too long for a network", fault_quote(text, len, quoted));
		memcpy(one, text, len);
		one[len] = '\0';
		if (!network_read(one, &ret->list[ret->count++], f))
			return false;
		text += len;
	}
	return ret->count > 0 || fault_set(f, FAULT_INPUT, "there is neither an address nor a network");
}

bool networks_hold(const struct networks *n, const char *address)
{
	for (int i = 0; i < n->count; i++) {
		if (network_holds(&n->list[i], address))
			return true;
	}
	return false;
}
