/* sources_read.c - reads the operator's list of sources from JSON.
 *
 * The list decides which webhooks are accepted, so a mistake must not yield a weaker check: a list with any mistake
 * yields no source at all.  Reading goes on after a mistake, so that one run reports as many as possible.  What depends
 * on a wrong member is skipped: a source without a valid name is not read further.
 *
 * The members of the signature scheme are left to sources_scheme.c, the secrets to sources_secrets.c, and the mapping to
 * mapping_config.c. */

#include "source/sources_read.h"

#include <stdlib.h>
#include <string.h>

#include "json/config.h"
#include "source/adyen.h"
#include "source/mapping_config.h"
#include "source/ping_config.h"
#include "source/place_config.h"
#include "source/sources_answer.h"
#include "source/sources_body.h"
#include "source/sources_keep.h"
#include "source/sources_scheme.h"

#define INET_TEXT_MAX 63 /* bytes of a network as text; the longest valid one has 49 */

/* The members of a source: those of its scheme come first. */
enum member {
	NAME = SIGNING_MEMBERS,
	ALLOW,
	CLIENT_CERTIFICATE,
	ITEMS,
	FILTER,
	MAPPING,
	EVENTS,
	ORDER,
	ON_FAILURE,
	KEEP_IGNORED,
	ANSWER,
	PING,
	UNREADABLE,
	BODY,
	SIGNED_ENCODING,
	MEMBERS,
};

static const char *const NAMES[MEMBERS] = {
	SIGNING_MEMBER_NAMES,
	[NAME] = "name",
	[ALLOW] = "allow",
	[CLIENT_CERTIFICATE] = "client_certificate",
	[ITEMS] = "items",
	[FILTER] = "filter",
	[MAPPING] = "mapping",
	[EVENTS] = "events",
	[ORDER] = "order",
	[ON_FAILURE] = "on_failure",
	[KEEP_IGNORED] = "keep_ignored",
	[ANSWER] = "answer",
	[PING] = "ping",
	[UNREADABLE] = "unreadable",
	[BODY] = "body",
	[SIGNED_ENCODING] = "signed_encoding",
};

struct reading {
	const struct sources_outside *outside;
	struct json_place member[MEMBERS]; /* of the source that is being read */
	struct source *source;
};

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
		mapping_configure(&member[0], &member[1], r->outside->extras, sources_scheme_signs_body(r->member),
			&r->source->mappings[i]);
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
		mapping_configure(filter, mapping, r->outside->extras, sources_scheme_signs_body(r->member),
			&r->source->mappings[0]);
	if (json_config_given(items) && !has_events && !has_mapping)
		json_config_complain(items, "has no meaning without a mapping");
	else if (json_config_given(items) && sources_body_is_array(items))
		r->source->body.is_array = true;
	else if (json_config_given(items))
		place_configure_pointer(items, r->source->items);
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
		json_config_complain(
			&r->member[SIGNING_SCHEME], "adyen wants a mapping, and items: \"" ADYEN_ITEMS "\"");
		return;
	}
	for (int i = 0; i < s->mapping_count; i++)
		check_adyen_mapping(r, &s->mappings[i]);
}

/* Adyen's signatures are in the items of a JSON body, whatever its coding is. */
static void check_form_of_body(const struct reading *r)
{
	struct source *s = r->source;
	const struct json_place *encoding = &r->member[SIGNED_ENCODING];
	bool is_signed = s->auth == SOURCE_AUTH_SIGNATURE, is_adyen = is_signed && s->signer.scheme == SCHEME_ADYEN;
	sources_body_check(&s->body, &r->member[ITEMS],
		&r->member[json_config_given(&r->member[EVENTS]) ? EVENTS : MAPPING], s->mappings, s->mapping_count);
	if (json_config_given(encoding) && !is_signed)
		json_config_complain(encoding, "has no meaning without a signature");
	else if (json_config_given(encoding) && is_adyen)
		json_config_complain(encoding, "has no meaning for adyen, which signs in the body");
	if (is_adyen && s->body.format != BODY_JSON)
		json_config_complain(&r->member[BODY], "has no meaning for adyen, which sends JSON");
	s->body.is_signed_decoded = s->body.is_signed_decoded || is_adyen;
}

/* ---- the list ---- */

static bool sources_read_name(const struct json_place *p, const struct sources *all, char ret[SOURCE_NAME_MAX + 1])
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

/* Adds a source to the list if its name is valid.  Until sources_scheme_read() has decided otherwise the source is disabled, so
 * that no path leaves it open. */
static void read_source(const struct json_place *p, const struct sources_outside *outside, struct sources *all)
{
	struct reading r = {.outside = outside, .source = &all->list[all->count]};
	*r.source = (struct source){.auth = SOURCE_AUTH_DISABLED};
	json_config_members(p, NAMES, r.member, MEMBERS);
	if (!sources_read_name(&r.member[NAME], all, r.source->name))
		return;
	all->count++;
	int complaints = p->config->complaints;
	sources_body_read(&r.member[BODY], &r.member[SIGNED_ENCODING], &r.source->body);
	read_mappings(&r);
	read_order(&r);
	sources_scheme_read(r.member, outside, all, r.source);
	read_allow(&r);
	read_client(&r);
	read_keep_ignored(&r);
	sources_answer_read(&r.member[ANSWER], &r.source->answer);
	ping_configure(&r.member[PING], r.source);
	sources_keep_read(&r.member[UNREADABLE], r.source);
	const struct json_place *events = json_config_given(&r.member[EVENTS]) ? &r.member[EVENTS] : NULL;
	if (p->config->complaints == complaints)
		places_check(events ? events : &r.member[FILTER], events ? events : &r.member[MAPPING], r.source);
	check_form_of_body(&r);
	bool is_adyen = r.source->auth == SOURCE_AUTH_SIGNATURE && r.source->signer.scheme == SCHEME_ADYEN;
	if (is_adyen && p->config->complaints == complaints)
		check_adyen(&r);
}

/* The places of the listed sources.  Returns their number, 0 if there are too many. */
static int list_sources(const struct json_place *p, struct json_place ret[SOURCES_LISTED_MAX])
{
	struct json_value one;
	int count = 0;
	if (json_config_given(p) && json_value_kind(p->value) == JSON_IS_ARRAY) {
		for (struct json_walk w = json_walk_into(p->value); json_walk_next(&w, NULL, &one);)
			count++;
	}
	if (count <= SOURCES_LISTED_MAX)
		return json_config_elements(p, ret, SOURCES_LISTED_MAX);
	json_config_complain(p, "%d sources are listed, and at most %d are taken", count, SOURCES_LISTED_MAX);
	return 0;
}

/* Adds the built-in source if the operator does not list it.  There is always room for it. */
static void add_built_in(struct sources *all)
{
	for (int i = 0; i < all->count; i++) {
		if (strcmp(all->list[i].name, SOURCE_BUILT_IN) == 0)
			return;
	}
	all->list[all->count++] = (struct source){.name = SOURCE_BUILT_IN, .auth = SOURCE_AUTH_NONE};
}

bool sources_read(const char *text, size_t len, const struct sources_outside *outside, struct sources *ret)
{
	static const char *const names[] = {"sources"};
	struct json_config config = {
		.file = outside->file, .text = text, .report = outside->report, .ctx = outside->ctx};
	struct json_place top, list, element[SOURCES_LISTED_MAX];
	ret->count = 0;
	if (!json_config_open(&config, len, &top))
		return false;
	json_config_members(&top, names, &list, 1);
	int count = list_sources(&list, element);
	for (int i = 0; i < count; i++)
		read_source(&element[i], outside, ret);
	add_built_in(ret);
	sources_sort(ret);
	if (config.complaints > 0)
		sources_finish(ret);
	return config.complaints == 0;
}
