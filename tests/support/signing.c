/* signing.c - signs requests as the providers do, with libcrypto's one-call functions.
 *
 * It shares no code with lib/auth, so that a mistake there is not repeated here. */

#include "support/signing.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define NOTIFICATION_URL "https://pay.example/v1/webhooks/square"
#define WEBHOOK_ID "8PT597110X687430LKGECATA"

const struct sender SENDERS[] = {
	{"standard-webhooks", {.scheme = SCHEME_STANDARD_WEBHOOKS}, true, false, "webhook-signature",
		{"webhook-id", "webhook-timestamp"}},
	{"standard-webhooks with Ed25519", {.scheme = SCHEME_STANDARD_WEBHOOKS}, true, true, "webhook-signature",
		{"webhook-id", "webhook-timestamp"}},
	{"stripe", {.scheme = SCHEME_STRIPE}, true, false, "stripe-signature", {0}},
	{"razorpay", {.scheme = SCHEME_RAZORPAY}, false, false, "x-razorpay-signature", {0}},
	{"github", {.scheme = SCHEME_GITHUB}, false, false, "x-hub-signature-256", {0}},
	{"square", {.scheme = SCHEME_SQUARE, .url = NOTIFICATION_URL}, false, false, "x-square-hmacsha256-signature",
		{0}},
	{"paypal", {.scheme = SCHEME_PAYPAL, .webhook_id = WEBHOOK_ID}, true, false, "paypal-transmission-sig",
		{"paypal-transmission-id", "paypal-transmission-time", "paypal-auth-algo"}},
	{"hmac", {.scheme = SCHEME_HMAC, .header = "X-Signature", .encoding = ENCODING_BASE64}, false, false,
		"x-signature", {0}},
	{"hmac with a time",
		{.scheme = SCHEME_HMAC,
			.header = "X-Bank-Signature",
			.prefix = "sha512:",
			.algorithm = DIGEST_HMAC_SHA512,
			.encoding = ENCODING_HEX,
			.timestamp_header = "X-Bank-Time",
			.separator = "\n"},
		true, false, "x-bank-signature", {"x-bank-time"}},
};
const size_t SENDER_COUNT = sizeof SENDERS / sizeof SENDERS[0];

const char *sent_header(void *ctx, const char *name)
{
	struct sent *s = ctx;
	for (int i = 0; i < s->count; i++) {
		if (strcmp(s->header[i].name, name) == 0)
			return s->header[i].value;
	}
	return NULL;
}

void sent_set(struct sent *s, const char *name, const char *value)
{
	int i = 0;
	while (i < s->count && strcmp(s->header[i].name, name) != 0)
		i++;
	if (!value) {
		if (i < s->count)
			s->header[i] = s->header[--s->count];
		return;
	}
	assert(i < SENT_HEADERS_MAX && strlen(value) < sizeof s->header[i].value);
	s->header[i].name = name;
	memcpy(s->header[i].value, value, strlen(value) + 1);
	if (i == s->count)
		s->count++;
}

static void to_text(const unsigned char *bytes, size_t len, bool base64, char ret[SENT_VALUE_MAX])
{
	assert(len * 2 < SENT_VALUE_MAX);
	if (base64) {
		EVP_EncodeBlock((unsigned char *)ret, bytes, (int)len);
		return;
	}
	ret[0] = '\0';
	for (size_t i = 0; i < len; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

void sender_hmac(const char *algorithm, const char *key, size_t key_len, const char *message, size_t len, bool base64,
	char ret[SENT_VALUE_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;
	const EVP_MD *md = EVP_get_digestbyname(algorithm);
	unsigned char *done = HMAC(md, key, (int)key_len, (const unsigned char *)message, len, digest, &digest_len);
	assert(done);
	(void)done;
	to_text(digest, digest_len, base64, ret);
}

static void make_certificate(EVP_PKEY *pair, int64_t end_s, struct sender_key *ret)
{
	X509 *certificate = X509_new();
	BIO *text = BIO_new(BIO_s_mem());
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)0);
	ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)end_s);
	X509_set_pubkey(certificate, pair);
	X509_sign(certificate, pair, EVP_sha256());
	PEM_write_bio_X509(text, certificate);
	int len = BIO_read(text, ret->text, sizeof ret->text - 1);
	assert(len > 0);
	ret->text[len] = '\0';
	BIO_free(text);
	X509_free(certificate);
}

static void make_ed25519(int n, struct sender_key *ret)
{
	unsigned char seed[32], public[32];
	size_t len = sizeof public;
	char text[SENT_VALUE_MAX];
	memset(seed, n + 1, sizeof seed);
	ret->private = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
	EVP_PKEY_get_raw_public_key(ret->private, public, &len);
	to_text(public, len, true, text);
	snprintf(ret->text, sizeof ret->text, "whpk_%s", text);
}

void sender_key(const struct sender *s, int n, int64_t end_s, struct sender_key *ret)
{
	static char keys[16][40];
	char text[SENT_VALUE_MAX];
	*ret = (struct sender_key){.hmac = keys[n], .hmac_len = 32};
	if (s->ed25519) {
		make_ed25519(n, ret);
		return;
	}
	if (s->settings.scheme == SCHEME_PAYPAL) {
		ret->private = EVP_RSA_gen(2048);
		make_certificate(ret->private, end_s, ret);
		return;
	}
	snprintf(keys[n], sizeof keys[n], "key %x of 32 bytes, not a secret!", (unsigned)n);
	assert(strlen(keys[n]) == 32);
	to_text((unsigned char *)keys[n], 32, true, text);
	if (s->settings.scheme == SCHEME_STANDARD_WEBHOOKS)
		snprintf(ret->text, sizeof ret->text, "whsec_%s", text);
	else
		memcpy(ret->text, keys[n], 33);
}

void sender_key_finish(struct sender_key *key)
{
	EVP_PKEY_free(key->private);
	key->private = NULL;
}

static void sign_public(EVP_PKEY *key, const EVP_MD *md, const char *message, size_t len, char ret[SENT_VALUE_MAX])
{
	unsigned char signature[512];
	size_t signature_len = sizeof signature;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int done = EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
		   EVP_DigestSign(ctx, signature, &signature_len, (const unsigned char *)message, len) == 1;
	assert(done);
	(void)done;
	EVP_MD_CTX_free(ctx);
	to_text(signature, signature_len, true, ret);
}

/* The parts that are signed before the body. */
static size_t begin_message(
	const struct sender *s, int64_t time_s, const char *date, const char *crc, char *ret, size_t max)
{
	switch (s->settings.scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return (size_t)snprintf(ret, max, "msg_1.%" PRId64 ".", time_s);
	case SCHEME_STRIPE:
		return (size_t)snprintf(ret, max, "%" PRId64 ".", time_s);
	case SCHEME_SQUARE:
		return (size_t)snprintf(ret, max, "%s", NOTIFICATION_URL);
	case SCHEME_PAYPAL:
		return (size_t)snprintf(ret, max, "69cd13f0-d67a|%s|%s|%s", date, WEBHOOK_ID, crc);
	case SCHEME_HMAC:
		return s->timed ? (size_t)snprintf(ret, max, "%" PRId64 "%s", time_s, s->settings.separator) : 0;
	case SCHEME_RAZORPAY:
	case SCHEME_GITHUB:
	case SCHEME_ADYEN:
	case SCHEME_TOKEN:
	case SCHEME_BASIC:
	case SCHEME_RSA:
		break;
	}
	return 0;
}

void sender_sign(const struct sender *s, const struct sender_key *key, int64_t time_s, const char *body, size_t len,
	struct sent *ret)
{
	char date[32], crc[16], text[SENT_VALUE_MAX] = "", value[SENT_VALUE_MAX + 64], seconds[24];
	enum scheme scheme = s->settings.scheme;
	struct tm parts;
	time_t when = (time_t)time_s;
	char *message = malloc(len + 512);
	assert(message);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &parts));
	snprintf(crc, sizeof crc, "%lu", crc32(0, (const unsigned char *)body, (unsigned)len));
	snprintf(seconds, sizeof seconds, "%" PRId64, time_s);
	size_t before = begin_message(s, time_s, date, crc, message, 512);
	size_t signed_len = scheme == SCHEME_PAYPAL ? before : before + len;
	memcpy(message + before, body, len);
	if (key->private)
		sign_public(key->private, s->ed25519 ? NULL : EVP_sha256(), message, signed_len, text);
	else
		sender_hmac(s->settings.algorithm == DIGEST_HMAC_SHA512 ? "SHA512" : "SHA256", key->hmac, key->hmac_len,
			message, signed_len,
			scheme == SCHEME_STANDARD_WEBHOOKS || scheme == SCHEME_SQUARE ||
				(scheme == SCHEME_HMAC && s->settings.encoding == ENCODING_BASE64),
			text);
	free(message);
	const char *prefix = scheme == SCHEME_STANDARD_WEBHOOKS ? (s->ed25519 ? "v1a," : "v1,")
			     : scheme == SCHEME_GITHUB          ? "sha256="
			     : s->settings.prefix               ? s->settings.prefix
								: "";
	if (scheme == SCHEME_STRIPE)
		snprintf(value, sizeof value, "t=%s,v1=%s", seconds, text);
	else
		snprintf(value, sizeof value, "%s%s", prefix, text);
	ret->count = 0;
	sent_set(ret, s->signature, value);
	if (scheme == SCHEME_STANDARD_WEBHOOKS)
		sent_set(ret, "webhook-id", "msg_1");
	if (s->other[0] && scheme != SCHEME_PAYPAL)
		sent_set(ret, scheme == SCHEME_HMAC ? "x-bank-time" : "webhook-timestamp", seconds);
	if (scheme == SCHEME_PAYPAL) {
		sent_set(ret, "paypal-transmission-id", "69cd13f0-d67a");
		sent_set(ret, "paypal-transmission-time", date);
		sent_set(ret, "paypal-auth-algo", "SHA256withRSA");
	}
}
