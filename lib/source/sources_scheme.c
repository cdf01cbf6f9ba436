/* sources_scheme.c - reads the members of a source that belong to its signature scheme.
 *
 * What depends on a wrong member is skipped: secrets are read only if the options of their scheme are valid.  Each word
 * that has no meaning for the scheme is a mistake, since the operator expects it to have an effect.  Which
 * options a scheme has is left to auth/signer.h. */

#include "source/sources_scheme.h"

#include <string.h>

#include "source/sources_secrets.h"

#define SCHEMES_MAX (SCHEME_COUNT + 2)

struct scheme_reading {
	const struct sources_outside *outside;
	const struct json_place *member; /* SIGNING_MEMBERS of them */
	const struct sources *all;
	struct source *source;
};

/* Reads an optional text into room and returns room.  NULL: the member is absent, or a mistake was reported. */
static const char *optional(const struct scheme_reading *r, enum signing_member which, size_t most, char *room)
{
	const struct json_place *p = &r->member[which];
	return json_config_given(p) && json_config_text(p, most, room) ? room : NULL;
}

/* Complains of a member that an enum of the settings has no "not given" for, so that signer_init() cannot do it. */
static void refuse_member(const struct scheme_reading *r, enum signing_member which, enum scheme scheme)
{
	if (json_config_given(&r->member[which]))
		json_config_complain(&r->member[which], "has no meaning for %s", scheme_name(scheme));
}

/* algorithm and encoding are required for the schemes that have them, and have no default. */
static void read_algorithm(const struct scheme_reading *r, struct signer_settings *ret)
{
	static const char *const algorithms[] = {"sha256", "sha512"}, *const encodings[] = {"hex", "base64"};
	bool has_algorithm = ret->scheme == SCHEME_HMAC, has_encoding = has_algorithm || ret->scheme == SCHEME_RSA;
	int word = 0;
	if (!has_algorithm)
		refuse_member(r, SIGNING_ALGORITHM, ret->scheme);
	else if (json_config_word(&r->member[SIGNING_ALGORITHM], algorithms, 2, &word))
		ret->algorithm = word == 0 ? DIGEST_HMAC_SHA256 : DIGEST_HMAC_SHA512;
	if (!has_encoding)
		refuse_member(r, SIGNING_ENCODING, ret->scheme);
	else if (json_config_word(&r->member[SIGNING_ENCODING], encodings, 2, &word))
		ret->encoding = word == 0 ? ENCODING_HEX : ENCODING_BASE64;
}

/* "separator", which may be empty. */
static const char *read_separator_text(const struct scheme_reading *r, char *room)
{
	const struct json_place *p = &r->member[SIGNING_SEPARATOR];
	return json_config_given(p) && json_value_kind(p->value) == JSON_IS_STRING && json_value_equals(p->value, "")
		       ? ""
		       : optional(r, SIGNING_SEPARATOR, SIGNER_TEXT_MAX, room);
}

/* "timestamp_unit".  Optional; that the scheme signs no time is left to signer_init(), but for the unit that it has by
 * default. */
static void read_unit(const struct scheme_reading *r, struct signer_settings *ret)
{
	static const char *const units[] = {
		[TIME_SECONDS] = "s", [TIME_MILLISECONDS] = "ms", [TIME_BY_LENGTH] = "auto"};
	const struct json_place *p = &r->member[SIGNING_TIMESTAMP_UNIT];
	int word = 0;
	if (!json_config_given(p) || !json_config_word(p, units, COUNT_OF(units), &word))
		return;
	if (ret->scheme != SCHEME_HMAC)
		refuse_member(r, SIGNING_TIMESTAMP_UNIT, ret->scheme);
	ret->timestamp_unit = (enum time_unit)word;
}

/* "key": the form of the secrets.  Optional.  An operator may have taken the name for that of the key itself, so what stands
 * there is not shown. */
static void read_key_form(const struct scheme_reading *r, struct signer_settings *ret)
{
	static const char *const forms[] = {"text", "hex", "base64"};
	const struct json_place *p = &r->member[SIGNING_KEY];
	int word = 0;
	bool was_discreet = p->config->is_discreet;
	p->config->is_discreet = true;
	if (json_config_given(p) && json_config_word(p, forms, 3, &word))
		ret->key = word == 0 ? KEY_TEXT : word == 1 ? KEY_HEX : KEY_BASE64;
	p->config->is_discreet = was_discreet;
}

static void read_basic(const struct scheme_reading *r, enum scheme scheme)
{
	const struct json_place *p = &r->member[SIGNING_BASIC];
	if (scheme == SCHEME_BASIC)
		refuse_member(r, SIGNING_BASIC, scheme);
	else if (json_config_given(p))
		sources_secrets_read_basic(p, r->outside, r->all, &r->source->signer);
}

/* Reads the options, makes the signer, and then reads the secrets: their form depends on the scheme.  The texts live
 * until signer_init() has copied them. */
static void read_signer(const struct scheme_reading *r, enum scheme scheme)
{
	struct signer_settings settings = {.scheme = scheme};
	struct fault f;
	char url[SIGNER_URL_MAX + 1], id[SIGNER_TEXT_MAX + 1], header[SIGNER_TEXT_MAX + 1], prefix[SIGNER_TEXT_MAX + 1],
		time[SIGNER_TEXT_MAX + 1], separator[SIGNER_TEXT_MAX + 1], form[SIGNATURE_FORM_MAX + 1],
		message[SIGNATURE_MESSAGE_MAX + 1];
	int complaints = r->member[SIGNING_SCHEME].config->complaints;
	settings.url = optional(r, SIGNING_URL, SIGNER_URL_MAX, url);
	settings.webhook_id = optional(r, SIGNING_WEBHOOK_ID, SIGNER_TEXT_MAX, id);
	settings.header = optional(r, SIGNING_HEADER, SIGNER_TEXT_MAX, header);
	settings.prefix = optional(r, SIGNING_PREFIX, SIGNER_TEXT_MAX, prefix);
	settings.timestamp_header = optional(r, SIGNING_TIMESTAMP_HEADER, SIGNER_TEXT_MAX, time);
	settings.separator = read_separator_text(r, separator);
	settings.form = optional(r, SIGNING_FORM, SIGNATURE_FORM_MAX, form);
	settings.message = optional(r, SIGNING_SIGNED, SIGNATURE_MESSAGE_MAX, message);
	read_unit(r, &settings);
	read_algorithm(r, &settings);
	read_key_form(r, &settings);
	if (json_config_given(&r->member[SIGNING_TOLERANCE]) &&
		!json_config_number(&r->member[SIGNING_TOLERANCE], 1, SIGNER_TOLERANCE_MAX_S, &settings.tolerance_s))
		return;
	if (r->member[SIGNING_SCHEME].config->complaints > complaints)
		return;
	if (!signer_init(&r->source->signer, &settings, &f)) {
		json_config_complain(&r->member[SIGNING_SCHEME], "%s", f.text);
		return;
	}
	sources_secrets_read(&r->member[SIGNING_SECRETS], r->outside, r->all, &r->source->signer);
	read_basic(r, scheme);
}

/* A secret beside the scheme "none" would give an operator the impression that it is verified. */
static void refuse_signing(const struct scheme_reading *r, const char *scheme)
{
	for (enum signing_member which = SIGNING_SCHEME + 1; which < SIGNING_MEMBERS; which++) {
		if (json_config_given(&r->member[which]))
			json_config_complain(&r->member[which], "has no meaning for the scheme \"%s\"", scheme);
	}
}

/* "scheme": the name of a signature scheme, "none" or "closed".  It is required: a source without a signature must be
 * one by an explicit word. */
void sources_scheme_read(const struct json_place member[], const struct sources_outside *outside,
	const struct sources *all, struct source *ret)
{
	const struct scheme_reading reading = {.outside = outside, .member = member, .all = all, .source = ret},
				    *r = &reading;
	const char *words[SCHEMES_MAX];
	int word;
	for (int i = 0; i < SCHEME_COUNT; i++)
		words[i] = scheme_name((enum scheme)i);
	words[SCHEME_COUNT] = "none";
	words[SCHEME_COUNT + 1] = "closed";
	if (!json_config_word(&r->member[SIGNING_SCHEME], words, SCHEMES_MAX, &word))
		return;
	if (word < SCHEME_COUNT) {
		r->source->auth = SOURCE_AUTH_SIGNATURE;
		read_signer(r, (enum scheme)word);
		return;
	}
	r->source->auth = word == SCHEME_COUNT ? SOURCE_AUTH_NONE : SOURCE_AUTH_DISABLED;
	refuse_signing(r, words[word]);
}

/* A text that is wrong in another way is reported with the scheme. */
bool sources_scheme_signs_body(const struct json_place member[])
{
	const struct json_place *p = &member[SIGNING_SIGNED];
	char text[SIGNATURE_MESSAGE_MAX + 1];
	size_t len;
	return !json_config_given(p) || json_value_kind(p->value) != JSON_IS_STRING ||
	       !json_value_text(p->value, text, sizeof text, &len) || strstr(text, "{body}");
}
