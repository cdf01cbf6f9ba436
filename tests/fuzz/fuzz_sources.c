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
	return *at == '/'         ? json_pointer_valid(at)
	       : place_header(at) ? *place_header(at) != '\0'
				  : strcmp(at, PLACE_REQUEST_ID) == 0 || strcmp(at, PLACE_BODY_SHA256) == 0;
}

/* Only a source with a signature may read a header in its mapping. */
static void place_must_be_trusted(const struct source *s, const char *at)
{
	MUST_HOLD(!*at || place_is_sound(at));
	MUST_HOLD(!place_header(at) ||
		  (s->auth == SOURCE_AUTH_SIGNATURE && signer_covers_header(&s->signer, place_header(at))));
}

static void mapping_must_be_sound(const struct source *s, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	MUST_HOLD(m->condition_count >= 0 && m->condition_count <= MAPPING_CONDITIONS_MAX);
	for (int i = 0; i < m->condition_count; i++)
		MUST_HOLD((m->conditions[i].count > 0) != m->conditions[i].is_absent &&
			  place_is_sound(m->conditions[i].at));
	MUST_HOLD(!m->is_canonical || s->mapping_count == 1);
	if (m->is_canonical)
		return;
	int parts = mapping_identity(m, identity);
	MUST_HOLD(parts >= 1 && parts <= MAPPING_PARTS_MAX && (parts > 1) == (m->parts.separator != '\0'));
	for (int i = 0; i < parts; i++)
		place_must_be_trusted(s, identity[i]);
	place_must_be_trusted(s, m->kind.at);
	place_must_be_trusted(s, m->payment_id.at);
	place_must_be_trusted(s, m->part.at);
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
