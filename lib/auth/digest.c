/* digest.c - calculates digests and verifies signatures.  Beside pem.c it is the only file that uses OpenSSL's libcrypto; and
 * it uses zlib, since PayPal signs a CRC-32.
 *
 * A key is prepared once, when the configuration is read.  For an HMAC, libcrypto looks the algorithm up by name then,
 * and not for each webhook.  An HMAC is calculated in the context that the key owns, so one thread at a time may use a
 * key.  Every failure is on the safe side: an outcome is DIGEST_MATCHES only if libcrypto has confirmed a signature.
 * Which bytes are signed, and in which form a signature or a secret is written, is left to signature.c and signer.c. */

#include "auth/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define ED25519_KEY_LEN 32
#define RSA_BITS_MIN 2048 /* NIST SP 800-131A disallows signatures by shorter keys */

struct digest_key {
	enum digest_kind kind;
	EVP_MAC_CTX *mac;                      /* HMAC: has the key, and starts again for each message */
	EVP_PKEY *public;                      /* Ed25519, RSA */
	unsigned char text[DIGEST_SHA256_LEN]; /* the SHA-256 of a key that is sent itself */
	int64_t end;                           /* Unix time; INT64_MAX: none */
};

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_certificate(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_check(EVP_MD_CTX **check)
{
	EVP_MD_CTX_free(*check);
}

static bool no_memory(struct fault *f)
{
	return fault_set(f, FAULT_BUG, "libcrypto could not prepare the key");
}

/* HMAC is defined for an empty key.  Such a key is refused here: anyone can sign with it. */
static bool create_hmac(struct digest_key *key, char *hash, const void *bytes, size_t len, struct fault *f)
{
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, hash, 0), OSSL_PARAM_construct_end()};
	if (len == 0)
		return fault_set(f, FAULT_INPUT, "it is empty");
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	key->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac); /* the context holds a reference of its own */
	if (!key->mac || !EVP_MAC_init(key->mac, bytes, len, parameters))
		return no_memory(f);
	return true;
}

static bool create_ed25519(struct digest_key *key, const void *bytes, size_t len, struct fault *f)
{
	if (len != ED25519_KEY_LEN)
		return fault_set(f, FAULT_INPUT, "an Ed25519 public key has %d bytes, not %zu", ED25519_KEY_LEN, len);
	key->public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, len);
	return key->public || no_memory(f);
}

/* A key with a signature longer than DIGEST_SIGNATURE_MAX is refused, since no list of signatures has room for it. */
static bool check_rsa(const EVP_PKEY *public, const char *what, struct fault *f)
{
	if (!public || !EVP_PKEY_is_a(public, "RSA"))
		return fault_set(f, FAULT_INPUT, "%s is not RSA", what);
	int bits = EVP_PKEY_get_bits(public);
	return (bits >= RSA_BITS_MIN && bits <= DIGEST_SIGNATURE_MAX * 8) ||
	       fault_set(f, FAULT_INPUT, "%s has %d bits, not %d to %d", what, bits, RSA_BITS_MIN,
		       DIGEST_SIGNATURE_MAX * 8);
}

/* Pins the first certificate of the text.  Its issuer, its chain and the start of its validity are not checked: the
 * operator has chosen this certificate.  The end of its validity counts. */
static bool create_rsa(struct digest_key *key, const void *bytes, size_t len, struct fault *f)
{
	struct tm end;
	CLEANUP(free_bio) BIO *text = BIO_new_mem_buf(bytes, (int)len);
	CLEANUP(free_certificate) X509 *certificate = text ? PEM_read_bio_X509(text, NULL, NULL, NULL) : NULL;
	if (!certificate || !ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end))
		return fault_set(f, FAULT_INPUT, "it holds no certificate in PEM");
	key->public = X509_get_pubkey(certificate);
	key->end = timegm(&end);
	return check_rsa(key->public, "the certificate's key", f);
}

/* The first place of these words in a text that has no NUL at its end; NULL: it does not have them. */
static const char *find_words(const char *text, size_t len, const char *words)
{
	size_t words_len = strlen(words);
	for (; len >= words_len; text++, len--) {
		if (memcmp(text, words, words_len) == 0)
			return text;
	}
	return NULL;
}

/* The number of blocks of PEM. */
static int count_blocks(const char *text, size_t len)
{
	int count = 0;
	const char *end = text + len;
	for (const char *at = text; (at = find_words(at, (size_t)(end - at), "-----BEGIN ")); at++)
		count++;
	return count;
}

/* A second key would be one that the operator believes to count and that does not. */
static bool create_rsa_public(struct digest_key *key, const void *bytes, size_t len, struct fault *f)
{
	int blocks = count_blocks(bytes, len);
	if (find_words(bytes, len, "PRIVATE KEY-----"))
		return fault_set(
			f, FAULT_INPUT, "it is a private key, which stays with its owner; the public one verifies");
	if (blocks > 1)
		return fault_set(
			f, FAULT_INPUT, "it holds %d keys or certificates; each needs a file of its own", blocks);
	if (find_words(bytes, len, "-----BEGIN CERTIFICATE-----"))
		return create_rsa(key, bytes, len, f);
	CLEANUP(free_bio) BIO *text = BIO_new_mem_buf(bytes, (int)len);
	key->public = text ? PEM_read_bio_PUBKEY(text, NULL, NULL, NULL) : NULL;
	return key->public ? check_rsa(key->public, "the key", f)
			   : fault_set(f, FAULT_INPUT,
				     "it is neither a public key (BEGIN PUBLIC KEY) nor a certificate in PEM");
}

static bool create_text(struct digest_key *key, const void *bytes, size_t len, struct fault *f)
{
	if (len == 0)
		return fault_set(f, FAULT_INPUT, "it is empty");
	return digest_sha256(bytes, len, key->text) || no_memory(f);
}

static bool digest_prepare(struct digest_key *key, const void *bytes, size_t len, struct fault *f)
{
	char sha256[] = "SHA2-256", sha512[] = "SHA2-512";
	switch (key->kind) {
	case DIGEST_HMAC_SHA256:
		return create_hmac(key, sha256, bytes, len, f);
	case DIGEST_HMAC_SHA512:
		return create_hmac(key, sha512, bytes, len, f);
	case DIGEST_ED25519:
		return create_ed25519(key, bytes, len, f);
	case DIGEST_RSA_SHA256:
		return create_rsa(key, bytes, len, f);
	case DIGEST_RSA_PUBLIC:
		return create_rsa_public(key, bytes, len, f);
	case DIGEST_TEXT:
		return create_text(key, bytes, len, f);
	}
	return no_memory(f);
}

bool digest_key_create(enum digest_kind kind, const void *bytes, size_t len, struct digest_key **ret, struct fault *f)
{
	struct digest_key *key = calloc(1, sizeof *key);
	if (!key)
		return no_memory(f);
	if (len > DIGEST_KEY_MAX) {
		free(key);
		return fault_set(f, FAULT_INPUT, "it is longer than %d bytes", DIGEST_KEY_MAX);
	}
	key->kind = kind;
	key->end = INT64_MAX;
	bool prepared = digest_prepare(key, bytes, len, f);
	/* The result is enough.  An entry left in libcrypto's error queue could mislead other users of it, such as
	 * libpq. */
	ERR_clear_error();
	if (!prepared) {
		digest_key_destroy(key);
		return false;
	}
	*ret = key;
	return true;
}

void digest_key_destroy(struct digest_key *key)
{
	if (!key)
		return;
	EVP_MAC_CTX_free(key->mac); /* wipes the shared secret */
	EVP_PKEY_free(key->public);
	explicit_bzero(key->text, sizeof key->text);
	free(key);
}

enum digest_kind digest_key_kind(const struct digest_key *key)
{
	return key->kind;
}

int64_t digest_key_end(const struct digest_key *key)
{
	return key->end;
}

size_t digest_hmac(const struct digest_key *key, const struct digest_part *parts, int part_count,
	unsigned char ret[DIGEST_HMAC_MAX])
{
	size_t len;
	/* Without a key and parameters, libcrypto starts again with those it has, and looks nothing up. */
	if (!EVP_MAC_init(key->mac, NULL, 0, NULL))
		return 0;
	for (int i = 0; i < part_count; i++) {
		if (!EVP_MAC_update(key->mac, parts[i].bytes, parts[i].len))
			return 0;
	}
	return EVP_MAC_final(key->mac, ret, &len, DIGEST_HMAC_MAX) ? len : 0;
}

/* The comparison of one digest takes the same time wherever it differs.  The loop may end at a match: that reveals only
 * which of its own signatures the sender got right. */
static enum digest_outcome verify_hmac(const struct digest_key *key, const struct digest_part *parts, int part_count,
	const struct digest_part *signatures, int signature_count)
{
	unsigned char digest[DIGEST_HMAC_MAX];
	size_t len = digest_hmac(key, parts, part_count, digest);
	if (len == 0)
		return DIGEST_FAILED;
	for (int i = 0; i < signature_count; i++) {
		if (signatures[i].len == len && CRYPTO_memcmp(signatures[i].bytes, digest, len) == 0)
			return DIGEST_MATCHES;
	}
	return DIGEST_DIFFERS;
}

/* Joins the parts into one allocation, which the caller frees; NULL: no memory.  Ed25519 needs the message in one
 * piece: signing reads it twice (RFC 8032, 5.1.6), so libcrypto has no streaming calls for it, not even to verify. */
static unsigned char *join(const struct digest_part *parts, int count, size_t *ret_len)
{
	size_t len = 0;
	for (int i = 0; i < count; i++)
		len += parts[i].len;
	unsigned char *whole = malloc(len + 1); /* never 0 bytes, for which malloc() may return NULL */
	unsigned char *at = whole;
	for (int i = 0; i < count && whole; i++) {
		if (parts[i].len > 0)
			memcpy(at, parts[i].bytes, parts[i].len);
		at += parts[i].len;
	}
	*ret_len = len;
	return whole;
}

/* The outcome of libcrypto's last step, which returns 1 for a match.  0 and negative values cannot be distinguished:
 * libcrypto returns either of them for a signature of an invalid form, which a sender can produce at will.  Its error
 * queue, which was empty before, has an entry for most allocations that fail.  Any other error is a mismatch. */
static enum digest_outcome last_step(int result)
{
	if (result == 1)
		return DIGEST_MATCHES;
	for (unsigned long code; (code = ERR_get_error()) != 0;) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			return DIGEST_FAILED;
	}
	return DIGEST_DIFFERS;
}

static enum digest_outcome verify_ed25519(
	const struct digest_key *key, const unsigned char *message, size_t len, const struct digest_part *signature)
{
	CLEANUP(free_check) EVP_MD_CTX *check = EVP_MD_CTX_new();
	if (!check || EVP_DigestVerifyInit(check, NULL, NULL, NULL, key->public) != 1)
		return DIGEST_FAILED;
	return last_step(EVP_DigestVerify(check, signature->bytes, signature->len, message, len));
}

/* RSA hashes the message in a stream, part by part. */
static enum digest_outcome verify_rsa(const struct digest_key *key, const struct digest_part *parts, int part_count,
	const struct digest_part *signature)
{
	CLEANUP(free_check) EVP_MD_CTX *check = EVP_MD_CTX_new();
	if (!check || EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, key->public) != 1)
		return DIGEST_FAILED;
	for (int i = 0; i < part_count; i++) {
		if (EVP_DigestVerifyUpdate(check, parts[i].bytes, parts[i].len) != 1)
			return DIGEST_FAILED;
	}
	return last_step(EVP_DigestVerifyFinal(check, signature->bytes, signature->len));
}

/* The first signature that matches ends the loop, and so does a failure.  The message is joined once for all
 * signatures. */
static enum digest_outcome verify_public(const struct digest_key *key, const struct digest_part *parts, int part_count,
	const struct digest_part *signatures, int signature_count)
{
	size_t len = 0;
	enum digest_outcome outcome = DIGEST_DIFFERS;
	unsigned char *message = NULL;
	if (key->kind == DIGEST_ED25519 && !(message = join(parts, part_count, &len)))
		return DIGEST_FAILED;
	for (int i = 0; i < signature_count && outcome == DIGEST_DIFFERS; i++) {
		outcome = message ? verify_ed25519(key, message, len, &signatures[i])
				  : verify_rsa(key, parts, part_count, &signatures[i]);
	}
	free(message);
	ERR_clear_error();
	return outcome;
}

static enum digest_outcome verify_text(
	const struct digest_key *key, const struct digest_part *signatures, int signature_count)
{
	unsigned char sent[DIGEST_SHA256_LEN];
	for (int i = 0; i < signature_count; i++) {
		if (!digest_sha256(signatures[i].bytes, signatures[i].len, sent))
			return DIGEST_FAILED;
		if (digest_equal(sent, key->text, sizeof sent))
			return DIGEST_MATCHES;
	}
	return DIGEST_DIFFERS;
}

enum digest_outcome digest_verify(const struct digest_key *key, const struct digest_part *parts, int part_count,
	const struct digest_part *signatures, int signature_count)
{
	if (key->kind == DIGEST_TEXT)
		return verify_text(key, signatures, signature_count);
	if (key->mac)
		return verify_hmac(key, parts, part_count, signatures, signature_count);
	return verify_public(key, parts, part_count, signatures, signature_count);
}

bool digest_sha256(const void *bytes, size_t len, unsigned char ret[DIGEST_SHA256_LEN])
{
	bool good = EVP_Digest(bytes, len, ret, NULL, EVP_sha256(), NULL) == 1;
	ERR_clear_error();
	return good;
}

bool digest_equal(const void *one, const void *other, size_t len)
{
	return CRYPTO_memcmp(one, other, len) == 0;
}

uint32_t digest_crc32(const void *bytes, size_t len)
{
	return (uint32_t)crc32_z(0, bytes, len);
}
