/* signature_claim.c - reads from a request what its scheme signs, and the signatures.
 *
 * One function for each scheme: the pieces of the signed message, the signatures, and the time if one is signed.  The
 * sender is not authenticated yet, so that nothing here believes the request: a header that is absent or has another form
 * than the scheme's ends in a report.  Whether a signature is valid is left to signature.c. */

#include "auth/signature_claim.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "http/query_param.h"

#define HMAC_SHA256_LEN 32
#define HMAC_SHA512_LEN 64

/* The value of a required header; NULL, and a report, if it is absent or empty. */
static const char *claim_header(struct signature_claim *c, const struct signature_request *request, const char *name)
{
	const char *value = request->header(request->ctx, name);
	if (value && *value)
		return value;
	signature_refuse(c->report, SIGNATURE_MISSING, "the header %s is %s", name, value ? "empty" : "missing");
	return NULL;
}

static bool malformed(struct signature_claim *c, const char *header, const struct fault *f)
{
	return signature_refuse(c->report, SIGNATURE_MALFORMED, "the header %s is malformed: %s", header, f->text);
}

static void add_part(struct signature_claim *c, const void *bytes, size_t len)
{
	c->part[c->parts++] = (struct digest_part){bytes, len};
}

static void add_text(struct signature_claim *c, const char *text)
{
	add_part(c, text, strlen(text));
}

static void set_time(struct signature_claim *c, int64_t time_s)
{
	c->timed = true;
	c->time_s = time_s;
}

/* Reads a header with a Unix time.  Returns its text, which is what was signed: a leading zero is a part of it. */
static const char *time_of(struct signature_claim *c, const struct signature_request *request, const char *name)
{
	struct fault f;
	int64_t time_s;
	const char *text = claim_header(c, request, name);
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
static const char *id_of(struct signature_claim *c, const struct signature_request *request, const char *name, char end)
{
	const char *text = claim_header(c, request, name);
	if (!text)
		return NULL;
	if (strnlen(text, SIGNER_TEXT_MAX + 1) > SIGNER_TEXT_MAX || strchr(text, end)) {
		signature_refuse(c->report, SIGNATURE_MALFORMED,
			"the header %s is longer than %d bytes or holds a '%c'", name, SIGNER_TEXT_MAX, end);
		return NULL;
	}
	return text;
}

/* "webhook-id.webhook-timestamp.body" (specification of Standard Webhooks, "Signature scheme").  Svix sends the same under
 * names of its own.  A request with signed headers of both sets is refused: those of one would not be signed, and could be
 * mapped. */
static bool read_standard(struct signature_claim *c, const struct signature_request *request)
{
	enum { ID, TIME, SIGNATURE };
	static const char *const NAMES[2][3] = {{"webhook-id", "webhook-timestamp", "webhook-signature"},
		{"svix-id", "svix-timestamp", "svix-signature"}};
	struct fault f;
	int set = request->header(request->ctx, NAMES[1][ID]) ? 1 : 0;
	const char *const *name = NAMES[set], *const *other = NAMES[1 - set];
	if (request->header(request->ctx, other[ID]) || request->header(request->ctx, other[TIME]))
		return signature_refuse(c->report, SIGNATURE_MALFORMED,
			"it has headers of both sets: %s and those of svix", NAMES[0][ID]);
	const char *id = id_of(c, request, name[ID], '.');
	const char *time = id ? time_of(c, request, name[TIME]) : NULL;
	const char *header = time ? claim_header(c, request, name[SIGNATURE]) : NULL;
	if (!header)
		return false;
	if (!signature_read_standard(header, &c->list, &f))
		return malformed(c, name[SIGNATURE], &f);
	add_text(c, id);
	add_text(c, ".");
	add_text(c, time);
	add_text(c, ".");
	add_part(c, request->body, request->len);
	return true;
}

/* "t.body", with t as its digits stand in the header (docs.stripe.com/webhooks). */
static bool read_stripe(struct signature_claim *c, const struct signature_request *request)
{
	struct fault f;
	const char *header = claim_header(c, request, "stripe-signature");
	if (!header)
		return false;
	if (!signature_read_stripe(header, &c->list, &f))
		return malformed(c, "stripe-signature", &f);
	set_time(c, c->list.time_s);
	add_part(c, c->list.time, c->list.time_len);
	add_text(c, ".");
	add_part(c, request->body, request->len);
	return true;
}

/* Bytes of the signature in a header that holds one; 0: any number, since it depends on the RSA key. */
static size_t single_len(const struct signer *s)
{
	if (s->scheme == SCHEME_PAYPAL || s->scheme == SCHEME_RSA)
		return 0;
	return s->algorithm == DIGEST_HMAC_SHA512 ? HMAC_SHA512_LEN : HMAC_SHA256_LEN;
}

static bool read_single(struct signature_claim *c, const struct signature_request *request, const char *name,
	const char *prefix, enum encoding encoding)
{
	struct fault f;
	const char *header = claim_header(c, request, name);
	if (!header)
		return false;
	if (!signature_read_single(header, prefix, encoding, single_len(c->signer), &c->list, &f))
		return malformed(c, name, &f);
	return true;
}

/* Adds the body to the message and reads the one signature.  Razorpay (razorpay.com/docs/webhooks) and GitHub
 * ("Validating webhook deliveries") sign nothing but the body. */
static bool read_body_only(struct signature_claim *c, const struct signature_request *request, const char *name,
	const char *prefix, enum encoding encoding)
{
	add_part(c, request->body, request->len);
	return read_single(c, request, name, prefix, encoding);
}

/* The URL, directly followed by the body (Square, "Verify and Validate an Event Notification").  The URL is the
 * configured one: the sender chooses the URL of the request, and a proxy may have changed it. */
static bool read_square(struct signature_claim *c, const struct signature_request *request)
{
	add_text(c, c->signer->url);
	return read_body_only(c, request, "x-square-hmacsha256-signature", "", ENCODING_BASE64);
}

/* Reads the time of SCHEME_HMAC, which is in a header of its own or among the signatures.  *ret has no text without one. */
static bool read_hmac_time(struct signature_claim *c, const struct signature_request *request, struct digest_part *ret)
{
	const struct signer *s = c->signer;
	const char *name = *s->timestamp_header ? s->timestamp_header : s->header;
	struct fault f;
	int64_t time_s;
	*ret = (struct digest_part){c->list.time, c->list.time_len};
	if (*s->timestamp_header) {
		ret->bytes = claim_header(c, request, name);
		ret->len = ret->bytes ? strnlen(ret->bytes, SIGNATURE_HEADER_MAX) : 0;
	}
	if (!ret->bytes)
		return !*s->timestamp_header;
	if (!signature_read_time_of(ret->bytes, ret->len, s->timestamp_unit, s->is_time_bare, &time_s, &f))
		return malformed(c, name, &f);
	set_time(c, time_s);
	return true;
}

/* Finds a signed value of the query or of a header, into value. */
static bool find_signed(struct signature_claim *c, const struct signature_request *request,
	const struct signature_message_part *part, const char *name, char value[SIGNER_TEXT_MAX + 1])
{
	struct fault f;
	const char *text = NULL;
	if (part->kind == MESSAGE_QUERY) {
		if (!query_param_find(request->target ? request->target : "", name, value, SIGNER_TEXT_MAX + 1, &f))
			return signature_refuse(c->report, SIGNATURE_MALFORMED, "%s", f.text);
		return *value || signature_refuse(c->report, SIGNATURE_MISSING,
					 "the parameter %s of the query is missing or empty", name);
	}
	if (!(text = claim_header(c, request, name)))
		return false;
	if (request->is_repeated && request->is_repeated(request->ctx, name))
		return signature_refuse(c->report, SIGNATURE_MALFORMED, "the header %s is there twice", name);
	if (strnlen(text, SIGNER_TEXT_MAX + 1) > SIGNER_TEXT_MAX)
		return signature_refuse(
			c->report, SIGNATURE_MALFORMED, "the header %s is longer than %d bytes", name, SIGNER_TEXT_MAX);
	memcpy(value, text, strlen(text) + 1);
	return true;
}

/* Adds a signed value.  It must not have the byte that shows where it ends: otherwise bytes could move between it and the
 * value beside it. */
static bool add_signed_value(
	struct signature_claim *c, const struct signature_request *request, const struct signature_message_part *part)
{
	const char *name = c->signer->message->text + part->at;
	char *value = c->value[c->values++];
	if (!find_signed(c, request, part, name, value))
		return false;
	if (part->is_lower)
		ascii_lower(value);
	if (part->border && strchr(value, part->border))
		return signature_refuse(c->report, SIGNATURE_MALFORMED,
			"the value of %s has a '%c', which could as well end it", name, part->border);
	add_text(c, value);
	return true;
}

/* Puts the configured message together. */
static bool add_message(
	struct signature_claim *c, const struct signature_request *request, const struct digest_part *time)
{
	const struct signature_message *m = c->signer->message;
	for (int i = 0; i < m->count; i++) {
		const struct signature_message_part *part = &m->part[i];
		switch (part->kind) {
		case MESSAGE_TEXT:
			add_part(c, m->text + part->at, part->len);
			break;
		case MESSAGE_TIME:
			add_part(c, time->bytes, time->len);
			break;
		case MESSAGE_BODY:
			add_part(c, request->body, request->len);
			break;
		case MESSAGE_QUERY:
		case MESSAGE_HEADER:
			if (!add_signed_value(c, request, part))
				return false;
			break;
		}
	}
	return true;
}

static bool read_hmac_signatures(struct signature_claim *c, const struct signature_request *request)
{
	const struct signer *s = c->signer;
	const char *header = claim_header(c, request, s->header);
	struct fault f;
	if (!header)
		return false;
	if (s->form ? !signature_form_apply(s->form, header, s->encoding, single_len(s), &c->list, &f)
		    : !signature_read_repeated(header, s->prefix, s->encoding, single_len(s), &c->list, &f))
		return malformed(c, s->header, &f);
	return true;
}

/* The configured message; or the body, after the time and the separator if there is a time. */
static bool read_hmac(struct signature_claim *c, const struct signature_request *request)
{
	struct digest_part time;
	if (!read_hmac_signatures(c, request) || !read_hmac_time(c, request, &time))
		return false;
	if (c->signer->message)
		return add_message(c, request, &time);
	if (time.bytes) {
		add_part(c, time.bytes, time.len);
		add_text(c, c->signer->separator);
	}
	add_part(c, request->body, request->len);
	return true;
}

/* "id|time|webhook_id|crc", with the CRC-32 of the body in decimal (PayPal, "Self verification method").  A CRC is not
 * a cryptographic digest.  An attacker with one captured request can construct another body with the same CRC-32, and
 * send it under the same signature until the time is out of tolerance.  No check of the signature can detect such a
 * body; app/transmission.c refuses the second body under one signature.  TLS keeps an attacker from seeing a request,
 * and a short tolerance limits the time. */
static bool read_paypal(struct signature_claim *c, const struct signature_request *request)
{
	static const char TIME[] = "paypal-transmission-time", ALGORITHM[] = "paypal-auth-algo";
	struct fault f;
	int64_t time_s;
	const char *id = id_of(c, request, "paypal-transmission-id", '|');
	const char *time = id ? claim_header(c, request, TIME) : NULL;
	const char *algorithm = time ? claim_header(c, request, ALGORITHM) : NULL;
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
		add_text(c, texts[i]);
	return read_single(c, request, "paypal-transmission-sig", "", ENCODING_BASE64);
}

/* Takes what was sent in the place of a signature. */
static bool take_sent_text(struct signature_claim *c, const char *name, const char *text, size_t len)
{
	struct signature_value *value = &c->list.value[0];
	if (len > sizeof value->bytes)
		return signature_refuse(c->report, SIGNATURE_MALFORMED, "the header %s is longer than %zu bytes", name,
			sizeof value->bytes);
	memcpy(value->bytes, text, len);
	value->len = len;
	value->version = SIGNATURE_HMAC;
	c->list.count = 1;
	return true;
}

/* The header is the secret itself. */
static bool read_plain_token(struct signature_claim *c, const struct signature_request *request)
{
	const char *name = c->signer->header, *text = claim_header(c, request, name);
	return text && take_sent_text(c, name, text, strnlen(text, DIGEST_SIGNATURE_MAX + 1));
}

/* "Basic", one or more spaces, and "user:password" in base64. */
bool signature_claim_read_basic(struct signature_claim *c, const struct signature_request *request)
{
	static const char NAME[] = "authorization", WORD[] = "Basic ";
	const char *text = claim_header(c, request, NAME);
	struct signature_value *value = &c->list.value[0];
	if (!text)
		return false;
	if (strncasecmp(text, WORD, sizeof WORD - 1) != 0)
		return signature_refuse(c->report, SIGNATURE_MALFORMED, "the header %s is not HTTP Basic", NAME);
	text += sizeof WORD - 1;
	text += strspn(text, " ");
	if (!encode_read(ENCODING_BASE64, text, strnlen(text, SIGNATURE_HEADER_MAX + 1), value->bytes,
		    sizeof value->bytes, &value->len))
		return signature_refuse(c->report, SIGNATURE_MALFORMED,
			"the header %s has no user and password in base64, of at most %zu bytes", NAME,
			sizeof value->bytes);
	value->version = SIGNATURE_HMAC;
	c->list.count = 1;
	return true;
}

bool signature_claim_read(struct signature_claim *c, const struct signature_request *request)
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
		return read_hmac(c, request);
	case SCHEME_TOKEN:
		return read_plain_token(c, request);
	case SCHEME_BASIC:
		return signature_claim_read_basic(c, request);
	case SCHEME_RSA:
		return read_body_only(c, request, c->signer->header, "", c->signer->encoding);
	case SCHEME_ADYEN:
		break;
	}
	return signature_refuse(
		c->report, SIGNATURE_FAILED, "%s signs items, not bodies", scheme_name(c->signer->scheme));
}

static bool part_is(const struct digest_part *part, const char *text)
{
	return part->len == strlen(text) && memcmp(part->bytes, text, part->len) == 0;
}

/* Adyen joins the fields with colons and escapes nothing, so the signed string does not show which colon ends a field.
 * An attacker with one captured signed item could move the boundaries and obtain another item, with another
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
bool signature_claim_read_item(struct signature_claim *c, const struct signature_item *item)
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
