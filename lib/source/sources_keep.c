/* sources_keep.c - reads "unreadable" of a source.
 *
 * What is kept is acknowledged, so the provider does not send it again.  Therefore "keep" is refused where anyone could fill
 * the room, and where two events may have the same body: of those only one would be kept, and the other would be lost. */

#include "source/sources_keep.h"

#include <string.h>

static bool is_of_body(const char *at)
{
	return *at && (place_is_in_item(at) || strcmp(at, PLACE_BODY_SHA256) == 0);
}

/* With several mappings, a filter that reads a header lets one body be two events. */
static bool has_identity_in_body(const struct source *s, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	int parts = mapping_identity(m, identity);
	for (int i = 0; i < parts; i++) {
		if (!is_of_body(identity[i]))
			return false;
	}
	for (int i = 0; i < m->condition_count; i++) {
		if (s->mapping_count > 1 && !place_is_in_item(m->conditions[i].at))
			return false;
	}
	return true;
}

void sources_keep_read(const struct json_place *unreadable, struct source *ret)
{
	static const char *const words[] = {"refuse", "keep"};
	int word = 0;
	if (!json_config_given(unreadable) || !json_config_word(unreadable, words, 2, &word) || word == 0)
		return;
	ret->keep_unreadable = true;
	if (ret->auth != SOURCE_AUTH_SIGNATURE)
		json_config_complain(
			unreadable, "\"keep\" wants a signature scheme: without one, anyone could fill the room");
	for (int i = 0; i < ret->mapping_count; i++) {
		if (!has_identity_in_body(ret, &ret->mappings[i])) {
			json_config_complain(unreadable,
				"\"keep\" wants a transaction_id from the body, and no header in the filters of several events: of two "
				"events with one body the second would be lost");
			return;
		}
	}
}
