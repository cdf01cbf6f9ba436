/* sign.c - signs a request as the provider of a source would.
 *
 * The headers are written with a signature of zero bytes first.  What they and the body make the signed message is then read
 * by signature_make(), as a responder reads it, and the signature takes the place of the zeroes.  So a scheme is known here
 * by its headers only.  The secret itself never gets here. */

#include "sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/signature_make.h"
#include "base/encode.h"
#include "json/scan.h"
#include "json/value.h"
#include "source/adyen.h"

#define ENCODED_MAX (2 * DIGEST_HMAC_MAX + 1)
#define ID_LETTERS 24 /* of a new webhook-id */

void sending_set(struct sending *s, const char *name, const char *value)
{
	int at = 0;
	while (at < s->count && strcmp(s->header[at].name, name) != 0)
		at++;
	if (at == SENDING_HEADERS_MAX)
		return;
	snprintf(s->header[at].name, sizeof s->header[at].name, "%s", name);
	snprintf(s->header[at].value, sizeof s->header[at].value, "%s", value);
	if (at == s->count)
		s->count++;
}

const char *sending_header(const struct sending *s, const char *name)
{
	for (int i = 0; i < s->count; i++) {
		if (strcmp(s->header[i].name, name) == 0)
			return s->header[i].value;
	}
	return NULL;
}

static const char *sign_header_of(void *ctx, const char *name)
{
	return sending_header(ctx, name);
}

/* ---- texts ---- */

static void write_encoded(const struct signature_made *m, enum encoding encoding, char ret[ENCODED_MAX])
{
	if (encoding == ENCODING_BASE64) {
		encode_write_base64(m->bytes, m->len, ret);
		return;
	}
	for (size_t i = 0; i < m->len; i++)
		snprintf(ret + 2 * i, 3, "%02x", m->bytes[i]);
}

/* "msg_" and letters at random. */
static void write_id(char ret[ID_LETTERS + 5])
{
	snprintf(ret, 5, "msg_");
	for (int i = 0; i < ID_LETTERS; i++)
		ret[4 + i] = (char)('a' + arc4random_uniform(26));
	ret[4 + ID_LETTERS] = '\0';
}

/* ---- in headers ---- */

/* How a scheme writes its signature. */
struct shape {
	const char *header;
	const char *before; /* the signature, in the header's value */
	enum encoding encoding;
	size_t len;       /* bytes of the signature */
	const char *form; /* instead of before: signature_form.h; or NULL */
	const char *time; /* for a form */
};

/* Writes a form with the time and the signature in their places, and some text in that of {any}. */
static void sign_write_form(const struct shape *shape, const char *signature, char ret[SENDING_VALUE_MAX])
{
	const struct {
		const char *name, *text;
	} PLACES[] = {{"{time}", shape->time}, {"{signature}", signature}, {"{any}", "1"}};
	struct buf value = BUF_INIT(SENDING_VALUE_MAX - 1);
	for (const char *at = shape->form; *at;) {
		size_t place = 0;
		while (place < COUNT_OF(PLACES) && strncmp(at, PLACES[place].name, strlen(PLACES[place].name)) != 0)
			place++;
		bool is_place = place < COUNT_OF(PLACES);
		if (is_place)
			buf_add_text(&value, PLACES[place].text);
		else
			buf_add(&value, at, 1);
		at += is_place ? strlen(PLACES[place].name) : 1;
	}
	snprintf(ret, SENDING_VALUE_MAX, "%s", value.len > 0 ? value.data : "");
	buf_finish(&value);
}

static void set_signature(struct sending *s, const struct shape *shape, const struct signature_made *m)
{
	char encoded[ENCODED_MAX], value[SENDING_VALUE_MAX];
	write_encoded(m, shape->encoding, encoded);
	if (shape->form)
		sign_write_form(shape, encoded, value);
	else
		snprintf(value, sizeof value, "%s%s", shape->before, encoded);
	sending_set(s, shape->header, value);
}

static bool sign_headers(struct sending *s, const struct signer *signer, const struct shape *shape, int64_t time_s,
	bool is_bad, struct fault *f)
{
	struct signature_made made = {.len = shape->len};
	set_signature(s, shape, &made);
	struct signature_request request = {
		.header = sign_header_of, .ctx = s, .body = s->body.data, .len = s->body.len, .target = s->target};
	if (!signature_make(signer, &request, time_s, &made, f))
		return false;
	made.bytes[0] ^= is_bad;
	set_signature(s, shape, &made);
	return true;
}

static bool sign_standard(
	struct sending *s, const struct signer *signer, const char *time, int64_t time_s, bool is_bad, struct fault *f)
{
	static const struct shape SHAPE = {"webhook-signature", "v1,", ENCODING_BASE64, 32, NULL, NULL};
	char id[ID_LETTERS + 5];
	write_id(id);
	if (!sending_header(s, "webhook-id")) /* a repetition keeps its own */
		sending_set(s, "webhook-id", id);
	sending_set(s, "webhook-timestamp", time);
	return sign_headers(s, signer, &SHAPE, time_s, is_bad, f);
}

static bool sign_stripe(
	struct sending *s, const struct signer *signer, const char *time, int64_t time_s, bool is_bad, struct fault *f)
{
	char before[64];
	struct shape shape = {"stripe-signature", before, ENCODING_HEX, 32, NULL, NULL};
	snprintf(before, sizeof before, "t=%s,v1=", time);
	return sign_headers(s, signer, &shape, time_s, is_bad, f);
}

/* The time in milliseconds where the source may have it so. */
static bool sign_hmac(struct sending *s, const struct signer *signer, int64_t time_s, bool is_bad, struct fault *f)
{
	char time[24];
	struct shape shape = {.header = signer->header,
		.before = signer->prefix,
		.encoding = signer->encoding,
		.len = signer->algorithm == DIGEST_HMAC_SHA512 ? 64 : 32,
		.form = signer->form ? signer->form->text : NULL,
		.time = time};
	snprintf(time, sizeof time, "%" PRId64, signer->timestamp_unit == TIME_SECONDS ? time_s : time_s * 1000);
	if (*signer->timestamp_header)
		sending_set(s, signer->timestamp_header, time);
	return sign_headers(s, signer, &shape, time_s, is_bad, f);
}

/* ---- in items ---- */

/* The body is written anew, item by item. */
struct item_signing {
	const struct signer *signer;
	int64_t time_s;
	bool is_bad;
	const char *from; /* what is before it is written */
	struct buf signed_body;
};

/* The signature in an item takes the place of the one that stands there, of whatever secret it is. */
static bool sign_item(struct item_signing *s, struct json_value item, struct fault *f)
{
	struct adyen_texts texts;
	struct signature_item read;
	struct signature_made made = {.len = 32};
	struct json_value old;
	char encoded[ENCODED_MAX];
	if (!json_value_find(item, ADYEN_SIGNATURE, &old) || json_value_kind(old) != JSON_IS_STRING)
		return fault_set(f, FAULT_INPUT, "an item of the example has no signature to be replaced");
	if (!adyen_item_read(item, &texts, &read, f))
		return false;
	write_encoded(&made, ENCODING_BASE64, encoded);
	read.signature = (struct digest_part){encoded, strlen(encoded)};
	if (!signature_make_item(s->signer, &read, s->time_s, &made, f))
		return false;
	made.bytes[0] ^= s->is_bad;
	write_encoded(&made, ENCODING_BASE64, encoded);
	buf_add(&s->signed_body, s->from, (size_t)(old.at + 1 - s->from));
	buf_add_text(&s->signed_body, encoded);
	s->from = old.at + old.len - 1;
	return true;
}

static bool sign_items(struct sending *s, struct item_signing *i, struct fault *f)
{
	struct json_value items, item;
	if (!json_scan(s->body.data, s->body.len, f))
		return false;
	if (!json_value_find(json_value_of(s->body.data, s->body.len), ADYEN_ITEMS, &items) ||
		json_value_kind(items) != JSON_IS_ARRAY)
		return fault_set(f, FAULT_INPUT, "the example has no array " ADYEN_ITEMS);
	for (struct json_walk w = json_walk_into(items); json_walk_next(&w, NULL, &item);) {
		if (!sign_item(i, item, f))
			return false;
	}
	buf_add(&i->signed_body, i->from, (size_t)(s->body.data + s->body.len - i->from));
	return buf_ok(&i->signed_body) || fault_set(f, FAULT_INPUT, "there is no memory for the signed items");
}

static bool sign_adyen(struct sending *s, const struct signer *signer, int64_t time_s, bool is_bad, struct fault *f)
{
	struct item_signing i = {.signer = signer,
		.time_s = time_s,
		.is_bad = is_bad,
		.from = s->body.data,
		.signed_body = BUF_INIT(s->body.max)};
	if (!sign_items(s, &i, f)) {
		buf_finish(&i.signed_body);
		return false;
	}
	buf_finish(&s->body);
	s->body = i.signed_body;
	return true;
}

/* ---- secrets that are sent ---- */

/* Sets a header to a text, or to one that differs in its last character. */
static bool send_text(
	struct sending *s, const char *header, const char *before, const char *text, bool is_bad, struct fault *f)
{
	char value[SENDING_VALUE_MAX];
	int len = snprintf(value, sizeof value, "%s%s", before, text);
	if (!*text || len >= (int)sizeof value)
		return fault_set(f, FAULT_INPUT, "its first secret cannot be read, or is too long for a header");
	value[len - 1] = (char)(value[len - 1] ^ is_bad);
	sending_set(s, header, value);
	explicit_bzero(value, sizeof value);
	return true;
}

static bool send_basic(struct sending *s, const char *secret, bool is_bad, struct fault *f)
{
	char encoded[SENDING_VALUE_MAX], text[SENDING_VALUE_MAX * 3 / 4 - 8];
	int len = snprintf(text, sizeof text, "%s", secret);
	if (len <= 0 || len >= (int)sizeof text)
		return fault_set(f, FAULT_INPUT, "its user and password cannot be read, or are too long for a header");
	text[len - 1] = (char)(text[len - 1] ^ is_bad);
	encode_write_base64((const unsigned char *)text, (size_t)len, encoded);
	bool is_set = send_text(s, "authorization", "Basic ", encoded, false, f);
	explicit_bzero(text, sizeof text);
	explicit_bzero(encoded, sizeof encoded);
	return is_set;
}

static bool sign_by_scheme(struct sending *s, const struct signer *signer, const struct sign_secrets *secrets,
	int64_t time_s, bool is_bad, struct fault *f)
{
	static const struct shape RAZORPAY = {"x-razorpay-signature", "", ENCODING_HEX, 32, NULL, NULL};
	static const struct shape GITHUB = {"x-hub-signature-256", "sha256=", ENCODING_HEX, 32, NULL, NULL};
	static const struct shape SQUARE = {"x-square-hmacsha256-signature", "", ENCODING_BASE64, 32, NULL, NULL};
	char time[24];
	snprintf(time, sizeof time, "%" PRId64, time_s);
	switch (signer->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return sign_standard(s, signer, time, time_s, is_bad, f);
	case SCHEME_STRIPE:
		return sign_stripe(s, signer, time, time_s, is_bad, f);
	case SCHEME_RAZORPAY:
		return sign_headers(s, signer, &RAZORPAY, time_s, is_bad, f);
	case SCHEME_GITHUB:
		return sign_headers(s, signer, &GITHUB, time_s, is_bad, f);
	case SCHEME_SQUARE:
		return sign_headers(s, signer, &SQUARE, time_s, is_bad, f);
	case SCHEME_HMAC:
		return sign_hmac(s, signer, time_s, is_bad, f);
	case SCHEME_ADYEN:
		return sign_adyen(s, signer, time_s, is_bad, f);
	case SCHEME_TOKEN:
		return send_text(s, signer->header, "", secrets->first, is_bad, f);
	case SCHEME_BASIC:
		return send_basic(s, secrets->first, is_bad, f);
	case SCHEME_PAYPAL:
	case SCHEME_RSA:
		break;
	}
	return fault_set(f, FAULT_INPUT, "the scheme %s has public keys only, with which only the provider can sign",
		scheme_name(signer->scheme));
}

bool sign_request(struct sending *s, const struct source *source, const struct sign_secrets *secrets, int64_t time_s,
	bool is_bad, struct fault *f)
{
	if (source->auth != SOURCE_AUTH_SIGNATURE)
		return true;
	return sign_by_scheme(s, &source->signer, secrets, time_s, is_bad, f) &&
	       (!source->signer.basic.key || send_basic(s, secrets->basic, false, f));
}
