#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"

/* Keys and what they sign: the door to OpenSSL's libcrypto.
 *
 * A key is prepared once and used for many messages: its cost, and libcrypto's look-ups by name, are paid at the start.
 * A key holds the state of a calculation and so belongs to one thread. */

enum digest_kind {
	DIGEST_HMAC_SHA256,
	DIGEST_HMAC_SHA512,
	DIGEST_ED25519,    /* the key is a public one, 32 bytes */
	DIGEST_RSA_SHA256, /* the key is a certificate in PEM; of several in one text the first */
};

#define DIGEST_KEY_MAX 16384     /* bytes of a key: a certificate in PEM, with the chain behind it */
#define DIGEST_HMAC_MAX 64       /* bytes of an HMAC */
#define DIGEST_SIGNATURE_MAX 512 /* bytes of any signature: RSA's with 4096 bits */

/* A piece of a message, or a signature; borrowed. */
struct digest_part {
	const void *bytes;
	size_t len;
};

struct digest_key;

/* FAULT_INPUT: the bytes are no such key.  They are copied, and the copy is wiped by digest_key_destroy(). */
MUST_USE bool digest_key_create(
	enum digest_kind kind, const void *bytes, size_t len, struct digest_key **ret, struct fault *f);
void digest_key_destroy(struct digest_key *key);

enum digest_kind digest_key_kind(const struct digest_key *key);

/* Unix time at which the key ends by itself, as a certificate does; INT64_MAX: never. */
int64_t digest_key_end(const struct digest_key *key);

enum digest_outcome {
	DIGEST_MATCHES, /* one of the signatures is the key's over the message */
	DIGEST_DIFFERS,
	DIGEST_FAILED, /* libcrypto could not say, for want of memory */
};

/* Compares in a time that does not depend on where two digests differ.  An HMAC is calculated once, however many
 * signatures there are; a public key is tried with each. */
MUST_USE enum digest_outcome digest_verify(const struct digest_key *key, const struct digest_part *parts,
	int part_count, const struct digest_part *signatures, int signature_count);

#define DIGEST_SHA256_LEN 32

/* False: for want of memory. */
MUST_USE bool digest_sha256(const void *bytes, size_t len, unsigned char ret[DIGEST_SHA256_LEN]);

/* In a time that does not depend on where the two differ. */
MUST_USE bool digest_equal(const void *one, const void *other, size_t len);

/* zlib's CRC-32. */
uint32_t digest_crc32(const void *bytes, size_t len);
