/* ping_config.c - reads "ping" of a source, and refuses one that would swallow events.
 *
 * A ping is answered and forgotten, without a look at the signature.  If one of its words stood for an event too, every such
 * event would be lost, and the provider would count it as received. */

#include "source/ping_config.h"

#include <string.h>

#include "source/place_config.h"

static bool has_word(const struct mapping_condition *c, const char *word)
{
	for (int i = 0; i < c->count; i++) {
		if (strcmp(c->words[i], word) == 0)
			return true;
	}
	return false;
}

/* The word of a condition that a mapping has for an event at the same place; NULL: none. */
static const char *shared_word(const struct mapping_condition *c, const struct mapping *m)
{
	for (int i = 0; i < m->condition_count; i++) {
		const struct mapping_condition *event = &m->conditions[i];
		for (int j = 0; strcmp(event->at, c->at) == 0 && j < event->count; j++) {
			if (has_word(c, event->words[j]))
				return event->words[j];
		}
	}
	for (int i = 0; strcmp(m->kind.at, c->at) == 0 && i < m->kind.count; i++) {
		if (has_word(c, m->kind.words[i].word))
			return m->kind.words[i].word;
	}
	return NULL;
}

/* A pointer to an item, or to what an item is in, would find an event among others. */
static bool goes_into_items(const struct source *s, const char *at)
{
	size_t len = strlen(s->items);
	if (s->body.is_array)
		return place_is_in_item(at);
	return len > 0 && strncmp(at, s->items, len) == 0 && (at[len] == '/' || at[len] == '\0');
}

static void check(const struct json_place *p, const struct source *s)
{
	const struct mapping_condition *c = &s->ping.condition;
	char place[PLACE_TEXT_MAX];
	if (goes_into_items(s, c->at))
		json_config_complain(p, "%s is in items: a ping is looked for in the body as a whole", c->at);
	for (int i = 0; i < s->mapping_count; i++) {
		const char *word = shared_word(c, &s->mappings[i]);
		if (!word)
			continue;
		json_config_complain(p,
			"\"%s\" stands for an event, at %s in a filter or a kind: such events would be lost", word,
			place_text(c->at, place));
		return;
	}
}

/* A name that needs no escapes in a form. */
static void ping_read_field(const struct json_place *p, char ret[PING_FIELD_MAX + 1])
{
	char name[PING_FIELD_MAX + 1], quoted[FAULT_QUOTE_MAX];
	if (!json_config_text(p, PING_FIELD_MAX, name))
		return;
	if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")])
		json_config_complain(
			p, "%s: letters, digits, _, . and - are wanted", fault_quote(name, strlen(name), quoted));
	else
		memcpy(ret, name, sizeof name);
}

static void read_words(const struct json_place *p, struct mapping_condition *ret)
{
	struct json_place words[MAPPING_WORDS_MAX];
	int count = json_config_elements(p, words, MAPPING_WORDS_MAX);
	for (int i = 0; i < count; i++) {
		if (json_config_text(&words[i], MAPPING_WORD_MAX, ret->words[ret->count]))
			ret->count++;
	}
}

void ping_configure(const struct json_place *p, struct source *s)
{
	static const char *const names[] = {"form", "at", "header", "is"};
	struct json_place member[4];
	struct place_members place = {.at = &member[1], .header = &member[2]};
	if (!json_config_given(p))
		return;
	int complaints = p->config->complaints;
	json_config_members(p, names, member, 4);
	if (json_config_given(&member[0]) == place_given(&place)) {
		json_config_complain(p, "either form, or at, or header is wanted");
		return;
	}
	if (json_config_given(&member[0])) {
		s->ping.kind = PING_FORM;
		ping_read_field(&member[0], s->ping.field);
		if (json_config_given(&member[3]))
			json_config_complain(&member[3], "has no meaning beside form");
		if (s->body.format != BODY_JSON)
			json_config_complain(
				&member[0], "has no place where events are forms: such events would be lost");
		return;
	}
	s->ping.kind = json_config_given(&member[2]) ? PING_HEADER : PING_MEMBER;
	place_configure(&place, s->ping.condition.at);
	read_words(&member[3], &s->ping.condition);
	if (p->config->complaints == complaints)
		check(p, s);
}
