#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/fault.h"

/* Keys, and the digests and signatures made with them.  Only lib/auth/digest.c and lib/auth/pem.c call
 * OpenSSL's libcrypto.
 *
 * A key is prepared once, when the configuration is read, and used for many messages.  For an HMAC, libcrypto's look-up
 * of the algorithm by name is part of the preparation.  A key holds the state of a calculation: two threads must not
 * use one key at the same time. */

enum digest_kind {
	DIGEST_HMAC_SHA256, /* RFC 2104 and FIPS 180-4; the key is a shared secret of 1 byte or more */
	DIGEST_HMAC_SHA512,
	DIGEST_ED25519,    /* RFC 8032; the key is the public key, 32 bytes */
	DIGEST_RSA_SHA256, /* PKCS #1 v1.5; the key is a certificate in PEM, the first one if the text has several */
	DIGEST_RSA_PUBLIC, /* the same signatures; the key is one public key or one certificate in PEM, and nothing else */
	DIGEST_TEXT,       /* no digest: what is sent instead of a signature is the key itself, such as a token */
};

#define DIGEST_KEY_MAX 16384     /* bytes of a key: a certificate in PEM, followed by its chain */
#define DIGEST_HMAC_MAX 64       /* bytes of an HMAC */
#define DIGEST_SIGNATURE_MAX 512 /* bytes of the longest signature, of RSA with 4096 bits */

/* A piece of a message, or a signature; borrowed for the call. */
struct digest_part {
	const void *bytes;
	size_t len;
};

struct digest_key;

/* Prepares a key from a copy of the bytes.  FAULT_INPUT: the bytes are no key of this kind.  FAULT_BUG: libcrypto could
 * not prepare it, for lack of memory or of the algorithm.  The caller frees the key with digest_key_destroy(), which
 * wipes a shared secret and accepts NULL. */
MUST_USE bool digest_key_create(
	enum digest_kind kind, const void *bytes, size_t len, struct digest_key **ret, struct fault *f);
void digest_key_destroy(struct digest_key *key);

enum digest_kind digest_key_kind(const struct digest_key *key);

/* Unix time of the end of the certificate's validity; INT64_MAX for the other kinds, which have no end. */
int64_t digest_key_end(const struct digest_key *key);

enum digest_outcome {
	DIGEST_MATCHES, /* at least one of the signatures is the key's signature of the message */
	DIGEST_DIFFERS,
	DIGEST_FAILED, /* libcrypto could not calculate, for lack of memory; a signature may be valid */
};

/* Verifies signatures of one message, which is the parts joined in their order.  An HMAC is calculated once, however
 * many signatures there are, and compared in a time that does not depend on where two digests differ.  With a public
 * key each signature needs a calculation of its own.  For DIGEST_TEXT the message is not read, and the digests of both
 * texts are compared, so that the time does not depend on their lengths either. */
MUST_USE enum digest_outcome digest_verify(const struct digest_key *key, const struct digest_part *parts,
	int part_count, const struct digest_part *signatures, int signature_count);

/* Calculates the HMAC of a message, which is the parts joined in their order, with a key of an HMAC.  Returns its length;
 * 0 if libcrypto lacks memory. */
size_t digest_hmac(const struct digest_key *key, const struct digest_part *parts, int part_count,
	unsigned char ret[DIGEST_HMAC_MAX]);

#define DIGEST_SHA256_LEN 32

/* Calculates the SHA-256 of the bytes.  False if libcrypto lacks memory. */
MUST_USE bool digest_sha256(const void *bytes, size_t len, unsigned char ret[DIGEST_SHA256_LEN]);

/* Compares len bytes in a time that does not depend on where the two differ. */
MUST_USE bool digest_equal(const void *one, const void *other, size_t len);

/* The CRC-32 of zlib and of RFC 1952, section 8.  It detects transmission errors and is not a cryptographic digest. */
uint32_t digest_crc32(const void *bytes, size_t len);
