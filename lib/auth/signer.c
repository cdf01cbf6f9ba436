/* signer.c - prepares the signature scheme of a source: its options and its secrets.
 *
 * All checks are made once, when the configuration is read, so that a verification can rely on them.  An option that
 * the scheme does not use is an error and is not ignored: an operator who sets it expects it to have an effect.  Faults
 * name the option and never quote a secret.  The verification itself is in signature.c. */

#include "auth/signer.h"

#include <string.h>

#include "base/ascii.h"
#include "http/url.h"

static const char *const NAMES[SCHEME_COUNT] = {
	[SCHEME_STANDARD_WEBHOOKS] = "standard-webhooks",
	[SCHEME_STRIPE] = "stripe",
	[SCHEME_RAZORPAY] = "razorpay",
	[SCHEME_GITHUB] = "github",
	[SCHEME_SQUARE] = "square",
	[SCHEME_ADYEN] = "adyen",
	[SCHEME_PAYPAL] = "paypal",
	[SCHEME_HMAC] = "hmac",
};

const char *scheme_name(enum scheme scheme)
{
	return NAMES[scheme];
}

/* An option of the configuration: its destination, its bound, and the one scheme that has it. */
struct member {
	const char *name;
	const char *value; /* NULL: not given */
	char *ret;
	size_t max; /* bytes; ret has room for one more */
	enum scheme scheme;
	bool required;
	bool header; /* the value is the name of a header */
};

/* Stricter than a token of RFC 9110: by default, nginx drops a header if its name has other characters
 * (ignore_invalid_headers). */
static bool is_header_name(const char *text)
{
	static const char TOKEN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	return *text && strspn(text, TOKEN) == strlen(text);
}

/* signature_header.c quotes the prefix in a fault.  The fault goes into the log and into a text column of PostgreSQL,
 * and neither accepts every byte. */
static bool signer_is_visible(const char *text)
{
	for (; *text; text++) {
		if (!ascii_is_printable(*text))
			return false;
	}
	return true;
}

/* Checks one option and copies it.  The name of a header is stored in lower case, in which struct signature_request
 * looks it up. */
static bool copy_member(const struct member *m, enum scheme scheme, struct fault *f)
{
	if (!m->value) {
		if (m->required && m->scheme == scheme)
			return fault_set(f, FAULT_INPUT, "%s is missing, which %s needs", m->name, NAMES[scheme]);
		return true;
	}
	if (m->scheme != scheme)
		return fault_set(f, FAULT_INPUT, "%s has no meaning for %s", m->name, NAMES[scheme]);
	if (m->required && !*m->value)
		return fault_set(f, FAULT_INPUT, "%s is empty", m->name);
	if (strlen(m->value) > m->max)
		return fault_set(f, FAULT_INPUT, "%s is longer than %zu bytes", m->name, m->max);
	if (m->header && !is_header_name(m->value))
		return fault_set(f, FAULT_INPUT, "%s is no header's name: letters, digits and hyphens", m->name);
	memcpy(m->ret, m->value, strlen(m->value) + 1);
	if (m->header)
		ascii_lower(m->ret);
	return true;
}

static bool check_url(const struct signer *s, struct fault *f)
{
	struct fault why;
	if (s->scheme != SCHEME_SQUARE || url_check(s->url, &why))
		return true;
	return fault_set(f, FAULT_INPUT, "url: %s", why.text);
}

bool signer_signs_time(const struct signer *s)
{
	return s->scheme == SCHEME_STANDARD_WEBHOOKS || s->scheme == SCHEME_STRIPE || s->scheme == SCHEME_PAYPAL ||
	       *s->timestamp_header;
}

bool signer_covers_header(const struct signer *s, const char *name)
{
	switch (s->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return strcmp(name, "webhook-id") == 0 || strcmp(name, "webhook-timestamp") == 0;
	case SCHEME_PAYPAL:
		return strcmp(name, "paypal-transmission-id") == 0 || strcmp(name, "paypal-transmission-time") == 0;
	case SCHEME_HMAC:
		return strcmp(name, s->timestamp_header) == 0;
	case SCHEME_STRIPE:
	case SCHEME_RAZORPAY:
	case SCHEME_GITHUB:
	case SCHEME_SQUARE:
	case SCHEME_ADYEN:
		break;
	}
	return false;
}

bool signer_signs_body(const struct signer *s)
{
	(void)s;
	return true;
}

/* Needs timestamp_header to be set already: for SCHEME_HMAC it decides whether a time is signed. */
static bool set_tolerance(struct signer *s, int tolerance_s, struct fault *f)
{
	if (tolerance_s && !signer_signs_time(s))
		return fault_set(f, FAULT_INPUT, "tolerance_s has no meaning: no time is signed");
	if (tolerance_s < 0 || tolerance_s > SIGNER_TOLERANCE_MAX_S)
		return fault_set(f, FAULT_INPUT, "tolerance_s is not 1 to %d", SIGNER_TOLERANCE_MAX_S);
	s->tolerance_s = tolerance_s ? tolerance_s : SIGNER_TOLERANCE_S;
	return true;
}

bool signer_init(struct signer *ret, const struct signer_settings *settings, struct fault *f)
{
	/* A local copy, so that a failure leaves *ret alone. */
	struct signer s = {.scheme = settings->scheme};
	const struct member members[] = {
		{"url", settings->url, s.url, SIGNER_URL_MAX, SCHEME_SQUARE, true, false},
		{"webhook_id", settings->webhook_id, s.webhook_id, SIGNER_TEXT_MAX, SCHEME_PAYPAL, true, false},
		{"header", settings->header, s.header, SIGNER_TEXT_MAX, SCHEME_HMAC, true, true},
		{"prefix", settings->prefix, s.prefix, SIGNER_TEXT_MAX, SCHEME_HMAC, false, false},
		{"timestamp_header", settings->timestamp_header, s.timestamp_header, SIGNER_TEXT_MAX, SCHEME_HMAC,
			false, true},
		{"separator", settings->separator, s.separator, SIGNER_TEXT_MAX, SCHEME_HMAC, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (!copy_member(&members[i], s.scheme, f))
			return false;
	}
	if (settings->separator && !settings->timestamp_header)
		return fault_set(f, FAULT_INPUT, "separator has no meaning without timestamp_header");
	if (!settings->separator)
		memcpy(s.separator, ".", 2);
	if (!signer_is_visible(s.prefix))
		return fault_set(f, FAULT_INPUT, "prefix holds a byte that is not visible ASCII");
	if (!check_url(&s, f) || !set_tolerance(&s, settings->tolerance_s, f))
		return false;
	if (s.scheme == SCHEME_HMAC) {
		s.algorithm = settings->algorithm;
		s.encoding = settings->encoding;
	}
	*ret = s;
	return true;
}

/* Makes a key from its text in hex or base64, without a prefix.  The decoded bytes are wiped from the stack. */
static bool create_decoded(enum digest_kind kind, enum encoding encoding, const char *text, size_t len,
	struct digest_key **ret, struct fault *f)
{
	unsigned char bytes[SIGNER_KEY_MAX];
	size_t bytes_len = 0;
	bool created = false;
	if (encode_read(encoding, text, len, bytes, sizeof bytes, &bytes_len))
		created = digest_key_create(kind, bytes, bytes_len, ret, f);
	else
		fault_set(f, FAULT_INPUT, "it is not %s of at most %d bytes",
			encoding == ENCODING_HEX ? "hexadecimal" : "padded base64", SIGNER_KEY_MAX);
	explicit_bzero(bytes, sizeof bytes);
	return created;
}

static bool begins_with(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

/* The prefix selects the algorithm (specification of Standard Webhooks): whpk_ is an Ed25519 public key, whsec_ or no
 * prefix a shared secret.  whsk_ is a private key, which must never leave the provider; the fault explains which one is
 * needed. */
static bool create_standard(const char *text, size_t len, struct digest_key **ret, struct fault *f)
{
	if (begins_with(text, len, "whsk_"))
		return fault_set(f, FAULT_INPUT, "whsk_ is the sender's private key; the public one, whpk_, verifies");
	if (begins_with(text, len, "whpk_"))
		return create_decoded(DIGEST_ED25519, ENCODING_BASE64, text + 5, len - 5, ret, f);
	size_t prefix = begins_with(text, len, "whsec_") ? 6 : 0;
	return create_decoded(DIGEST_HMAC_SHA256, ENCODING_BASE64, text + prefix, len - prefix, ret, f);
}

static bool create_key(const struct signer *s, const char *text, size_t len, struct digest_key **ret, struct fault *f)
{
	switch (s->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return create_standard(text, len, ret, f);
	case SCHEME_ADYEN:
		return create_decoded(DIGEST_HMAC_SHA256, ENCODING_HEX, text, len, ret, f);
	case SCHEME_PAYPAL:
		return digest_key_create(DIGEST_RSA_SHA256, text, len, ret, f);
	case SCHEME_STRIPE:
	case SCHEME_RAZORPAY:
	case SCHEME_GITHUB:
	case SCHEME_SQUARE:
	case SCHEME_HMAC:
		break;
	}
	/* The text of these secrets is the key.  This includes Stripe's "whsec_", which is not a prefix of base64
	 * here. */
	enum digest_kind kind = s->scheme == SCHEME_HMAC ? s->algorithm : DIGEST_HMAC_SHA256;
	return digest_key_create(kind, text, len, ret, f);
}

bool signer_add_secret(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f)
{
	struct digest_key *key;
	if (s->count == SIGNER_SECRETS_MAX)
		return fault_set(f, FAULT_INPUT, "there are more than %d secrets", SIGNER_SECRETS_MAX);
	if (!create_key(s, secret, len, &key, f))
		return false;
	/* The earlier of the operator's end and the certificate's own. */
	int64_t end = digest_key_end(key);
	if (not_after_s < end)
		end = not_after_s;
	s->secrets[s->count++] = (struct signer_secret){key, end};
	return true;
}

void signer_finish(struct signer *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->count; i++)
		digest_key_destroy(s->secrets[i].key);
	s->count = 0;
}
