/* identity.c - finds sources in which one event of a payment would hide another, and those of which a captured webhook can be
 * sent again as another event.
 *
 * Mappings with the same identity form a group, and so do those of which it is the payment_id, wherever they read it.  The
 * words that a group lets pass at a pointer are those of its filters, or, where a filter says nothing of the pointer, those
 * of its kinds.  Two words at one pointer are two events; so are two mappings.  The remedy is harmless: an identity that
 * distinguishes all events still does so with one more part. */

#include "source/identity.h"

#include <string.h>

#define LISTED_MAX 6 /* words in a warning */

/* The words that pass at a pointer, each once. */
struct passing {
	const char *at;
	int count; /* of all, though only the first of them are listed */
	const char *words[LISTED_MAX];
};

/* The mappings of a source with the identity of one of them, the first. */
struct group {
	const struct source *source;
	const struct mapping *first;
	const char *identity[MAPPING_PARTS_MAX];
	int parts, mappings;
};

/* Whether the identity is the id of the payment, so that each payment has one event. */
static bool is_payment(const struct mapping *m)
{
	return m->parts.count == 0 && *m->payment_id.at && strcmp(m->transaction_id.at, m->payment_id.at) == 0;
}

static bool is_of(const struct group *g, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	if (mapping_identity(m, identity) != g->parts || m->parts.separator != g->first->parts.separator ||
		strcmp(m->transaction_id.text, g->first->transaction_id.text) != 0 ||
		strcmp(m->transaction_id.after, g->first->transaction_id.after) != 0)
		return false;
	if (is_payment(m) && is_payment(g->first))
		return true;
	for (int i = 0; i < g->parts; i++) {
		if (strcmp(identity[i], g->identity[i]) != 0)
			return false;
	}
	return true;
}

static struct group group_of(const struct source *s, const struct mapping *first)
{
	struct group g = {.source = s, .first = first};
	g.parts = mapping_identity(first, g.identity);
	for (int i = 0; i < s->mapping_count; i++)
		g.mappings += is_of(&g, &s->mappings[i]);
	return g;
}

static bool has_pointer(const struct group *g, const char *at)
{
	for (int i = 0; i < g->parts; i++) {
		if (strcmp(g->identity[i], at) == 0)
			return true;
	}
	return false;
}

static void add_word(struct passing *p, const char *word)
{
	for (int i = 0; i < p->count && i < LISTED_MAX; i++) {
		if (strcmp(p->words[i], word) == 0)
			return;
	}
	if (p->count < LISTED_MAX)
		p->words[p->count] = word;
	p->count++;
}

/* Adds the words that a mapping lets pass. */
static void add_passing(const struct mapping *m, struct passing *p)
{
	bool is_filtered = false;
	for (int i = 0; i < m->condition_count; i++) {
		const struct mapping_condition *c = &m->conditions[i];
		if (strcmp(c->at, p->at) != 0)
			continue;
		is_filtered = true;
		for (int j = 0; j < c->count; j++)
			add_word(p, c->words[j]);
	}
	if (is_filtered || strcmp(m->kind.at, p->at) != 0)
		return;
	for (int i = 0; i < m->kind.count; i++)
		add_word(p, m->kind.words[i].word);
	if (m->kind.otherwise != TXN_NO_KIND)
		add_word(p, "(any other)");
}

static struct passing passing_at(const struct group *g, const char *at)
{
	struct passing p = {.at = at};
	for (int i = 0; i < g->source->mapping_count; i++) {
		if (is_of(g, &g->source->mappings[i]))
			add_passing(&g->source->mappings[i], &p);
	}
	return p;
}

/* The pointers at which a mapping distinguishes events.  Returns their number. */
static int pointers_of(const struct mapping *m, const char *ret[MAPPING_CONDITIONS_MAX + 1])
{
	for (int i = 0; i < m->condition_count; i++)
		ret[i] = m->conditions[i].at;
	ret[m->condition_count] = m->kind.at;
	return m->condition_count + (*m->kind.at != '\0');
}

/* Whether the identity is that of the whole request: two events are two requests, and have different bodies. */
static bool is_of_request(const struct group *g)
{
	return has_pointer(g, PLACE_REQUEST_ID) || has_pointer(g, PLACE_BODY_SHA256);
}

/* Whether the identity is the provider's id of the event, as the provider documents it. */
static bool is_event_id(const struct group *g)
{
	static const struct {
		enum scheme scheme;
		const char *at;
	} KNOWN[] = {{SCHEME_STRIPE, "/id"}, {SCHEME_SQUARE, "/event_id"}, {SCHEME_PAYPAL, "/id"},
		{SCHEME_STANDARD_WEBHOOKS, PLACE_HEADER "webhook-id"},
		{SCHEME_STANDARD_WEBHOOKS, PLACE_HEADER "svix-id"}};
	for (size_t i = 0; i < COUNT_OF(KNOWN); i++) {
		if (g->source->auth == SOURCE_AUTH_SIGNATURE && g->source->signer.scheme == KNOWN[i].scheme &&
			has_pointer(g, KNOWN[i].at))
			return true;
	}
	return false;
}

/* Finds a pointer at which several words pass; at NULL: there is none.  Returns false if the identity distinguishes the
 * events: it has such a pointer, or, if there is none, any at which a mapping distinguishes them. */
static bool hides(const struct group *g, struct passing *ret)
{
	const char *at[MAPPING_CONDITIONS_MAX + 1];
	bool is_distinct = false, has_any = false;
	*ret = (struct passing){0};
	for (int i = 0; i < g->source->mapping_count; i++) {
		int count = is_of(g, &g->source->mappings[i]) ? pointers_of(&g->source->mappings[i], at) : 0;
		for (int j = 0; j < count; j++) {
			struct passing p = passing_at(g, at[j]);
			has_any |= has_pointer(g, at[j]);
			is_distinct |= p.count > 1 && has_pointer(g, at[j]);
			if (!ret->at && p.count > 1)
				*ret = p;
		}
	}
	return ret->at ? !is_distinct : g->mappings > 1 && !has_any;
}

/* A pointer as it is, another place as it stands in the configuration. */
static void add_place(struct buf *b, const char *at)
{
	char text[PLACE_TEXT_MAX];
	buf_add_text(b, place_is_in_item(at) ? at : place_text(at, text));
}

static void add_advice(struct buf *b, const struct group *g, const char *at)
{
	char text[PLACE_TEXT_MAX];
	if (g->first->is_canonical) {
		buf_add_text(b, "the sender has to give each event a transaction_id of its own");
		return;
	}
	buf_add_text(b, "use the provider's id of the event");
	if (g->parts == MAPPING_PARTS_MAX)
		return;
	if (at && place_header(at) && !source_signs_header(g->source, place_header(at)))
		at = NULL;
	buf_add_text(b, ", or join ");
	add_place(b, at ? at : "what distinguishes them");
	buf_add_text(b, ": \"transaction_id\": {\"at\": [");
	for (int i = 0; i < g->parts; i++)
		buf_add_format(b, "%s, ", place_text(g->identity[i], text));
	buf_add_format(b, "%s], \"join\": \"%c\"}", place_text(at ? at : "/...", text),
		g->parts > 1 ? g->first->parts.separator : ':');
}

static void add_warning(struct buf *b, const struct group *g, const struct passing *p)
{
	buf_add_format(b, "source %s: ", g->source->name);
	if (p->at) {
		buf_add_text(b, "several events pass, by ");
		add_place(b, p->at);
		buf_add_text(b, ":");
		for (int i = 0; i < p->count && i < LISTED_MAX; i++)
			buf_add_format(b, " %s", p->words[i]);
		buf_add_text(b, p->count > LISTED_MAX ? " ...;" : ";");
	} else {
		buf_add_format(b, "%d entries of events have one transaction_id;", g->mappings);
	}
	buf_add_text(b, " if the transaction_id, ");
	for (int i = 0; i < g->parts; i++) {
		buf_add_text(b, i ? " and " : "");
		add_place(b, g->identity[i]);
	}
	buf_add_text(b, ", is that of the payment, one event hides another; ");
	add_advice(b, g, p->at);
}

bool identity_hides(const struct source *s, struct buf *ret)
{
	for (int i = 0; i < s->mapping_count; i++) {
		struct group g = group_of(s, &s->mappings[i]);
		struct passing p;
		if (is_of_request(&g) || is_event_id(&g) || !hides(&g, &p))
			continue;
		add_warning(ret, &g, &p);
		return true;
	}
	return false;
}

bool identity_repeats(const struct source *s, struct buf *ret)
{
	if (!s->wanted.request_id)
		return false;
	buf_add_format(ret,
		"source %s: the transaction_id is the id of the request, so each request is an event: what the provider"
		" sends again is stored and processed again",
		s->name);
	return true;
}

/* ---- what anyone may change ---- */

static bool is_unsigned(const struct source *s, const char *at)
{
	const char *header = place_header(at), *query = place_query(at);
	return (header && !source_signs_header(s, header)) || (query && !signer_covers_query(&s->signer, query));
}

/* Whether a member of the body decides too whether an event passes, or of which kind it is. */
static bool is_chosen_by_body(const struct mapping *m)
{
	for (int i = 0; i < m->condition_count; i++) {
		if (!m->conditions[i].is_absent && place_is_in_item(m->conditions[i].at))
			return true;
	}
	return *m->kind.at && place_is_in_item(m->kind.at) && m->kind.otherwise == TXN_NO_KIND;
}

/* A token and a password sign nothing: whoever has read one can send anything. */
static bool has_signature(const struct source *s)
{
	return s->auth == SOURCE_AUTH_SIGNATURE && s->signer.scheme != SCHEME_TOKEN && s->signer.scheme != SCHEME_BASIC;
}

bool identity_is_chosen_unsigned(const struct source *s, struct buf *ret)
{
	char text[PLACE_TEXT_MAX];
	for (int i = 0; has_signature(s) && i < s->mapping_count; i++) {
		const struct mapping *m = &s->mappings[i];
		for (int j = 0; !is_chosen_by_body(m) && j < m->condition_count; j++) {
			if (!is_unsigned(s, m->conditions[j].at))
				continue;
			buf_add_format(ret,
				"source %s: the filter has %s, which is not signed, and no member of the body: anyone with a captured"
				" webhook that it leaves out can send it again as one that passes; add a member of the body to it",
				s->name, place_text(m->conditions[j].at, text));
			return true;
		}
	}
	return false;
}
