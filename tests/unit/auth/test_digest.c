/* test_digest.c - the published test vectors of hashes, HMACs, signatures and CRC-32, computed through auth/digest. */

#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#include "auth/digest.h"
#include "base/encode.h"

static struct digest_key *key_of(enum digest_kind kind, const void *bytes, size_t len)
{
	struct digest_key *key = NULL;
	struct fault f;
	cr_assert(digest_key_create(kind, bytes, len, &key, &f), "%s", f.text);
	return key;
}

static void refuses_key(enum digest_kind kind, const void *bytes, size_t len, const char *why)
{
	struct digest_key *key = NULL;
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(digest_key_create(kind, bytes, len, &key, &f));
	cr_expect_null(key);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
}

static enum digest_outcome try(
	const struct digest_key *key, const void *message, size_t len, const void *signature, size_t signature_len)
{
	struct digest_part part = {message, len}, candidate = {signature, signature_len};
	return digest_verify(key, &part, 1, &candidate, 1);
}

struct vector {
	const char *key, *message, *signature; /* hex */
};

static void verifies(enum digest_kind kind, const struct vector *v)
{
	unsigned char key[256], message[1100], signature[64];
	size_t key_len, len, signature_len;
	cr_assert(encode_read(ENCODING_HEX, v->key, strlen(v->key), key, sizeof key, &key_len));
	cr_assert(encode_read(ENCODING_HEX, v->message, strlen(v->message), message, sizeof message, &len));
	cr_assert(encode_read(
		ENCODING_HEX, v->signature, strlen(v->signature), signature, sizeof signature, &signature_len));
	struct digest_key *k = key_of(kind, key, key_len);
	cr_expect_eq(digest_key_kind(k), kind);
	cr_expect_eq(digest_key_end(k), INT64_MAX);
	for (int again = 0; again < 3; again++)
		cr_expect_eq(try(k, message, len, signature, signature_len), DIGEST_MATCHES, "%s", v->signature);
	for (size_t i = 0; i < signature_len; i++) {
		signature[i] ^= 0x10;
		cr_expect_eq(try(k, message, len, signature, signature_len), DIGEST_DIFFERS, "byte %zu", i);
		signature[i] ^= 0x10;
	}
	cr_expect_eq(try(k, message, len, signature, signature_len - 1), DIGEST_DIFFERS);
	cr_expect_eq(try(k, message, len, signature, 0), DIGEST_DIFFERS);
	message[len] = 0;
	cr_expect_eq(try(k, message, len + 1, signature, signature_len), DIGEST_DIFFERS);
	digest_key_destroy(k);
}

#define KEY_4 "0102030405060708090a0b0c0d0e0f10111213141516171819"
#define TEN(x) x x x x x x x x x x

/* RFC 4231, test cases 1, 2, 3, 4 and 6. */
Test(digest, hmac_as_in_rfc_4231)
{
	static const char HI_THERE[] = "4869205468657265";
	static const char LARGER[] =
		"54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374";
	const struct vector sha256[] = {
		{TEN("0b0b"), HI_THERE, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{TEN("aaaa"), TEN("dddddddddd"), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{KEY_4, TEN("cdcdcdcdcd"), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{TEN("aaaaaaaaaaaaaaaaaaaaaaaaaa") "aa", LARGER,
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};
	const struct vector sha512[] = {
		{TEN("0b0b"), HI_THERE,
			"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d91"
			"4eeb61f1702e696c203a126854"},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
			"164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1"
			"a34d4a6b4b636e070a38bce737"},
	};
	for (size_t i = 0; i < COUNT_OF(sha256); i++)
		verifies(DIGEST_HMAC_SHA256, &sha256[i]);
	for (size_t i = 0; i < COUNT_OF(sha512); i++)
		verifies(DIGEST_HMAC_SHA512, &sha512[i]);
}

/* RFC 8032, section 7.1, tests 1 to 3. */
Test(digest, ed25519_as_in_rfc_8032)
{
	const struct vector v[] = {
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5"
			"f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2e"
			"aeb4302aeeb00d291612bb0c00"},
		{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15"
			"e9716ed28dc027beceea1ec40a"},
	};
	for (size_t i = 0; i < COUNT_OF(v); i++)
		verifies(DIGEST_ED25519, &v[i]);
}

Test(digest, joins_the_parts_of_a_message)
{
	unsigned char digest[32];
	size_t len;
	const char *hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
	const struct digest_part parts[] = {{"what do ", 8}, {NULL, 0}, {"", 0}, {"ya want for nothing", 19}, {"?", 1}};
	struct digest_key *k = key_of(DIGEST_HMAC_SHA256, "Jefe", 4);
	cr_assert(encode_read(ENCODING_HEX, hex, strlen(hex), digest, sizeof digest, &len));
	struct digest_part signature = {digest, len};
	cr_expect_eq(digest_verify(k, parts, (int)COUNT_OF(parts), &signature, 1), DIGEST_MATCHES);
	cr_expect_eq(digest_verify(k, parts, (int)COUNT_OF(parts) - 1, &signature, 1), DIGEST_DIFFERS);
	digest_key_destroy(k);
}

Test(digest, finds_the_right_one_among_several_signatures)
{
	unsigned char right[32], wrong[32] = {0};
	size_t len;
	const char *hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
	struct digest_key *k = key_of(DIGEST_HMAC_SHA256, "Jefe", 4);
	cr_assert(encode_read(ENCODING_HEX, hex, strlen(hex), right, sizeof right, &len));
	struct digest_part part = {"what do ya want for nothing?", 28};
	const struct digest_part list[] = {{wrong, 32}, {right, 31}, {wrong, 0}, {right, 32}};
	cr_expect_eq(digest_verify(k, &part, 1, list, 4), DIGEST_MATCHES);
	cr_expect_eq(digest_verify(k, &part, 1, list, 3), DIGEST_DIFFERS);
	cr_expect_eq(digest_verify(k, &part, 1, list, 0), DIGEST_DIFFERS);
	digest_key_destroy(k);
}

/* A certificate of this key whose validity ends at end. */
static size_t certificate_of(EVP_PKEY *pair, int64_t end, char *ret, int max)
{
	X509 *certificate = X509_new();
	BIO *text = BIO_new(BIO_s_mem());
	ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
	ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)end);
	X509_set_pubkey(certificate, pair);
	cr_assert(X509_sign(certificate, pair, EVP_sha256()));
	PEM_write_bio_X509(text, certificate);
	int len = BIO_read(text, ret, max);
	BIO_free(text);
	X509_free(certificate);
	return (size_t)len;
}

Test(digest, rsa_by_a_certificate_and_its_end)
{
	char pem[8192];
	unsigned char signature[512];
	size_t signature_len = sizeof signature;
	EVP_PKEY *pair = EVP_RSA_gen(2048);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = certificate_of(pair, 1772582399, pem, sizeof pem);
	cr_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pair) == 1 &&
		  EVP_DigestSign(ctx, signature, &signature_len, (const unsigned char *)"message", 7) == 1);
	struct digest_key *k = key_of(DIGEST_RSA_SHA256, pem, len);
	cr_expect_eq(digest_key_end(k), 1772582399);
	for (int again = 0; again < 2; again++)
		cr_expect_eq(try(k, "message", 7, signature, signature_len), DIGEST_MATCHES);
	cr_expect_eq(try(k, "massage", 7, signature, signature_len), DIGEST_DIFFERS);
	cr_expect_eq(try(k, "message", 7, signature, signature_len - 1), DIGEST_DIFFERS);
	signature[0] ^= 1;
	cr_expect_eq(try(k, "message", 7, signature, signature_len), DIGEST_DIFFERS);
	digest_key_destroy(k);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pair);
}

Test(digest, refuses_what_is_no_key)
{
	char pem[8192];
	static char longer[DIGEST_KEY_MAX + 1];
	EVP_PKEY *weak = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
	refuses_key(DIGEST_HMAC_SHA256, "", 0, "empty");
	refuses_key(DIGEST_HMAC_SHA512, longer, sizeof longer, "longer than");
	refuses_key(DIGEST_ED25519, longer, 31, "32 bytes, not 31");
	refuses_key(DIGEST_ED25519, longer, 33, "32 bytes, not 33");
	refuses_key(DIGEST_RSA_SHA256, "", 0, "no certificate in PEM");
	refuses_key(DIGEST_RSA_SHA256, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 58,
		"no certificate in PEM");
	refuses_key(DIGEST_RSA_SHA256, pem, certificate_of(weak, 2000000000, pem, sizeof pem), "1024 bits");
	refuses_key(DIGEST_RSA_SHA256, pem, certificate_of(curve, 2000000000, pem, sizeof pem), "not RSA");
	EVP_PKEY_free(weak);
	EVP_PKEY_free(curve);
	digest_key_destroy(NULL);
}

/* The check value of this CRC, and zlib's value for no bytes. */
Test(digest, crc32)
{
	cr_expect_eq(digest_crc32("123456789", 9), 0xcbf43926);
	cr_expect_eq(digest_crc32("", 0), 0);
}

/* The first test vectors of FIPS 180. */
Test(digest, sha256)
{
	static const unsigned char abc[DIGEST_SHA256_LEN] =
		"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae"
		"\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
	unsigned char found[DIGEST_SHA256_LEN];
	cr_assert(digest_sha256("abc", 3, found));
	cr_expect(digest_equal(found, abc, sizeof abc));
	for (size_t i = 0; i < sizeof abc; i++) {
		found[i] ^= 1;
		cr_expect_not(digest_equal(found, abc, sizeof abc), "byte %zu", i);
		found[i] ^= 1;
	}
	cr_assert(digest_sha256("", 0, found));
	cr_expect_eq(found[0], 0xe3);
}
