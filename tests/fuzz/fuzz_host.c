/* fuzz_host.c - the input as the header Host, a line, the names that are allowed, a line, and a client's address: a name that is
 * allowed is in the list, byte for byte but for case, a final dot and a port; and networks hold an address as inet_pton() reads it. */

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http/host.h"
#include "http/network.h"

static char *cut(char *text)
{
	char *end = strchr(text, '\n');
	if (!end)
		return text + strlen(text);
	*end = '\0';
	return end + 1;
}

static bool is_in(const char *name, size_t len, const char *list)
{
	for (size_t other; *(list += strspn(list, ", \t")); list += other) {
		other = strcspn(list, ", \t");
		if (other == len && strncasecmp(name, list, len) == 0)
			return true;
	}
	return false;
}

static bool is_address(const char *text, size_t len, int family)
{
	unsigned char bytes[16];
	char *copy = strndup(text, len);
	MUST_HOLD(copy);
	bool good = inet_pton(family, copy, bytes) == 1;
	free(copy);
	return good;
}

static void must_be_allowed_by_the_list(const char *host, const char *list)
{
	size_t len = strcspn(host, ":");
	if (!*host)
		return;
	if (*host == '[') {
		MUST_HOLD(is_address(host + 1, strcspn(host + 1, "]"), AF_INET6));
		return;
	}
	MUST_HOLD(host[len] == '\0' || !host[len + 1 + strspn(host + len + 1, "0123456789")]);
	len -= len > 0 && host[len - 1] == '.';
	MUST_HOLD(is_in(host, len, list) || is_in(host, len, "localhost") || is_address(host, len, AF_INET));
}

static void must_hold_addresses(const char *address, const char *list)
{
	static const char *const ALL[] = {"0.0.0.0/0", "::/0"};
	struct networks networks;
	struct network network;
	struct fault f = {FAULT_BUG, ""};
	bool is_one = is_address(address, strlen(address), AF_INET) || is_address(address, strlen(address), AF_INET6);
	bool is_held = false;
	for (int i = 0; i < 2; i++) {
		MUST_HOLD(network_read(ALL[i], &network, &f));
		is_held = is_held || network_holds(&network, address);
	}
	MUST_HOLD(is_held == is_one && (is_one || !network_is_private(address)));
	MUST_HOLD(network_address_check(address, &f) == is_one);
	if (is_one && network_read(address, &network, &f))
		MUST_HOLD(network.bits == 128 && network_holds(&network, address));
	if (networks_read(list, &networks, &f))
		MUST_HOLD(networks.count > 0 && networks.count <= NETWORKS_MAX &&
			  (is_one || !networks_hold(&networks, address)));
	else
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fault f = {FAULT_BUG, ""};
	char *host = malloc(len + 1);
	MUST_HOLD(host);
	if (len)
		memcpy(host, data, len);
	host[len] = '\0';
	char *list = cut(host), *address = cut(list);
	cut(address);
	if (host_list_check(list, &f)) {
		if (host_is_allowed(host, list))
			must_be_allowed_by_the_list(host, list);
	} else {
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0]);
	}
	must_hold_addresses(address, list);
	free(host);
	return 0;
}
