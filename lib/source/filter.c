/* filter.c - whether an item has the values that a filter wants.
 *
 * Values are compared as they are written, so that nothing is converted and no number is rounded.  The filters of a source
 * mostly ask for the same few places, so what was found is remembered for one item.  No state is kept between items. */

#include "source/filter.h"

#include <string.h>

/* Compares a number, true and false as they are written.  Null is like an absent member; how an object or an array is
 * written depends on its white space. */
bool filter_is_word(struct json_value v, const char *word)
{
	switch (json_value_kind(v)) {
	case JSON_IS_STRING:
		return json_value_equals(v, word);
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		return strlen(word) == v.len && memcmp(v.at, word, v.len) == 0;
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
	case JSON_IS_NULL:
		break;
	}
	return false;
}

bool filter_leaves_out(const struct json_value *v)
{
	return v->len == 0 || json_value_kind(*v) == JSON_IS_NULL || json_value_equals(*v, "");
}

static const struct json_value *seek(struct filter_search *s, const char *at)
{
	for (int i = 0; i < s->count && i < FILTER_SOUGHT_MAX; i++) {
		if (strcmp(s->at[i], at) == 0)
			return &s->value[i];
	}
	int slot = s->count++ % FILTER_SOUGHT_MAX;
	s->at[slot] = at;
	if (!place_find(s->in, at, &s->value[slot]))
		s->value[slot].len = 0;
	return &s->value[slot];
}

/* An absent member equals no word. */
static bool is_met(const struct mapping_condition *c, struct filter_search *s)
{
	const struct json_value *v = seek(s, c->at);
	if (c->is_absent)
		return filter_leaves_out(v);
	for (int i = 0; v->len > 0 && i < c->count; i++) {
		if (filter_is_word(*v, c->words[i]))
			return true;
	}
	return false;
}

bool filter_holds(struct filter_search *s, const struct mapping_condition *list, int count)
{
	for (int i = 0; i < count; i++) {
		if (!is_met(&list[i], s))
			return false;
	}
	return true;
}
