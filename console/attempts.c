/* attempts.c - limits what fails, by the client's address.
 *
 * A window of a minute begins with the first failure of an address.  One process serves the console, so its table is the only
 * one; it is lost with the process, which forgives at most a minute. */

#include "attempts.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/keyed_hash.h"

#define WINDOW_S 60

static uint64_t address_hash(const char *address)
{
	unsigned char bytes[16];
	static const unsigned char MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	if (inet_pton(AF_INET, address, bytes) == 1)
		return keyed_hash(4, bytes, 4);
	if (inet_pton(AF_INET6, address, bytes) != 1)
		return keyed_hash(0, "", 0);
	if (memcmp(bytes, MAPPED, sizeof MAPPED) == 0)
		return keyed_hash(4, bytes + sizeof MAPPED, 4);
	return keyed_hash(6, bytes, 8);
}

bool attempts_fail(struct attempts *a, const char *address, int64_t now_s)
{
	uint64_t hash = address_hash(address);
	size_t at = hash % ATTEMPTS_SLOTS;
	a->total++;
	bool is_new = a->slots[at].count == 0 || now_s - a->slots[at].began_s >= WINDOW_S;
	if (is_new) {
		a->slots[at].began_s = now_s;
		a->slots[at].count = 0;
	}
	if (a->slots[at].count > ATTEMPTS_PER_MINUTE)
		return false;
	return ++a->slots[at].count <= ATTEMPTS_PER_MINUTE;
}
