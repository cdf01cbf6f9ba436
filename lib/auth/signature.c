/* signature.c - verifies that a webhook was signed with a secret of its source.
 *
 * Each scheme reads its headers into one form, struct claim: the pieces of the signed message, the signatures, and the
 * time if one is signed.  From there all schemes take the same path: secrets, not_after, time.  The body is hashed as
 * received, before any parsing.  Every error ends in a failed verification.
 *
 * The digest is calculated even if the time is out of tolerance.  Only then can the report distinguish a wrong clock
 * from a forgery.  Checking the time first would save nothing: an attacker can write a current time.
 *
 * A replay within the tolerance is not detected here: the database finds the stored transaction.  The caller answers
 * the provider and records the report. */

#include "auth/signature.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/signature_header.h"
#include "base/utf8.h"

#define PARTS_MAX (2 * ADYEN_FIELDS) /* Adyen: eight fields, and the colons between them */
#define HMAC_SHA256_LEN 32
#define HMAC_SHA512_LEN 64
#define OTHER_URL_BODY_MAX 8192 /* bytes; a longer body is not hashed again to look for a wrong URL */

/* The signed message as the request claims it.  The parts point into the request, the signer and crc. */
struct claim {
	const struct signer *signer;
	int64_t now_s;
	struct digest_part part[PARTS_MAX];
	int parts;
	struct signature_list list;
	bool timed; /* the message has a time, time_s */
	int64_t time_s;
	char crc[12]; /* PayPal: ten digits at most */
	struct signature_report *report;
};

static const char *const CAUSE_NAMES[SIGNATURE_CAUSE_COUNT] = {
	[SIGNATURE_GOOD] = "good",
	[SIGNATURE_MISSING] = "missing",
	[SIGNATURE_MALFORMED] = "malformed",
	[SIGNATURE_UNSUPPORTED] = "unsupported",
	[SIGNATURE_OLD] = "old",
	[SIGNATURE_FUTURE] = "future",
	[SIGNATURE_EXPIRED] = "expired",
	[SIGNATURE_WRONG_URL] = "wrong_url",
	[SIGNATURE_WRONG] = "wrong",
	[SIGNATURE_FAILED] = "failed",
};

const char *signature_cause_name(enum signature_cause cause)
{
	return CAUSE_NAMES[cause];
}

/* Writes a report and is false; a macro for the reason of fault_set(). */
#define signature_refuse(...) (signature_write(__VA_ARGS__), fault_false())

static void PRINTF_LIKE(3, 4)
	signature_write(struct signature_report *r, enum signature_cause cause, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	utf8_format(r->text, sizeof r->text, format, args);
	va_end(args);
	r->cause = cause;
}

/* The value of a required header; NULL, and a report, if it is absent or empty. */
static const char *signature_header_of(struct claim *c, const struct signature_request *request, const char *name)
{
	const char *value = request->header(request->ctx, name);
	if (value && *value)
		return value;
	signature_refuse(c->report, SIGNATURE_MISSING, "the header %s is %s", name, value ? "empty" : "missing");
	return NULL;
}

static bool malformed(struct claim *c, const char *header, const struct fault *f)
{
	return signature_refuse(c->report, SIGNATURE_MALFORMED, "the header %s is malformed: %s", header, f->text);
}

static void add_part(struct claim *c, const void *bytes, size_t len)
{
	c->part[c->parts++] = (struct digest_part){bytes, len};
}

static void signature_add_text(struct claim *c, const char *text)
{
	add_part(c, text, strlen(text));
}

static void set_time(struct claim *c, int64_t time_s)
{
	c->timed = true;
	c->time_s = time_s;
}

/* Reads a header with a Unix time.  Returns its text, which is what was signed: a leading zero is a part of it. */
static const char *time_of(struct claim *c, const struct signature_request *request, const char *name)
{
	struct fault f;
	int64_t time_s;
	const char *text = signature_header_of(c, request, name);
	if (!text)
		return NULL;
	if (!signature_read_time(text, strnlen(text, SIGNATURE_HEADER_MAX), &time_s, &f)) {
		malformed(c, name, &f);
		return NULL;
	}
	set_time(c, time_s);
	return text;
}

/* Reads a header that goes into the message as it is, followed by the byte end.  The header must not contain that byte:
 * otherwise bytes could move between this field and the next, and one signature would be valid for several messages. */
static const char *id_of(struct claim *c, const struct signature_request *request, const char *name, char end)
{
	const char *text = signature_header_of(c, request, name);
	if (!text)
		return NULL;
	if (strnlen(text, SIGNER_TEXT_MAX + 1) > SIGNER_TEXT_MAX || strchr(text, end)) {
		signature_refuse(c->report, SIGNATURE_MALFORMED,
			"the header %s is longer than %d bytes or holds a '%c'", name, SIGNER_TEXT_MAX, end);
		return NULL;
	}
	return text;
}

/* "webhook-id.webhook-timestamp.body" (specification of Standard Webhooks, "Signature scheme"). */
static bool read_standard(struct claim *c, const struct signature_request *request)
{
	struct fault f;
	const char *id = id_of(c, request, "webhook-id", '.');
	const char *time = id ? time_of(c, request, "webhook-timestamp") : NULL;
	const char *header = time ? signature_header_of(c, request, "webhook-signature") : NULL;
	if (!header)
		return false;
	if (!signature_read_standard(header, &c->list, &f))
		return malformed(c, "webhook-signature", &f);
	signature_add_text(c, id);
	signature_add_text(c, ".");
	signature_add_text(c, time);
	signature_add_text(c, ".");
	add_part(c, request->body, request->len);
	return true;
}

/* "t.body", with t as its digits stand in the header (docs.stripe.com/webhooks). */
static bool read_stripe(struct claim *c, const struct signature_request *request)
{
	struct fault f;
	const char *header = signature_header_of(c, request, "stripe-signature");
	if (!header)
		return false;
	if (!signature_read_stripe(header, &c->list, &f))
		return malformed(c, "stripe-signature", &f);
	set_time(c, c->list.time_s);
	add_part(c, c->list.time, c->list.time_len);
	signature_add_text(c, ".");
	add_part(c, request->body, request->len);
	return true;
}

/* Bytes of the signature in a header that holds one; 0: any number, since it depends on the RSA key. */
static size_t single_len(const struct signer *s)
{
	if (s->scheme == SCHEME_PAYPAL)
		return 0;
	return s->algorithm == DIGEST_HMAC_SHA512 ? HMAC_SHA512_LEN : HMAC_SHA256_LEN;
}

static bool read_single(struct claim *c, const struct signature_request *request, const char *name, const char *prefix,
	enum encoding encoding)
{
	struct fault f;
	const char *header = signature_header_of(c, request, name);
	if (!header)
		return false;
	if (!signature_read_single(header, prefix, encoding, single_len(c->signer), &c->list, &f))
		return malformed(c, name, &f);
	return true;
}

/* Adds the body to the message and reads the one signature.  Razorpay (razorpay.com/docs/webhooks) and GitHub
 * ("Validating webhook deliveries") sign nothing but the body. */
static bool read_body_only(struct claim *c, const struct signature_request *request, const char *name,
	const char *prefix, enum encoding encoding)
{
	add_part(c, request->body, request->len);
	return read_single(c, request, name, prefix, encoding);
}

/* The URL, directly followed by the body (Square, "Verify and Validate an Event Notification").  The URL is the
 * configured one: the sender chooses the URL of the request, and a proxy may have changed it. */
static bool read_square(struct claim *c, const struct signature_request *request)
{
	signature_add_text(c, c->signer->url);
	return read_body_only(c, request, "x-square-hmacsha256-signature", "", ENCODING_BASE64);
}

/* The body; or the time, the separator and the body if timestamp_header is configured. */
static bool signature_read_hmac(struct claim *c, const struct signature_request *request)
{
	const struct signer *s = c->signer;
	if (*s->timestamp_header) {
		const char *time = time_of(c, request, s->timestamp_header);
		if (!time)
			return false;
		signature_add_text(c, time);
		signature_add_text(c, s->separator);
	}
	return read_body_only(c, request, s->header, s->prefix, s->encoding);
}

/* "id|time|webhook_id|crc", with the CRC-32 of the body in decimal (PayPal, "Self verification method").  A CRC is not
 * a cryptographic digest.  An attacker who has seen one request can construct another body with the same CRC-32, and
 * send it under the same signature until the time is out of tolerance.  No check of the signature can detect such a
 * body; app/transmission.c refuses the second body under one signature.  TLS keeps an attacker from seeing a request,
 * and a short tolerance limits the time. */
static bool read_paypal(struct claim *c, const struct signature_request *request)
{
	static const char TIME[] = "paypal-transmission-time", ALGORITHM[] = "paypal-auth-algo";
	struct fault f;
	int64_t time_s;
	const char *id = id_of(c, request, "paypal-transmission-id", '|');
	const char *time = id ? signature_header_of(c, request, TIME) : NULL;
	const char *algorithm = time ? signature_header_of(c, request, ALGORITHM) : NULL;
	if (!algorithm)
		return false;
	if (!signature_read_date(time, &time_s, &f))
		return malformed(c, TIME, &f);
	if (strcmp(algorithm, "SHA256withRSA") != 0)
		return signature_refuse(
			c->report, SIGNATURE_UNSUPPORTED, "the header %s is not SHA256withRSA", ALGORITHM);
	set_time(c, time_s);
	snprintf(c->crc, sizeof c->crc, "%" PRIu32, digest_crc32(request->body, request->len));
	const char *const texts[] = {id, "|", time, "|", c->signer->webhook_id, "|", c->crc};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		signature_add_text(c, texts[i]);
	return read_single(c, request, "paypal-transmission-sig", "", ENCODING_BASE64);
}

static bool signature_read_request(struct claim *c, const struct signature_request *request)
{
	switch (c->signer->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return read_standard(c, request);
	case SCHEME_STRIPE:
		return read_stripe(c, request);
	case SCHEME_RAZORPAY:
		return read_body_only(c, request, "x-razorpay-signature", "", ENCODING_HEX);
	case SCHEME_GITHUB:
		return read_body_only(c, request, "x-hub-signature-256", "sha256=", ENCODING_HEX);
	case SCHEME_SQUARE:
		return read_square(c, request);
	case SCHEME_PAYPAL:
		return read_paypal(c, request);
	case SCHEME_HMAC:
		return signature_read_hmac(c, request);
	case SCHEME_ADYEN:
		break;
	}
	return signature_refuse(
		c->report, SIGNATURE_FAILED, "%s signs items, not bodies", scheme_name(c->signer->scheme));
}

/* The signatures of the list that have the version of this key.  Returns their number; ret borrows them. */
static int candidates(const struct claim *c, const struct digest_key *key, struct digest_part ret[SIGNATURES_MAX])
{
	int count = 0;
	bool ed25519 = digest_key_kind(key) == DIGEST_ED25519;
	for (int i = 0; i < c->list.count; i++) {
		const struct signature_value *value = &c->list.value[i];
		if ((value->version == SIGNATURE_ED25519) == ed25519)
			ret[count++] = (struct digest_part){value->bytes, value->len};
	}
	return count;
}

/* not_after is the last second in which a secret is valid. */
static bool is_active(const struct claim *c, int secret)
{
	return c->now_s <= c->signer->secrets[secret].not_after_s;
}

/* The result of trying the secrets. */
struct finding {
	int tried;   /* number of secrets for which there is a signature of their version */
	int match;   /* index of a secret that matches, an active one if there is one; -1: none */
	bool failed; /* libcrypto failed for at least one secret */
};

/* Tries the secrets until an active one matches.  One that has expired does not end the search: during a rotation a
 * request may carry signatures by both secrets.  A forgery is tried with every secret, so the time of the answer
 * reveals their number and nothing of their values. */
static struct finding try_secrets(const struct claim *c)
{
	struct finding found = {.match = -1};
	for (int i = 0; i < c->signer->count; i++) {
		struct digest_part signatures[SIGNATURES_MAX];
		const struct digest_key *key = c->signer->secrets[i].key;
		int count = candidates(c, key, signatures);
		if (count == 0)
			continue;
		found.tried++;
		enum digest_outcome outcome = digest_verify(key, c->part, c->parts, signatures, count);
		found.failed = found.failed || outcome == DIGEST_FAILED;
		if (outcome == DIGEST_MATCHES)
			found.match = i;
		if (outcome == DIGEST_MATCHES && is_active(c, i))
			break;
	}
	return found;
}

/* Whether a secret made the signature for this URL.  part[0] is the URL, see read_square(). */
static bool signed_for(const struct claim *c, const char *url)
{
	struct claim other = *c;
	other.part[0] = (struct digest_part){url, strlen(url)};
	return try_secrets(&other).match >= 0;
}

/* Square signs the URL that is registered with it, byte for byte.  A digest cannot show whether the URL or the secret
 * is wrong.  Two common mistakes in the URL can be tried: http for https or the reverse, and a slash at the end.  This
 * costs three more digests for each secret and every forgery, hence the bound on the body. */
static bool is_for_another_url(const struct claim *c)
{
	const char *url = c->signer->url;
	const char *rest = strstr(url, "://");
	char other[SIGNER_URL_MAX + sizeof "https/"];
	if (c->signer->scheme != SCHEME_SQUARE || !rest || c->part[1].len > OTHER_URL_BODY_MAX)
		return false;
	const char *scheme = strncasecmp(url, "https", 5) == 0 ? "http" : "https";
	size_t len = strlen(rest);
	bool slash = rest[len - 1] == '/';
	int kept = (int)(slash ? len - 1 : len);
	const char *end = slash ? "" : "/";
	snprintf(other, sizeof other, "%s%s", scheme, rest);
	if (signed_for(c, other))
		return true;
	snprintf(other, sizeof other, "%s%.*s%s", scheme, kept, rest, end);
	if (signed_for(c, other))
		return true;
	snprintf(other, sizeof other, "%.*s%.*s%s", (int)(rest - url), url, kept, rest, end);
	return signed_for(c, other);
}

static bool refuse_unmatched(const struct claim *c)
{
	if (is_for_another_url(c))
		return signature_refuse(c->report, SIGNATURE_WRONG_URL,
			"it was signed for another URL than ours: http for https, or a slash at the end");
	return signature_refuse(c->report, SIGNATURE_WRONG,
		"no secret of ours made this signature: %s, or the body was changed on its way",
		c->signer->scheme == SCHEME_SQUARE ? "another secret, another URL" : "another secret");
}

/* Called only after a secret has matched.  Without a match the time is not authentic. */
static bool check_time(const struct claim *c)
{
	struct signature_report *r = c->report;
	if (!c->timed)
		return true;
	int tolerance = c->signer->tolerance_s;
	if (r->skew_s > tolerance)
		return signature_refuse(r, SIGNATURE_OLD,
			"it was signed %" PRId64 " s ago, %d s are allowed; the signature itself is right", r->skew_s,
			tolerance);
	if (r->skew_s < -tolerance)
		return signature_refuse(r, SIGNATURE_FUTURE,
			"it was signed %" PRId64 " s in the future, %d s are allowed; the signature itself is right",
			-r->skew_s, tolerance);
	return true;
}

/* If several causes apply, the first in this order is reported.  A failure of libcrypto comes before a mismatch and
 * before an expired secret, because the secret that could not be tried may be the right one: the request is answered
 * 503, and the provider sends it again.  The time comes last, because it is authentic only then. */
static bool signature_judge(struct claim *c)
{
	struct signature_report *r = c->report;
	int64_t skew = c->timed ? c->now_s - c->time_s : 0;
	if (c->signer->count == 0)
		return signature_refuse(r, SIGNATURE_FAILED, "there is no secret to verify with");
	struct finding found = try_secrets(c);
	r->skew_s = skew;
	r->secret = found.match;
	if (found.tried == 0)
		return signature_refuse(
			r, SIGNATURE_UNSUPPORTED, "none of its signatures is of a version that a secret here is for");
	if (found.failed && (found.match < 0 || !is_active(c, found.match)))
		return signature_refuse(r, SIGNATURE_FAILED, "libcrypto could not calculate");
	if (found.match < 0)
		return refuse_unmatched(c);
	if (!is_active(c, found.match))
		return signature_refuse(r, SIGNATURE_EXPIRED,
			"secret %d made this signature, and its not_after has passed", found.match + 1);
	return check_time(c);
}

/* Leaves the list and the parts unset; a scheme fills them before they are read. */
static void signature_begin(struct claim *c, const struct signer *s, int64_t now_s, struct signature_report *ret)
{
	*ret = (struct signature_report){.cause = SIGNATURE_GOOD, .secret = -1};
	c->signer = s;
	c->now_s = now_s;
	c->parts = 0;
	c->timed = false;
	c->report = ret;
}

bool signature_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	struct claim c;
	signature_begin(&c, s, now_s, ret);
	return signature_read_request(&c, request) && signature_judge(&c);
}

static bool part_is(const struct digest_part *part, const char *text)
{
	return part->len == strlen(text) && memcmp(part->bytes, text, part->len) == 0;
}

/* Adyen joins the fields with colons and escapes nothing, so the signed string does not show which colon ends a field.
 * An attacker who has seen one signed item could move the boundaries and obtain another item, with another
 * pspReference, under the same signature.  Therefore only merchantReference, which the merchant assigns, may contain
 * colons: three fields without a colon before it and four after it leave one way to split the string.  The one
 * exception is the pspReference of a REPORT_AVAILABLE, which is a file name.  However such an item is split, its
 * eventCode stays the same, and so it is a report and not a payment. */
static bool borders_are_clear(const struct signature_item *item)
{
	bool is_report = part_is(&item->field[ADYEN_EVENT_CODE], "REPORT_AVAILABLE");
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		const struct digest_part *field = &item->field[i];
		bool may = i == ADYEN_MERCHANT_REFERENCE || (i == ADYEN_PSP_REFERENCE && is_report);
		if (!may && field->len > 0 && memchr(field->bytes, ':', field->len))
			return false;
	}
	return true;
}

/* The eight fields in the order of enum adyen_field, joined by colons (Adyen, "Verify HMAC signatures").  An absent
 * field is empty. */
static bool read_item(struct claim *c, const struct signature_item *item)
{
	struct signature_value *value = &c->list.value[0];
	const struct digest_part *text = &item->signature;
	if (text->len == 0)
		return signature_refuse(
			c->report, SIGNATURE_MISSING, "additionalData.hmacSignature is missing or empty");
	if (!encode_read(ENCODING_BASE64, text->bytes, text->len, value->bytes, sizeof value->bytes, &value->len) ||
		value->len != HMAC_SHA256_LEN)
		return signature_refuse(c->report, SIGNATURE_MALFORMED,
			"additionalData.hmacSignature is not %d bytes in base64", HMAC_SHA256_LEN);
	if (!borders_are_clear(item))
		return signature_refuse(c->report, SIGNATURE_MALFORMED,
			"a field other than merchantReference holds a colon, which could as well end the field");
	value->version = SIGNATURE_HMAC;
	c->list.count = 1;
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (i > 0)
			add_part(c, ":", 1);
		add_part(c, item->field[i].bytes, item->field[i].len);
	}
	return true;
}

bool signature_verify_item(
	const struct signer *s, const struct signature_item *item, int64_t now_s, struct signature_report *ret)
{
	struct claim c;
	signature_begin(&c, s, now_s, ret);
	return read_item(&c, item) && signature_judge(&c);
}
