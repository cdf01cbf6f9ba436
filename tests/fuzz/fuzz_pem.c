/* fuzz_pem.c - the input as a file of a key and a file of certificates, with a zero byte between, or as the first alone: what is
 * accepted as a key or a certificate is so each time, faults are set, and the secret of a source that is a public key or a
 * certificate in PEM is read or refused. */

#include <string.h>

#include "auth/pem.h"
#include "auth/signer.h"
#include "fuzz.h"

/* A copy of exactly len bytes, so that a byte read behind them is seen. */
static char *copy(const char *text, size_t len)
{
	char *ret = malloc(len ? len : 1);
	MUST_HOLD(ret);
	memcpy(ret, text, len);
	return ret;
}

static bool is_certificates(const char *text, size_t len)
{
	struct fault f = {.text = ""};
	bool good = pem_check_certificates(text, len, &f);
	MUST_HOLD(good == !*f.text);
	return good;
}

static bool is_key(const char *key, size_t key_len, const char *certificate, size_t len)
{
	struct fault f = {.text = ""};
	bool good = pem_check_key(key, key_len, certificate, len, &f);
	MUST_HOLD(good == !*f.text);
	return good;
}

static void must_be_read_or_refused(enum scheme scheme, const char *text, size_t len)
{
	struct signer_settings settings = {.scheme = scheme};
	struct signer s;
	struct fault f = {.text = ""};
	*(scheme == SCHEME_RSA ? &settings.header : &settings.webhook_id) = "x";
	MUST_HOLD(signer_init(&s, &settings, &f));
	bool good = signer_add_secret(&s, text, len, INT64_MAX, &f);
	MUST_HOLD(good == !*f.text && s.count == (good ? 1 : 0));
	MUST_HOLD(scheme != SCHEME_PAYPAL || !good || is_certificates(text, len));
	signer_finish(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *input = (const char *)data, *zero = len ? memchr(input, '\0', len) : NULL;
	size_t key_len = zero ? (size_t)(zero - input) : len, rest = zero ? len - key_len - 1 : 0;
	char *key = copy(len ? input : "", key_len), *certificate = copy(zero ? zero + 1 : "", rest);
	bool is_good = is_certificates(key, key_len), fits = is_key(key, key_len, certificate, rest);
	must_be_read_or_refused(SCHEME_RSA, key, key_len);
	must_be_read_or_refused(SCHEME_PAYPAL, key, key_len);
	/* Nothing is left of the readings before. */
	MUST_HOLD(is_certificates(key, key_len) == is_good && is_key(key, key_len, certificate, rest) == fits);
	MUST_HOLD(!is_key(key, key_len, "", 0));
	free(key);
	free(certificate);
	return 0;
}
