/* fuzz_sources.c - the input as a SOURCES_FILE: it is accepted as a whole or rejected with one line for each error, and
 * no error shows a secret. */

#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "source/sources_read.h"

#define SECRET "c2VjcmV0LXRoYXQtbm9ib2R5LXNob3dz"

static const struct currency_extras extras = {0};
static int complaints;
static bool is_written; /* the secret is part of the input itself, so an error may quote it */

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	complaints++;
	MUST_HOLD(strncmp(complaint, "f:", 2) == 0 && complaint[2] >= '1' && complaint[2] <= '9');
	MUST_HOLD(is_written || !strstr(complaint, SECRET));
	for (size_t at = 0, len = strlen(complaint); at < len;) {
		size_t length = utf8_length(complaint + at, len - at);
		MUST_HOLD(length > 0 && (unsigned char)complaint[at] >= ' ');
		at += length;
	}
}

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx;
	MUST_HOLD(*name);
	if (place == SECRET_IN_FILE && *name == 'n')
		return fault_set(f, FAULT_INPUT, "there is none");
	if (*name == 'H')
		buf_add_text(ret, "0123456789abcdef0123456789abcdef");
	else if (*name == 'U')
		buf_add_text(ret, "user:" SECRET);
	else
		buf_add_format(ret, *name == 'W' ? "whsec_" SECRET : SECRET "%s", name); /* each another one */
	return true;
}

static void kind_must_be_sound(const struct mapping_kind *k)
{
	MUST_HOLD(k->count >= 0 && k->count <= MAPPING_KINDS_MAX && (k->count > 0) == (*k->at != '\0'));
	for (int i = 0; i < k->count; i++) {
		MUST_HOLD(*k->words[i].word && k->words[i].kind > TXN_NO_KIND && k->words[i].kind < TXN_KIND_COUNT);
		for (int j = 0; j < i; j++)
			MUST_HOLD(strcmp(k->words[i].word, k->words[j].word) != 0);
	}
}

static bool place_is_sound(const char *at)
{
	const char *name = place_header(at) ? place_header(at) : place_query(at);
	return *at == '/' ? json_pointer_valid(at)
	       : name     ? *name != '\0'
			  : strcmp(at, PLACE_REQUEST_ID) == 0 || strcmp(at, PLACE_BODY_SHA256) == 0;
}

/* Whether the signature covers a header or a parameter of the query. */
static bool place_is_covered(const struct source *s, const char *at)
{
	const char *header = place_header(at), *query = place_query(at);
	return s->auth == SOURCE_AUTH_SIGNATURE && ((header && signer_covers_header(&s->signer, header)) ||
							   (query && signer_covers_query(&s->signer, query)));
}

static bool signs_body(const struct source *s)
{
	return s->auth != SOURCE_AUTH_SIGNATURE || signer_signs_body(&s->signer);
}

/* Only a source with a signature may read a header or the query in its mapping, and nothing else if the body is not signed. */
static void place_must_be_trusted(const struct source *s, const char *at)
{
	bool is_of_request = place_header(at) || place_query(at);
	MUST_HOLD(!*at || place_is_sound(at));
	MUST_HOLD(!*at || (signs_body(s) && !is_of_request) || place_is_covered(s, at));
}

/* A filter may read what is not signed, where the body is. */
static void condition_must_be_sound(const struct source *s, const struct mapping_condition *c)
{
	MUST_HOLD((c->count > 0) != c->is_absent && place_is_sound(c->at));
	MUST_HOLD(signs_body(s) || place_is_covered(s, c->at));
}

static void mapping_must_be_sound(const struct source *s, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	MUST_HOLD(m->condition_count >= 0 && m->condition_count <= MAPPING_CONDITIONS_MAX);
	for (int i = 0; i < m->condition_count; i++)
		condition_must_be_sound(s, &m->conditions[i]);
	MUST_HOLD(!m->is_canonical || (s->mapping_count == 1 && signs_body(s)));
	if (m->is_canonical)
		return;
	int parts = mapping_identity(m, identity);
	MUST_HOLD(parts >= 1 && parts <= MAPPING_PARTS_MAX && (parts > 1) == (m->parts.separator != '\0'));
	for (int i = 0; i < parts; i++)
		place_must_be_trusted(s, identity[i]);
	const char *const others[] = {m->source_account.at, m->destination_account.at, m->amount.at, m->currency.at,
		m->payment_id.at, m->kind.at, m->part.at, m->occurred.at};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		place_must_be_trusted(s, others[i]);
	MUST_HOLD(!*m->currency.at || m->currency.is_optional == m->amount.is_optional);
	MUST_HOLD(!*m->payment_id.text || *m->payment_id.at);
	MUST_HOLD(!*m->part.text || *m->part.at);
	kind_must_be_sound(&m->kind);
}

static void must_be_sound(const struct source *s)
{
	MUST_HOLD(*s->name && strspn(s->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s->name));
	MUST_HOLD((s->auth == SOURCE_AUTH_SIGNATURE) == (s->signer.count > 0));
	MUST_HOLD(s->allow_count >= 0 && s->allow_count <= SOURCE_ALLOW_MAX);
	for (int i = 0; i < s->allow_count; i++)
		MUST_HOLD(s->allow[i].bits <= 128);
	MUST_HOLD((s->client == SOURCE_CERTAIN_CLIENT) == (strchr(s->subject, '=') != NULL));
	MUST_HOLD(json_pointer_valid(s->items));
	MUST_HOLD((s->ping.kind == PING_FORM) == (*s->ping.field != '\0'));
	MUST_HOLD((s->ping.kind == PING_HEADER) == (place_header(s->ping.condition.at) != NULL));
	MUST_HOLD((s->ping.kind == PING_MEMBER) == (*s->ping.condition.at == '/'));
	MUST_HOLD((s->ping.kind >= PING_MEMBER) == (s->ping.condition.count > 0));
	MUST_HOLD(s->mapping_count >= 0 && s->mapping_count <= SOURCE_EVENTS_MAX);
	MUST_HOLD(signs_body(s) || (s->mapping_count > 0 && !source_has_items(s)));
	MUST_HOLD(!s->continues || s->in_order);
	MUST_HOLD(!s->in_order || s->mapping_count > 0);
	for (int i = 0; i < s->mapping_count; i++) {
		mapping_must_be_sound(s, &s->mappings[i]);
		MUST_HOLD(!s->in_order || *s->mappings[i].payment_id.at);
	}
	MUST_HOLD(source_has_events(s) || (s->mapping_count <= 1 && !s->in_order && !s->keep_ignored));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sources sources;
	struct sources_outside outside = {.file = "f", .extras = &extras, .secret = give_secret, .report = report};
	complaints = 0;
	is_written = memmem(data, len, SECRET, strlen(SECRET)) != NULL;
	if (!sources_read((const char *)data, len, &outside, &sources)) {
		MUST_HOLD(complaints > 0 && sources.count == 0);
		return 0;
	}
	MUST_HOLD(complaints == 0 && sources.count >= 1 && sources.count <= SOURCES_MAX);
	for (int i = 0; i < sources.count; i++)
		must_be_sound(&sources.list[i]);
	sources_finish(&sources);
	return 0;
}
