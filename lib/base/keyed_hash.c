/* keyed_hash.c - SipHash-1-3 by Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012): one round for each word
 * and three at the end.  The words are read in the machine's own order, since no hash leaves the process. */

#include "base/keyed_hash.h"

#include <stdlib.h>
#include <string.h>

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t keyed_hash(uint64_t number, const void *bytes, size_t len)
{
	static uint64_t key[2];
	if (key[0] == 0 && key[1] == 0)
		arc4random_buf(key, sizeof key);

	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261,
		key[1] ^ 0x7465646279746573};
	const char *at = bytes;
	size_t left = len;
	uint64_t word;
	sip_word(v, number);
	for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
		memcpy(&word, at, sizeof word);
		sip_word(v, word);
	}
	word = (uint64_t)len << 56;
	memcpy(&word, at, left);
	sip_word(v, word);
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
