/* network.c - whether a text is an address, or a list of addresses and networks. */

#include "network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (INET6_ADDRSTRLEN + 4) /* an address, a slash, three digits */

/* Bits of an address; 0: it is none. */
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

/* Each as IPv6 writes it, IPv4's behind ::ffff:0:0/96. */
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

static bool is_within(const unsigned char address[16], const unsigned char network[16], int bits)
{
	int left = 8 - bits % 8;
	return memcmp(address, network, (size_t)(bits / 8)) == 0 &&
	       (left == 8 || address[bits / 8] >> left == network[bits / 8] >> left);
}

bool network_is_private(const char *address)
{
	unsigned char bytes[16] = {V4};
	if (inet_pton(AF_INET, address, bytes + 12) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
		return false;
	for (size_t i = 0; i < COUNT_OF(PRIVATE); i++) {
		if (is_within(bytes, PRIVATE[i].bytes, PRIVATE[i].bits))
			return true;
	}
	return false;
}

static bool is_network(const char *text, size_t len)
{
	char copy[TEXT_MAX + 1];
	if (len > TEXT_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	char *slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	int bits = address_bits(copy);
	if (!slash)
		return bits > 0;
	size_t digits = strspn(slash + 1, "0123456789");
	return bits > 0 && digits >= 1 && digits <= 3 && slash[1 + digits] == '\0' &&
	       strtol(slash + 1, NULL, 10) <= bits;
}

bool network_list_check(const char *text, struct fault *f)
{
	char quoted[FAULT_QUOTE_MAX];
	while (*(text += strspn(text, ", "))) {
		size_t len = strcspn(text, ", ");
		if (!is_network(text, len))
			return fault_set(f, FAULT_INPUT, "%s is neither an address nor a network such as 10.0.0.0/8",
				fault_quote(text, len, quoted));
		text += len;
	}
	return true;
}
