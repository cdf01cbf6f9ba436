/* signer.c - prepares the signature scheme of a source: its options and its secrets.
 *
 * All checks are made once, when the configuration is read, so that a verification can rely on them.  An option that
 * the scheme does not use is an error and is not ignored: an operator who sets it expects it to have an effect.  Faults
 * name the option and never quote a secret.  The form of a secret is left to signer_key.c, the verification to signature.c. */

#include "auth/signer.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "http/url.h"

#define BIT(scheme) (1U << (scheme))

/* An option of the configuration: its destination, its bound, and the schemes that have it, as bits. */
struct member {
	const char *name;
	const char *value; /* NULL: not given */
	char *ret;
	size_t max; /* bytes; ret has room for one more */
	unsigned schemes;
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
	bool has = m->schemes & BIT(scheme);
	if (!m->value) {
		if (m->required && has)
			return fault_set(f, FAULT_INPUT, "%s is missing, which %s needs", m->name, scheme_name(scheme));
		return true;
	}
	if (!has)
		return fault_set(f, FAULT_INPUT, "%s has no meaning for %s", m->name, scheme_name(scheme));
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
	       *s->timestamp_header || (s->form && s->form->has_time);
}

bool signer_covers_header(const struct signer *s, const char *name)
{
	switch (s->scheme) {
	case SCHEME_STANDARD_WEBHOOKS:
		return strcmp(name, "webhook-id") == 0 || strcmp(name, "webhook-timestamp") == 0 ||
		       strcmp(name, "svix-id") == 0 || strcmp(name, "svix-timestamp") == 0;
	case SCHEME_PAYPAL:
		return strcmp(name, "paypal-transmission-id") == 0 || strcmp(name, "paypal-transmission-time") == 0;
	case SCHEME_HMAC:
		return strcmp(name, s->timestamp_header) == 0 ||
		       (s->message && signature_message_find(s->message, MESSAGE_HEADER, name));
	case SCHEME_STRIPE:
	case SCHEME_RAZORPAY:
	case SCHEME_GITHUB:
	case SCHEME_SQUARE:
	case SCHEME_ADYEN:
	case SCHEME_TOKEN:
	case SCHEME_BASIC:
	case SCHEME_RSA:
		break;
	}
	return false;
}

bool signer_covers_query(const struct signer *s, const char *name)
{
	return s->message && signature_message_find(s->message, MESSAGE_QUERY, name);
}

static bool lowers(const struct signer *s, enum signature_message_kind kind, const char *name)
{
	const struct signature_message_part *part = s->message ? signature_message_find(s->message, kind, name) : NULL;
	return part && part->is_lower;
}

bool signer_lowers_header(const struct signer *s, const char *name)
{
	return lowers(s, MESSAGE_HEADER, name);
}

bool signer_lowers_query(const struct signer *s, const char *name)
{
	return lowers(s, MESSAGE_QUERY, name);
}

bool signer_signs_body(const struct signer *s)
{
	return !s->message || s->message->has_body;
}

/* Reads form and message onto the heap, since few sources have them. */
static bool read_forms(struct signer *s, const struct signer_settings *settings, struct fault *f)
{
	if (settings->form) {
		if (!(s->form = malloc(sizeof *s->form)))
			return fault_set(f, FAULT_BUG, "there is no memory for form");
		if (!signature_form_read(settings->form, s->form, f))
			return false;
	}
	if (!settings->message)
		return true;
	if (!(s->message = malloc(sizeof *s->message)))
		return fault_set(f, FAULT_BUG, "there is no memory for signed");
	return signature_message_read(settings->message, s->message, f);
}

/* The options of SCHEME_HMAC that exclude or need each other.  A time that is not signed would only look like a limit. */
static bool check_hmac(const struct signer *s, const struct signer_settings *settings, struct fault *f)
{
	bool in_form = s->form && s->form->has_time, has_time = in_form || *s->timestamp_header;
	if (s->form && settings->prefix)
		return fault_set(f, FAULT_INPUT, "prefix has no meaning beside form");
	if (in_form && *s->timestamp_header)
		return fault_set(f, FAULT_INPUT, "timestamp_header has no meaning: form has a {time}");
	if (settings->separator && !has_time)
		return fault_set(
			f, FAULT_INPUT, "separator has no meaning without timestamp_header or a {time} in form");
	if (settings->timestamp_unit != TIME_SECONDS && !has_time)
		return fault_set(
			f, FAULT_INPUT, "timestamp_unit has no meaning without timestamp_header or a {time} in form");
	if (s->message && settings->separator)
		return fault_set(f, FAULT_INPUT, "separator has no meaning beside signed");
	if (s->message && s->message->has_time && !has_time)
		return fault_set(f, FAULT_INPUT, "signed has a {time}, which neither timestamp_header nor form finds");
	if (s->message && !s->message->has_time && has_time)
		return fault_set(f, FAULT_INPUT, "signed has no {time}: the time in the request would not be signed");
	return true;
}

/* Reads what only SCHEME_HMAC has. */
static bool set_hmac(struct signer *s, const struct signer_settings *settings, struct fault *f)
{
	if (s->scheme != SCHEME_HMAC && (settings->form || settings->message))
		return fault_set(f, FAULT_INPUT, "%s has no meaning for %s", settings->form ? "form" : "signed",
			scheme_name(s->scheme));
	if (!read_forms(s, settings, f) || !check_hmac(s, settings, f))
		return false;
	s->timestamp_unit = settings->timestamp_unit;
	s->is_time_bare = s->message ? s->message->is_time_bare
				     : !*s->separator || (*s->separator >= '0' && *s->separator <= '9');
	return true;
}

/* Needs timestamp_header and form to be set already: for SCHEME_HMAC it decides whether a time is signed. */
static bool set_tolerance(struct signer *s, int tolerance_s, struct fault *f)
{
	if (tolerance_s && !signer_signs_time(s))
		return fault_set(f, FAULT_INPUT, "tolerance_s has no meaning: no time is signed");
	if (tolerance_s < 0 || tolerance_s > SIGNER_TOLERANCE_MAX_S)
		return fault_set(f, FAULT_INPUT, "tolerance_s is not 1 to %d", SIGNER_TOLERANCE_MAX_S);
	s->tolerance_s = tolerance_s ? tolerance_s : SIGNER_TOLERANCE_S;
	return true;
}

/* Copies the options that are texts. */
static bool copy_members(struct signer *s, const struct signer_settings *settings, struct fault *f)
{
	const unsigned hmac = BIT(SCHEME_HMAC), with_header = hmac | BIT(SCHEME_TOKEN) | BIT(SCHEME_RSA);
	const struct member members[] = {
		{"url", settings->url, s->url, SIGNER_URL_MAX, BIT(SCHEME_SQUARE), true, false},
		{"webhook_id", settings->webhook_id, s->webhook_id, SIGNER_TEXT_MAX, BIT(SCHEME_PAYPAL), true, false},
		{"header", settings->header, s->header, SIGNER_TEXT_MAX, with_header, true, true},
		{"prefix", settings->prefix, s->prefix, SIGNER_TEXT_MAX, hmac, false, false},
		{"timestamp_header", settings->timestamp_header, s->timestamp_header, SIGNER_TEXT_MAX, hmac, false,
			true},
		{"separator", settings->separator, s->separator, SIGNER_TEXT_MAX, hmac, false, false},
	};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		if (!copy_member(&members[i], s->scheme, f))
			return false;
	}
	if (!settings->separator)
		memcpy(s->separator, ".", 2);
	return true;
}

static bool set_signer_options(struct signer *s, const struct signer_settings *settings, struct fault *f)
{
	if (!copy_members(s, settings, f))
		return false;
	if (!signer_is_visible(s->prefix))
		return fault_set(f, FAULT_INPUT, "prefix holds a byte that is not visible ASCII");
	if (settings->key != KEY_AS_ISSUED && s->scheme != SCHEME_HMAC && s->scheme != SCHEME_STANDARD_WEBHOOKS)
		return fault_set(f, FAULT_INPUT, "key has no meaning for %s", scheme_name(s->scheme));
	if (!check_url(s, f) || !set_hmac(s, settings, f) || !set_tolerance(s, settings->tolerance_s, f))
		return false;
	if (s->scheme == SCHEME_HMAC)
		s->algorithm = settings->algorithm;
	if (s->scheme == SCHEME_HMAC || s->scheme == SCHEME_RSA)
		s->encoding = settings->encoding;
	s->key = settings->key;
	return true;
}

bool signer_init(struct signer *ret, const struct signer_settings *settings, struct fault *f)
{
	/* A local copy, so that a failure leaves *ret alone. */
	struct signer s = {.scheme = settings->scheme};
	if (!set_signer_options(&s, settings, f)) {
		signer_finish(&s);
		return false;
	}
	*ret = s;
	return true;
}

bool signer_sends_secret(const struct signer *s)
{
	return s->scheme == SCHEME_TOKEN || s->scheme == SCHEME_BASIC || s->basic.key;
}

/* The earlier of the operator's end and the certificate's own. */
static void set_end(struct signer_secret *s, int64_t not_after_s)
{
	int64_t end = digest_key_end(s->key);
	s->not_after_s = not_after_s < end ? not_after_s : end;
}

bool signer_add_secret(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f)
{
	if (s->count == SIGNER_SECRETS_MAX)
		return fault_set(f, FAULT_INPUT, "there are more than %d secrets", SIGNER_SECRETS_MAX);
	struct signer_secret *added = &s->secrets[s->count];
	const struct signer_key_kind kind = {s->scheme, s->key, s->algorithm};
	if (!signer_key_create(kind, secret, len, added, f))
		return false;
	set_end(added, not_after_s);
	s->count++;
	return true;
}

bool signer_set_basic(struct signer *s, const char *secret, size_t len, int64_t not_after_s, struct fault *f)
{
	if (!signer_key_create_basic(secret, len, &s->basic, f))
		return false;
	set_end(&s->basic, not_after_s);
	return true;
}

/* The secret number i; after those of the scheme comes that of HTTP Basic.  NULL: there is none. */
static const struct signer_secret *secret_at(const struct signer *s, int i)
{
	if (i < s->count)
		return &s->secrets[i];
	return i == s->count && s->basic.key ? &s->basic : NULL;
}

static bool is_one_secret(const struct signer_secret *one, const struct signer_secret *other)
{
	return digest_equal(one->fingerprint, other->fingerprint, DIGEST_SHA256_LEN) ||
	       digest_equal(one->issued, other->issued, DIGEST_SHA256_LEN);
}

bool signer_has_secret(const struct signer *s, const struct signer_secret *secret)
{
	const struct signer_secret *own;
	for (int i = 0; secret->is_shared && (own = secret_at(s, i)); i++) {
		if (own->is_shared && is_one_secret(own, secret))
			return true;
	}
	return false;
}

void signer_finish(struct signer *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->count; i++)
		digest_key_destroy(s->secrets[i].key);
	digest_key_destroy(s->basic.key);
	free(s->form);
	free(s->message);
	s->form = NULL;
	s->message = NULL;
	explicit_bzero(s->secrets, sizeof s->secrets);
	explicit_bzero(&s->basic, sizeof s->basic);
	s->count = 0;
}
