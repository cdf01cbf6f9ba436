/* sources_read.c - reads the operator's list of sources from JSON.
 *
 * The list decides which webhooks are accepted, so a mistake must not yield a weaker check: a list with any mistake
 * yields no source at all.  Reading goes on after a mistake, so that one run reports as many as possible.  What depends
 * on a wrong member is skipped: a source without a valid name is not read further, and secrets are read only if the
 * options of their scheme are valid.
 *
 * A secret stays in memory only inside its key; the buffers through which it passes are wiped.  The mapping is left to
 * mapping_config.c, and access to files and the environment to the caller. */

#include "source/sources_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/clock.h"
#include "json/config.h"
#include "source/adyen.h"
#include "source/mapping_config.h"

#define VARIABLE_MAX 127    /* bytes of the name of an environment variable */
#define PATH_MAX_BYTES 1023 /* of a secret's file */
#define INET_TEXT_MAX 63    /* bytes of a network as text; the longest valid one has 49 */
#define SCHEMES_MAX (SCHEME_COUNT + 2)

/* The members of a source.  Two loops depend on the order.  SECRETS to SEPARATOR are the members of signature schemes.
 * ALGORITHM and ENCODING, which only the scheme hmac has, are neighbours. */
enum member {
	NAME,
	SCHEME,
	SECRETS,
	TOLERANCE,
	URL,
	WEBHOOK_ID,
	HEADER,
	PREFIX,
	ALGORITHM,
	ENCODING,
	TIMESTAMP_HEADER,
	SEPARATOR,
	ALLOW,
	CLIENT_CERTIFICATE,
	ITEMS,
	FILTER,
	MAPPING,
	EVENTS,
	ORDER,
	ON_FAILURE,
	KEEP_IGNORED,
	MEMBERS,
};

static const char *const NAMES[MEMBERS] = {
	[NAME] = "name",
	[SCHEME] = "scheme",
	[SECRETS] = "secrets",
	[TOLERANCE] = "tolerance_s",
	[URL] = "url",
	[WEBHOOK_ID] = "webhook_id",
	[HEADER] = "header",
	[PREFIX] = "prefix",
	[ALGORITHM] = "algorithm",
	[ENCODING] = "encoding",
	[TIMESTAMP_HEADER] = "timestamp_header",
	[SEPARATOR] = "separator",
	[ALLOW] = "allow",
	[CLIENT_CERTIFICATE] = "client_certificate",
	[ITEMS] = "items",
	[FILTER] = "filter",
	[MAPPING] = "mapping",
	[EVENTS] = "events",
	[ORDER] = "order",
	[ON_FAILURE] = "on_failure",
	[KEEP_IGNORED] = "keep_ignored",
};

struct reading {
	const struct sources_outside *outside;
	struct json_place member[MEMBERS]; /* of the source that is being read */
	struct source *source;
};

/* ---- secrets ---- */

static bool is_variable(const char *name)
{
	static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_", ALL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	return strchr(LETTERS, *name) && strspn(name, ALL) == strlen(name);
}

/* Reads one secret and adds it to the source's signer.  The buffer has room for one byte more than is valid, so that a
 * longer secret is an error and is not cut.  It is wiped as far as it was allocated, whatever happened. */
static void add_secret(
	struct reading *r, const struct json_place *p, enum secret_place place, const char *name, int64_t not_after_s)
{
	struct fault f;
	struct buf secret = BUF_INIT(SECRET_MAX + 1);
	bool good = r->outside->secret(r->outside->ctx, place, name, &secret, &f);
	const char *text = secret.data ? secret.data : "";
	size_t len = secret.len;
	ascii_trim(&text, &len); /* a file usually ends in a newline, which is not part of the secret */
	if (good && (!buf_ok(&secret) || secret.len > SECRET_MAX))
		good = fault_set(&f, FAULT_INPUT, "the secret is longer than %d bytes", SECRET_MAX);
	if (good && len == 0)
		good = fault_set(&f, FAULT_INPUT, "the secret is empty");
	if (!good || !signer_add_secret(&r->source->signer, text, len, not_after_s, &f))
		json_config_complain(p, "%s", f.text);
	if (secret.data)
		explicit_bzero(secret.data, secret.cap);
	buf_finish(&secret);
}

/* Optional; *ret is left alone if it is absent. */
static bool sources_read_read_not_after(const struct json_place *p, int64_t *ret)
{
	char text[CLOCK_DATE_MAX + 16];
	if (!json_config_given(p))
		return true;
	if (!json_config_text(p, sizeof text - 1, text))
		return false;
	if (clock_read(text, ret))
		return true;
	json_config_complain(p, "is no time as 2026-12-31T00:00:00Z is one");
	return false;
}

/* {"file": path} or {"env": NAME}, optionally with "not_after".  No report quotes a value from here: an operator may
 * have written the secret itself in place of the object, the path or the name. */
static void sources_read_read_secret(struct reading *r, const struct json_place *p)
{
	static const char *const names[] = {"file", "env", "not_after"};
	struct json_place member[3];
	char name[PATH_MAX_BYTES + 1];
	int64_t not_after_s = INT64_MAX;
	if (json_value_kind(p->value) != JSON_IS_OBJECT) {
		json_config_complain(p, "{\"file\": path} or {\"env\": name} is wanted: no secret stands here itself");
		return;
	}
	bool was_discreet = p->config->is_discreet;
	p->config->is_discreet = true; /* the name of an unknown member may be the secret */
	json_config_members(p, names, member, 3);
	p->config->is_discreet = was_discreet;
	const struct json_place *file = &member[0], *variable = &member[1];
	bool is_file = json_config_given(file);
	if (is_file == json_config_given(variable)) {
		json_config_complain(p, "either file or env is wanted");
		return;
	}
	if (!sources_read_read_not_after(&member[2], &not_after_s))
		return;
	if (is_file && json_config_text(file, PATH_MAX_BYTES, name)) {
		add_secret(r, file, SECRET_IN_FILE, name, not_after_s);
	} else if (!is_file && json_config_text(variable, VARIABLE_MAX, name)) {
		if (is_variable(name))
			add_secret(r, variable, SECRET_IN_VARIABLE, name, not_after_s);
		else
			json_config_complain(variable, "is no name of a variable: capitals, digits, underscores");
	}
}

static void read_secrets(struct reading *r)
{
	struct json_place secrets[SIGNER_SECRETS_MAX];
	int count = json_config_elements(&r->member[SECRETS], secrets, SIGNER_SECRETS_MAX);
	for (int i = 0; i < count; i++)
		sources_read_read_secret(r, &secrets[i]);
}

/* ---- the scheme ---- */

/* Reads an optional text into room and returns room.  NULL: the member is absent, or a mistake was reported. */
static const char *optional(const struct reading *r, enum member which, size_t most, char *room)
{
	const struct json_place *p = &r->member[which];
	return json_config_given(p) && json_config_text(p, most, room) ? room : NULL;
}

/* algorithm and encoding are required for the scheme hmac and have no default.  signer_init() cannot check that they
 * are absent for the other schemes, since an enum has no "not given", so it is checked here. */
static void sources_read_read_hmac(const struct reading *r, struct signer_settings *ret)
{
	static const char *const algorithms[] = {"sha256", "sha512"}, *const encodings[] = {"hex", "base64"};
	int algorithm = 0, encoding = 0;
	if (ret->scheme == SCHEME_HMAC) {
		if (json_config_word(&r->member[ALGORITHM], algorithms, 2, &algorithm) &&
			json_config_word(&r->member[ENCODING], encodings, 2, &encoding)) {
			ret->algorithm = algorithm == 0 ? DIGEST_HMAC_SHA256 : DIGEST_HMAC_SHA512;
			ret->encoding = encoding == 0 ? ENCODING_HEX : ENCODING_BASE64;
		}
		return;
	}
	for (enum member which = ALGORITHM; which <= ENCODING; which++) {
		if (json_config_given(&r->member[which]))
			json_config_complain(&r->member[which], "has no meaning for %s", scheme_name(ret->scheme));
	}
}

/* Reads the options, makes the signer, and then reads the secrets: their form depends on the scheme.  The texts live
 * until signer_init() has copied them. */
static void read_signer(struct reading *r, enum scheme scheme)
{
	struct signer_settings settings = {.scheme = scheme};
	struct fault f;
	char url[SIGNER_URL_MAX + 1], id[SIGNER_TEXT_MAX + 1], header[SIGNER_TEXT_MAX + 1], prefix[SIGNER_TEXT_MAX + 1],
		time[SIGNER_TEXT_MAX + 1], separator[SIGNER_TEXT_MAX + 1];
	int complaints = r->member[SCHEME].config->complaints;
	settings.url = optional(r, URL, SIGNER_URL_MAX, url);
	settings.webhook_id = optional(r, WEBHOOK_ID, SIGNER_TEXT_MAX, id);
	settings.header = optional(r, HEADER, SIGNER_TEXT_MAX, header);
	settings.prefix = optional(r, PREFIX, SIGNER_TEXT_MAX, prefix);
	settings.timestamp_header = optional(r, TIMESTAMP_HEADER, SIGNER_TEXT_MAX, time);
	settings.separator = optional(r, SEPARATOR, SIGNER_TEXT_MAX, separator);
	sources_read_read_hmac(r, &settings);
	if (json_config_given(&r->member[TOLERANCE]) &&
		!json_config_number(&r->member[TOLERANCE], 1, SIGNER_TOLERANCE_MAX_S, &settings.tolerance_s))
		return;
	if (r->member[SCHEME].config->complaints > complaints)
		return;
	if (signer_init(&r->source->signer, &settings, &f))
		read_secrets(r);
	else
		json_config_complain(&r->member[SCHEME], "%s", f.text);
}

/* A secret beside the scheme "none" would give an operator the impression that it is verified. */
static void refuse_signing(const struct reading *r, const char *scheme)
{
	for (enum member which = SECRETS; which <= SEPARATOR; which++) {
		if (json_config_given(&r->member[which]))
			json_config_complain(&r->member[which], "has no meaning for the scheme \"%s\"", scheme);
	}
}

/* "scheme": the name of a signature scheme, "none" or "closed".  It is required: a source without a signature must be
 * one by an explicit word. */
static void read_auth(struct reading *r)
{
	const char *words[SCHEMES_MAX];
	int word;
	for (int i = 0; i < SCHEME_COUNT; i++)
		words[i] = scheme_name((enum scheme)i);
	words[SCHEME_COUNT] = "none";
	words[SCHEME_COUNT + 1] = "closed";
	if (!json_config_word(&r->member[SCHEME], words, SCHEMES_MAX, &word))
		return;
	if (word < SCHEME_COUNT) {
		r->source->auth = SOURCE_AUTH_SIGNATURE;
		read_signer(r, (enum scheme)word);
		return;
	}
	r->source->auth = word == SCHEME_COUNT ? SOURCE_AUTH_NONE : SOURCE_AUTH_DISABLED;
	refuse_signing(r, words[word]);
}

/* ---- admission by address and certificate ---- */

/* Optional; but an empty array is a mistake, since it would admit every address. */
static void read_allow(const struct reading *r)
{
	struct json_place place[SOURCE_ALLOW_MAX];
	char text[INET_TEXT_MAX + 1];
	struct fault f;
	int count = json_config_given(&r->member[ALLOW])
			    ? json_config_elements(&r->member[ALLOW], place, SOURCE_ALLOW_MAX)
			    : 0;
	for (int i = 0; i < count; i++) {
		if (json_config_text(&place[i], INET_TEXT_MAX, text) &&
			!network_read(text, &r->source->allow[r->source->allow_count++], &f))
			json_config_complain(&place[i], "%s", f.text);
	}
}

/* A complete subject such as "CN=stripe,O=Stripe", or "any" for any certificate that verifies.  A text without "="
 * cannot be a subject and is probably a misspelt "any". */
static void read_client(const struct reading *r)
{
	const struct json_place *p = &r->member[CLIENT_CERTIFICATE];
	char *subject = r->source->subject;
	if (!json_config_given(p) || !json_config_text(p, SOURCE_SUBJECT_MAX, subject))
		return;
	r->source->client = SOURCE_CERTAIN_CLIENT;
	if (strcmp(subject, "any") == 0)
		r->source->client = SOURCE_KNOWN_CLIENT;
	else if (!strchr(subject, '='))
		json_config_complain(p, "a subject as CN=stripe,O=Stripe is wanted, or any");
}

/* ---- the payload ---- */

/* Makes room for the mappings, all of them empty.  False: out of memory, which has been reported. */
static bool reserve_mappings(const struct json_place *p, int count, struct source *s)
{
	s->mappings = calloc((size_t)count, sizeof *s->mappings);
	if (s->mappings)
		s->mapping_count = count;
	else
		json_config_complain(p, "there is no memory for this");
	return s->mappings;
}

/* [{"filter": [...], "mapping": {...}}, ...].  An entry without a filter takes every payload that is left, so it is the
 * last one. */
static void read_events(const struct reading *r)
{
	static const char *const names[] = {"filter", "mapping"};
	struct json_place event[SOURCE_EVENTS_MAX], member[2];
	for (enum member which = FILTER; which <= MAPPING; which++) {
		if (json_config_given(&r->member[which]))
			json_config_complain(&r->member[which], "has no place beside events: each of them has its own");
	}
	int count = json_config_elements(&r->member[EVENTS], event, SOURCE_EVENTS_MAX);
	if (count == 0 || !reserve_mappings(&r->member[EVENTS], count, r->source))
		return;
	for (int i = 0; i < count; i++) {
		json_config_members(&event[i], names, member, 2);
		mapping_configure(&member[0], &member[1], r->outside->extras, &r->source->mappings[i]);
		if (!json_config_given(&member[1]))
			json_config_complain(&member[1], "is missing");
		if (!json_config_given(&member[0]) && i + 1 < count)
			json_config_complain(&member[0], "is missing: none of the events after this one would count");
	}
}

static void read_mappings(const struct reading *r)
{
	const struct json_place *items = &r->member[ITEMS], *filter = &r->member[FILTER],
				*mapping = &r->member[MAPPING];
	bool has_events = json_config_given(&r->member[EVENTS]), has_mapping = json_config_given(mapping);
	if (has_events)
		read_events(r);
	else if ((json_config_given(filter) || has_mapping) && reserve_mappings(mapping, 1, r->source))
		mapping_configure(filter, mapping, r->outside->extras, &r->source->mappings[0]);
	if (json_config_given(items) && !has_events && !has_mapping)
		json_config_complain(items, "has no meaning without a mapping");
	else if (json_config_given(items))
		mapping_configure_pointer(items, r->source->items);
}

/* "order": "payment", and what happens to the events behind one that has failed: "on_failure": "hold" or "continue".
 * An event without a payment would have no place in the order. */
static void read_order(const struct reading *r)
{
	static const char *const orders[] = {"payment"}, *const failures[] = {"hold", "continue"};
	const struct json_place *order = &r->member[ORDER], *failure = &r->member[ON_FAILURE];
	int word = 0;
	r->source->in_order = json_config_given(order) && json_config_word(order, orders, COUNT_OF(orders), &word);
	if (json_config_given(failure) && !json_config_given(order))
		json_config_complain(failure, "has no meaning without order");
	else if (json_config_given(failure) && json_config_word(failure, failures, COUNT_OF(failures), &word))
		r->source->continues = word == 1;
	bool has_payments = r->source->mapping_count > 0;
	for (int i = 0; i < r->source->mapping_count; i++)
		has_payments = has_payments && *r->source->mappings[i].payment_id.at;
	if (r->source->in_order && !has_payments)
		json_config_complain(order, "wants a payment_id in every mapping of the source");
}

static void read_keep_ignored(const struct reading *r)
{
	const struct json_place *p = &r->member[KEEP_IGNORED];
	if (!json_config_given(p) || !json_config_flag(p, &r->source->keep_ignored))
		return;
	if (r->source->keep_ignored && !json_config_given(&r->member[FILTER]) && !json_config_given(&r->member[EVENTS]))
		json_config_complain(p, "has no meaning without a filter or events: nothing is ignored");
}

static void check_signed(const struct json_place *p, const char *pointer)
{
	if (*pointer && !adyen_is_signed(pointer))
		json_config_complain(p, "%s is not signed by Adyen", pointer);
}

/* Every field that decides which event it is, and about how much, must be one that Adyen signs: anyone between Adyen
 * and this process could have written the others.  Constants are the operator's and are exempt.  So is the time of an
 * event, which Adyen does not sign: it decides about the order of two events only, and anyone that can change a
 * webhook on its way can also hold one back. */
static void check_adyen_mapping(const struct reading *r, const struct mapping *m)
{
	const bool has_events = json_config_given(&r->member[EVENTS]);
	const struct json_place *mapping = &r->member[has_events ? EVENTS : MAPPING];
	const struct json_place *filter = &r->member[has_events ? EVENTS : FILTER];
	const char *identity[MAPPING_PARTS_MAX];
	const char *const pointers[] = {m->source_account.at, m->destination_account.at, m->amount.at, m->currency.at,
		m->payment_id.at, m->kind.at, m->part.at};
	int parts = mapping_identity(m, identity);
	for (int i = 0; i < parts; i++)
		check_signed(mapping, identity[i]);
	for (size_t i = 0; i < COUNT_OF(pointers); i++)
		check_signed(mapping, pointers[i]);
	for (int i = 0; i < m->condition_count; i++)
		check_signed(filter, m->conditions[i].at);
}

static void check_adyen(const struct reading *r)
{
	const struct source *s = r->source;
	bool is_canonical = s->mapping_count == 0 || s->mappings[0].is_canonical;
	if (is_canonical || strcmp(s->items, ADYEN_ITEMS) != 0) {
		json_config_complain(&r->member[SCHEME], "adyen wants a mapping, and items: \"" ADYEN_ITEMS "\"");
		return;
	}
	for (int i = 0; i < s->mapping_count; i++)
		check_adyen_mapping(r, &s->mappings[i]);
}

/* ---- the list ---- */

static bool sources_read_read_name(const struct json_place *p, const struct sources *all, char ret[SOURCE_NAME_MAX + 1])
{
	char quoted[FAULT_QUOTE_MAX];
	if (!json_config_text(p, SOURCE_NAME_MAX, ret))
		return false;
	if (!source_name_valid(ret)) {
		json_config_complain(p, "%s: lower case letters, digits and hyphens are wanted",
			fault_quote(ret, strlen(ret), quoted));
		return false;
	}
	for (int i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].name, ret) == 0) {
			json_config_complain(p, "\"%s\" is there already", ret);
			return false;
		}
	}
	return true;
}

/* Adds a source to the list if its name is valid.  Until read_auth() has decided otherwise the source is disabled, so
 * that no path leaves it open. */
static void read_source(const struct json_place *p, const struct sources_outside *outside, struct sources *all)
{
	struct reading r = {.outside = outside, .source = &all->list[all->count]};
	*r.source = (struct source){.auth = SOURCE_AUTH_DISABLED};
	json_config_members(p, NAMES, r.member, MEMBERS);
	if (!sources_read_read_name(&r.member[NAME], all, r.source->name))
		return;
	all->count++;
	int complaints = p->config->complaints;
	read_mappings(&r);
	read_order(&r);
	read_auth(&r);
	read_allow(&r);
	read_client(&r);
	read_keep_ignored(&r);
	bool is_adyen = r.source->auth == SOURCE_AUTH_SIGNATURE && r.source->signer.scheme == SCHEME_ADYEN;
	if (is_adyen && p->config->complaints == complaints)
		check_adyen(&r);
}

/* Adds the built-in source if the operator does not list it.  It counts towards SOURCES_MAX. */
static void add_built_in(const struct json_place *top, struct sources *all)
{
	for (int i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].name, SOURCE_BUILT_IN) == 0)
			return;
	}
	if (all->count == SOURCES_MAX) {
		json_config_complain(
			top, "more than %d sources, the one named " SOURCE_BUILT_IN " counted", SOURCES_MAX);
		return;
	}
	all->list[all->count++] = (struct source){.name = SOURCE_BUILT_IN, .auth = SOURCE_AUTH_NONE};
}

bool sources_read(const char *text, size_t len, const struct sources_outside *outside, struct sources *ret)
{
	static const char *const names[] = {"sources"};
	struct json_config config = {
		.file = outside->file, .text = text, .report = outside->report, .ctx = outside->ctx};
	struct json_place top, list, element[SOURCES_MAX];
	ret->count = 0;
	if (!json_config_open(&config, len, &top))
		return false;
	json_config_members(&top, names, &list, 1);
	int count = json_config_elements(&list, element, SOURCES_MAX);
	for (int i = 0; i < count; i++)
		read_source(&element[i], outside, ret);
	add_built_in(&list, ret);
	if (config.complaints > 0)
		sources_finish(ret);
	return config.complaints == 0;
}
