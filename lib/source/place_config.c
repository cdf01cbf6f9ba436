/* place_config.c - reads where a mapping finds its values, and refuses places that anyone could write.
 *
 * A header that the signature does not cover is written by whoever sends the request.  If it were the identity, one captured
 * body would be any number of events; if it were the kind, a payment could be sent again as a refund.  So it may only stand
 * in a filter, where it can make a webhook ignored. */

#include "source/place_config.h"

#include <string.h>

#include "base/ascii.h"

#define PLACES_MAX (MAPPING_PARTS_MAX + 8) /* of a mapping, its filter left out */

/* The whole document, "", is no pointer here: json_config_text() refuses an empty text. */
void place_configure_pointer(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1])
{
	char text[MAPPING_POINTER_MAX + 1];
	if (!json_config_text(p, MAPPING_POINTER_MAX, text))
		return;
	if (json_pointer_valid(text))
		memcpy(ret, text, sizeof text);
	else
		json_config_complain(p, "is no JSON pointer, as /data/object/id is one");
}

static void configure_header(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1])
{
	char name[PLACE_NAME_MAX + 1], quoted[FAULT_QUOTE_MAX];
	if (!json_config_text(p, PLACE_NAME_MAX, name))
		return;
	ascii_lower(name);
	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		json_config_complain(p, "%s: a header's name has letters, digits and hyphens",
			fault_quote(name, strlen(name), quoted));
		return;
	}
	memcpy(ret, PLACE_HEADER, sizeof PLACE_HEADER - 1);
	memcpy(ret + sizeof PLACE_HEADER - 1, name, strlen(name) + 1);
}

/* The name is compared as it stands in the request's target (http/query_param.h), and is one step of a pointer. */
static void configure_query(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1])
{
	char name[PLACE_NAME_MAX + 1], quoted[FAULT_QUOTE_MAX];
	if (!json_config_text(p, PLACE_NAME_MAX, name))
		return;
	if (!signature_message_is_query(name)) {
		json_config_complain(p,
			"%s: a parameter's name is printable ASCII without any of &=#%%+?{}/~\"\\ and blanks",
			fault_quote(name, strlen(name), quoted));
		return;
	}
	memcpy(ret, PLACE_QUERY, sizeof PLACE_QUERY - 1);
	memcpy(ret + sizeof PLACE_QUERY - 1, name, strlen(name) + 1);
}

static void configure_word(
	const struct json_place *p, const char *word, const char *at, char ret[MAPPING_POINTER_MAX + 1])
{
	int which;
	if (json_config_word(p, &word, 1, &which))
		memcpy(ret, at, strlen(at) + 1);
}

static bool is_given(const struct json_place *p)
{
	return p && json_config_given(p);
}

bool place_given(const struct place_members *m)
{
	return is_given(m->at) || is_given(m->header) || is_given(m->body) || is_given(m->request) ||
	       is_given(m->query);
}

void place_configure(const struct place_members *m, char ret[MAPPING_POINTER_MAX + 1])
{
	const struct json_place *const given[] = {m->at, m->header, m->body, m->request, m->query}, *first = NULL;
	for (size_t i = 0; i < COUNT_OF(given); i++) {
		if (first && is_given(given[i]))
			json_config_complain(given[i], "has no meaning beside %s", first->name);
		else if (is_given(given[i]))
			first = given[i];
	}
	if (first && first == m->header)
		configure_header(m->header, ret);
	else if (first && first == m->body)
		configure_word(m->body, "sha256", PLACE_BODY_SHA256, ret);
	else if (first && first == m->request)
		configure_word(m->request, "id", PLACE_REQUEST_ID, ret);
	else if (first && first == m->query)
		configure_query(m->query, ret);
	else
		place_configure_pointer(m->at, ret);
}

void place_configure_element(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1])
{
	static const char *const names[] = {"at", "header", "body", "query"};
	struct json_place member[4];
	if (json_value_kind(p->value) != JSON_IS_OBJECT) {
		place_configure_pointer(p, ret);
		return;
	}
	json_config_members(p, names, member, 4);
	place_configure(
		&(struct place_members){
			.at = &member[0], .header = &member[1], .body = &member[2], .query = &member[3]},
		ret);
}

/* ---- what a source may read ---- */

/* The places of a mapping's members.  Returns their number. */
static int places_of_mapping(const struct mapping *m, const char *ret[PLACES_MAX])
{
	const char *const others[] = {m->source_account.at, m->destination_account.at, m->amount.at, m->currency.at,
		m->payment_id.at, m->kind.at, m->part.at, m->occurred.at};
	int count = mapping_identity(m, ret);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		ret[count++] = others[i];
	return count;
}

static void want(const struct json_place *p, struct source *s, const char *at)
{
	const char *header = place_header(at), *query = place_query(at);
	bool is_signed = s->auth == SOURCE_AUTH_SIGNATURE;
	bool is_lower = is_signed && ((header && signer_lowers_header(&s->signer, header)) ||
					     (query && signer_lowers_query(&s->signer, query)));
	s->wanted.has_svix = is_signed && s->signer.scheme == SCHEME_STANDARD_WEBHOOKS;
	if (!places_want(&s->wanted, at, is_lower))
		json_config_complain(p, "more than %d %s are read", query ? PLACES_QUERIES_MAX : PLACES_HEADERS_MAX,
			query ? "parameters of the query" : "headers");
}

/* Whether what is signed leaves out the body, and with it all that is read there. */
static bool is_body_unsigned(const struct source *s)
{
	return s->auth == SOURCE_AUTH_SIGNATURE && !signer_signs_body(&s->signer);
}

/* Without the body among what is signed, only the values that are signed themselves may be read: anyone with one signed
 * request could write the others. */
static void check_covered(const struct json_place *p, const struct source *s, const char *at)
{
	char text[PLACE_TEXT_MAX];
	if (*at && !place_header(at) && !place_query(at) && is_body_unsigned(s))
		json_config_complain(p,
			"%s is not signed, since signed has no {body}: only {\"query\": NAME} and {\"header\": NAME} of signed may be read",
			place_text(at, text));
}

static bool signs_query(const struct source *s, const char *name)
{
	return s->auth == SOURCE_AUTH_SIGNATURE && signer_covers_query(&s->signer, name);
}

static void check_member(const struct json_place *p, struct source *s, const char *at)
{
	const char *header = place_header(at), *query = place_query(at);
	check_covered(p, s, at);
	if (query && !signs_query(s, query))
		json_config_complain(p,
			"the parameter %s of the query is not signed, so anyone could change it: it may stand in a filter, and in no mapping",
			query);
	if (header && !source_signs_header(s, header))
		json_config_complain(p,
			"the header %s is not signed, so anyone could change it: it may stand in a filter, and in no mapping",
			header);
	want(p, s, at);
}

/* Without the body among what is signed, an unsigned header would decide alone which body counts. */
static void check_condition(const struct json_place *p, struct source *s, const char *at)
{
	const char *header = place_header(at), *query = place_query(at);
	if (query && is_body_unsigned(s) && !signs_query(s, query))
		json_config_complain(p,
			"the parameter %s of the query is not signed, and neither is the body: anyone could change it",
			query);
	check_covered(p, s, at);
	if (header && is_body_unsigned(s) && !source_signs_header(s, header))
		json_config_complain(
			p, "the header %s is not signed, and neither is the body: anyone could change it", header);
	want(p, s, at);
}

/* All items of a body share its request and its digest. */
static void check_items(const struct json_place *p, const struct source *s, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	int count = mapping_identity(m, identity);
	bool is_of_item = false;
	for (int i = 0; i < count; i++)
		is_of_item |= place_is_in_item(identity[i]);
	if (source_has_items(s) && !is_of_item)
		json_config_complain(p, "the transaction_id has nothing of an item: all items of a body would be one");
}

/* A body that is not signed has neither items nor payhook's own form. */
static void check_unsigned_body(const struct json_place *mapping, const struct source *s)
{
	bool is_canonical = s->mapping_count == 0;
	for (int i = 0; i < s->mapping_count; i++)
		is_canonical |= s->mappings[i].is_canonical;
	if (is_body_unsigned(s) && (is_canonical || *s->items))
		json_config_complain(
			mapping, "signed has no {body}: a mapping of signed values is wanted, and no items");
}

void places_check(const struct json_place *filter, const struct json_place *mapping, struct source *s)
{
	const char *at[PLACES_MAX];
	check_unsigned_body(mapping, s);
	for (int i = 0; i < s->mapping_count; i++) {
		const struct mapping *m = &s->mappings[i];
		for (int j = 0; j < m->condition_count; j++)
			check_condition(filter, s, m->conditions[j].at);
		int count = m->is_canonical ? 0 : places_of_mapping(m, at);
		for (int j = 0; j < count; j++)
			check_member(mapping, s, at[j]);
		check_items(mapping, s, m);
	}
}
