/* signer_key.c - makes a key from the text of a secret.
 *
 * A secret in another form than its provider's verifies nothing, and one that others can know verifies everything.  So
 * what is no secret is refused when the configuration is read: a public key, a short text, and what an editor adds.  No
 * fault quotes a secret, and the buffers through which it passes are wiped. */

#include "auth/signer_key.h"

#include <string.h>

#include "base/encode.h"
#include "base/file.h"

#define PUBLIC_MAX 4096 /* bytes of a public key or a certificate in DER */
#define RSA_MIN 128     /* bytes of the number in an RSA key of 1024 bits */
#define SHARED_PREFIX "whsec_"
#define NOT_SHARED "it is a public key or a certificate: anyone that has it could sign, so it is no shared secret"

static bool begins_with(const char *text, size_t len, const char *prefix)
{
	return len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether the text is a public key of RSA in DER and base64, without the lines of PEM, as some providers show it.  The length
 * in its first bytes differs; what follows is the identifier of the algorithm (RFC 8017, A.1). */
static bool is_public_rsa(const char *text, size_t len)
{
	static const char ALGORITHM[] = "BgkqhkiG9w0BAQEF";
	const size_t at = 8;
	return len > at && begins_with(text, len, "MII") && begins_with(text + at, len - at, ALGORITHM);
}

/* Bytes of the head of a sequence in DER (X.690, 8.1); 0: there is none, or one of 64 KiB.  *content becomes the length of
 * what is in it. */
static size_t sequence_head(const unsigned char *at, size_t len, size_t *content)
{
	size_t more = len >= 4 && at[1] > 0x80 ? at[1] - 0x80U : 0;
	if (len < 4 || at[0] != 0x30 || more > 2)
		return 0;
	*content = more == 0 ? at[1] : more == 1 ? at[2] : (size_t)at[2] << 8 | at[3];
	return 2 + more;
}

/* Whether bytes are a SubjectPublicKeyInfo or a certificate (RFC 5280, 4.1), or an RSAPublicKey (RFC 8017, A.1.1).  In the
 * first two a sequence stands first, of an algorithm or with a version; in the last a long number. */
static bool is_der_public(const unsigned char *bytes, size_t len)
{
	enum { NUMBER = 0x02, ALGORITHM = 0x06, VERSION = 0xa0, LONG = 0x81 };
	size_t content, inner, head = sequence_head(bytes, len, &content);
	if (head == 0 || content != len - head)
		return false;
	bytes += head;
	len -= head;
	head = sequence_head(bytes, len, &inner);
	if (head == 0)
		return len > RSA_MIN && bytes[0] == NUMBER && bytes[1] >= LONG;
	return len > head && (bytes[head] == ALGORITHM || bytes[head] == VERSION);
}

/* Whether the text, or the bytes for which it stands, are a public key: of Standard Webhooks, in PEM, of SSH, or in
 * DER, also in base64 or hex.  The beginnings of those of Ed25519 (RFC 8410), RSA and elliptic curves (RFC 5480) are enough:
 * such a text may have been cut off. */
static bool is_public(const char *text, size_t len)
{
	static const char *const BEGINS[] = {"whpk_", "v1a,", "-----BEGIN ", "ssh-", "ecdsa-sha2-", "MCowBQYDK2VwAyEA",
		"MIGfMA0GCSqGSIb3DQEBAQ", "MFkwEwYHKoZIzj0C", "MFYwEAYHKoZIzj0C", "MHYwEAYHKoZIzj0C",
		"MIGbMBAGByqGSM49", "302a300506032b6570032100", "302A300506032B6570032100",
		"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21"};
	unsigned char bytes[PUBLIC_MAX];
	size_t count;
	for (size_t i = 0; i < COUNT_OF(BEGINS); i++) {
		if (begins_with(text, len, BEGINS[i]))
			return true;
	}
	bool is_der =
		is_public_rsa(text, len) || is_der_public((const unsigned char *)text, len) ||
		(encode_read(ENCODING_BASE64, text, len, bytes, sizeof bytes, &count) && is_der_public(bytes, count)) ||
		(encode_read(ENCODING_HEX, text, len, bytes, sizeof bytes, &count) && is_der_public(bytes, count));
	explicit_bzero(bytes, sizeof bytes);
	return is_der;
}

/* An HMAC fills its key up with zero bytes, so that keys that differ in these only are one key. */
static bool set_fingerprint(struct signer_secret *ret, const char *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] == '\0')
		len--;
	ret->len = len;
	return digest_sha256(bytes, len, ret->fingerprint);
}

/* The text that a provider has is one secret, whether a source takes it as it is or decodes it. */
static bool set_issued(struct signer_secret *ret, const char *text, size_t len)
{
	size_t prefix = begins_with(text, len, SHARED_PREFIX) ? sizeof SHARED_PREFIX - 1 : 0;
	return digest_sha256(text + prefix, len - prefix, ret->issued);
}

static bool signer_key_no_memory(struct fault *f)
{
	return fault_set(f, FAULT_BUG, "libcrypto could not prepare the key");
}

/* Makes the key of a secret that the provider has too. */
static bool create_shared(
	enum digest_kind kind, const char *bytes, size_t len, struct signer_secret *ret, struct fault *f)
{
	struct signer_secret made = {.is_shared = true};
	if (len == 0)
		return fault_set(f, FAULT_INPUT, "it is empty");
	if (is_public(bytes, len))
		return fault_set(f, FAULT_INPUT, NOT_SHARED);
	if (!set_fingerprint(&made, bytes, len) || !set_issued(&made, bytes, len))
		return signer_key_no_memory(f);
	if (!digest_key_create(kind, bytes, len, &made.key, f))
		return false;
	*ret = made;
	return true;
}

static bool create_public(
	enum digest_kind kind, const void *bytes, size_t len, struct signer_secret *ret, struct fault *f)
{
	struct signer_secret made = {.is_shared = false};
	if (!digest_key_create(kind, bytes, len, &made.key, f))
		return false;
	*ret = made;
	return true;
}

/* Makes a key from its text in hex or base64, without a prefix.  The decoded bytes are wiped from the stack. */
static bool create_decoded(enum digest_kind kind, enum encoding encoding, const char *text, size_t len,
	struct signer_secret *ret, struct fault *f)
{
	unsigned char bytes[SIGNER_KEY_MAX];
	struct signer_secret issued;
	size_t bytes_len = 0;
	bool created = false;
	if (!encode_read(encoding, text, len, bytes, sizeof bytes, &bytes_len))
		fault_set(f, FAULT_INPUT, "it is not %s of at most %d bytes",
			encoding == ENCODING_HEX ? "hexadecimal" : "padded base64", SIGNER_KEY_MAX);
	else if (kind == DIGEST_ED25519)
		created = create_public(kind, bytes, bytes_len, ret, f);
	else if (!set_issued(&issued, text, len))
		signer_key_no_memory(f);
	else if ((created = create_shared(kind, (const char *)bytes, bytes_len, ret, f)))
		memcpy(ret->issued, issued.issued, sizeof ret->issued);
	explicit_bzero(bytes, sizeof bytes);
	return created;
}

/* Makes a key of an HMAC.  A public key is looked for in the text too: in base64 it has no bytes that show it. */
static bool create_hmac_of(enum digest_kind kind, enum key_form form, const char *text, size_t len,
	struct signer_secret *ret, struct fault *f)
{
	if (is_public(text, len))
		return fault_set(f, FAULT_INPUT, NOT_SHARED);
	switch (form) {
	case KEY_HEX:
		return create_decoded(kind, ENCODING_HEX, text, len, ret, f);
	case KEY_BASE64:
		return create_decoded(kind, ENCODING_BASE64, text, len, ret, f);
	case KEY_AS_ISSUED:
	case KEY_TEXT:
		break;
	}
	return create_shared(kind, text, len, ret, f);
}

/* The prefix selects the algorithm (specification of Standard Webhooks): whpk_ is an Ed25519 public key, whsec_ a shared
 * secret, before which some senders put the version and a comma.  whsk_ is a private key, which must never leave the
 * provider; the fault explains which one is needed.
 *
 * Without a prefix nothing shows whether 32 bytes are a secret or a public key, and with the latter as a shared secret
 * anyone could sign.  So the operator has to say by "key" that it is a secret. */
static bool create_standard(
	struct signer_key_kind kind, const char *text, size_t len, struct signer_secret *ret, struct fault *f)
{
	size_t version = begins_with(text, len, "v1,whsec_") ? 3 : begins_with(text, len, "v1a,whpk_") ? 4 : 0;
	const char *issued = text + version;
	size_t issued_len = len - version;
	if (begins_with(text, len, "whsk_"))
		return fault_set(f, FAULT_INPUT, "whsk_ is the sender's private key; the public one, whpk_, verifies");
	if (begins_with(issued, issued_len, "whpk_"))
		return create_decoded(DIGEST_ED25519, ENCODING_BASE64, issued + 5, issued_len - 5, ret, f);
	if (kind.form != KEY_TEXT && begins_with(issued, issued_len, "whsec_"))
		return create_hmac_of(DIGEST_HMAC_SHA256, kind.form == KEY_HEX ? KEY_HEX : KEY_BASE64, issued + 6,
			issued_len - 6, ret, f);
	if (len > 0 && kind.form == KEY_AS_ISSUED)
		return fault_set(f, FAULT_INPUT,
			"it begins with neither whsec_ nor whpk_; if it is a shared secret, \"key\" says in which form");
	return create_hmac_of(DIGEST_HMAC_SHA256, kind.form, text, len, ret, f);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What editors and shells leave around a secret is never a part of it, and would be hard to find later. */
static bool check_line(const char *text, size_t len, struct fault *f)
{
	if (len > 0 && (is_blank(text[0]) || is_blank(text[len - 1])))
		return fault_set(
			f, FAULT_INPUT, "it begins or ends with a blank, which is no part of a secret: remove it");
	if (memchr(text, '\n', len) || memchr(text, '\r', len))
		return fault_set(f, FAULT_INPUT,
			"it has several lines; each secret stands in one line, and in a file of its own");
	return true;
}

/* Makes the key of a secret that is sent itself, in a header of which so many bytes are read. */
static bool create_sent(const char *text, size_t len, struct signer_secret *ret, struct fault *f)
{
	if (len > DIGEST_SIGNATURE_MAX)
		return fault_set(f, FAULT_INPUT, "it is longer than %d bytes, so that no header with it would be taken",
			DIGEST_SIGNATURE_MAX);
	return create_shared(DIGEST_TEXT, text, len, ret, f);
}

/* A colon ends the user (RFC 7617, section 2); the password may have more of them. */
bool signer_key_create_basic(const char *text, size_t len, struct signer_secret *ret, struct fault *f)
{
	const char *colon = memchr(text, ':', len);
	if (!file_check_mark(text, len, f) || !check_line(text, len, f))
		return false;
	if (!colon || colon == text || colon == text + len - 1)
		return fault_set(f, FAULT_INPUT, "it is not user:password, both of them given");
	return create_sent(text, len, ret, f);
}

static bool create_of_scheme(
	struct signer_key_kind kind, const char *text, size_t len, struct signer_secret *ret, struct fault *f)
{
	switch (kind.scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return create_standard(kind, text, len, ret, f);
	case SCHEME_ADYEN:
		return create_hmac_of(DIGEST_HMAC_SHA256, KEY_HEX, text, len, ret, f);
	case SCHEME_HMAC:
		return create_hmac_of(kind.algorithm, kind.form, text, len, ret, f);
	case SCHEME_PAYPAL:
		return create_public(DIGEST_RSA_SHA256, text, len, ret, f);
	case SCHEME_RSA:
		return create_public(DIGEST_RSA_PUBLIC, text, len, ret, f);
	case SCHEME_TOKEN:
		return create_sent(text, len, ret, f);
	case SCHEME_BASIC:
		return signer_key_create_basic(text, len, ret, f);
	case SCHEME_STRIPE:
	case SCHEME_RAZORPAY:
	case SCHEME_GITHUB:
	case SCHEME_SQUARE:
		break;
	}
	/* The text of these secrets is the key.  This includes Stripe's "whsec_", which is not a prefix of base64
	 * here. */
	return create_shared(DIGEST_HMAC_SHA256, text, len, ret, f);
}

bool signer_key_create(
	struct signer_key_kind kind, const char *text, size_t len, struct signer_secret *ret, struct fault *f)
{
	bool is_pem = kind.scheme == SCHEME_PAYPAL || kind.scheme == SCHEME_RSA;
	return file_check_mark(text, len, f) && (is_pem || check_line(text, len, f)) &&
	       create_of_scheme(kind, text, len, ret, f);
}

bool signer_secret_is_short(const struct signer_secret *s)
{
	return s->is_shared && s->len < SIGNER_SHARED_MIN;
}
