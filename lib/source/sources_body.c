/* sources_body.c - reads the words of a source about the form of its bodies.
 *
 * A word that could have no effect is a mistake, as the operator expects one.  The fields of a form are texts
 * without members, so a pointer that goes deeper would find nothing in any body; it is reported when the configuration is
 * read.  Bodies are read by payload.c. */

#include "source/sources_body.h"

#include <string.h>

#include "json/value.h"
#include "source/places.h"

/* {"form_member": "payload"} */
static void read_form_member(const struct json_place *p, struct source_body *ret)
{
	static const char *const names[] = {"form_member"};
	struct json_place member;
	json_config_members(p, names, &member, 1);
	ret->format = BODY_FORM_MEMBER;
	if (!json_config_given(&member))
		json_config_complain(&member, "is missing");
	else if (!json_config_text(&member, BODY_MEMBER_MAX, ret->member))
		ret->member[0] = '\0';
}

void sources_body_read(const struct json_place *body, const struct json_place *encoding, struct source_body *ret)
{
	static const char *const formats[] = {[BODY_JSON] = "json", [BODY_FORM] = "form"};
	static const char *const encodings[] = {"raw", "decoded"};
	int word = 0;
	if (json_config_given(body) && json_value_kind(body->value) == JSON_IS_OBJECT)
		read_form_member(body, ret);
	else if (json_config_given(body) && json_config_word(body, formats, COUNT_OF(formats), &word))
		ret->format = (enum body_format)word;
	if (json_config_given(encoding) && json_config_word(encoding, encodings, COUNT_OF(encodings), &word))
		ret->is_signed_decoded = word == 1;
}

bool sources_body_is_array(const struct json_place *items)
{
	return json_value_kind(items->value) == JSON_IS_STRING && json_value_equals(items->value, "");
}

/* "" is no pointer: the member is a constant, or is not mapped.  A header is no field. */
static void check_flat(const struct json_place *p, const char *pointer)
{
	if (*pointer && place_is_in_item(pointer) && strchr(pointer + 1, '/'))
		json_config_complain(p, "%s goes into a field, and the fields of a form are texts", pointer);
}

static void check_mapping(const struct json_place *p, const struct mapping *m)
{
	const char *identity[MAPPING_PARTS_MAX];
	const char *const pointers[] = {m->source_account.at, m->destination_account.at, m->amount.at, m->currency.at,
		m->payment_id.at, m->kind.at, m->part.at, m->occurred.at};
	int parts = mapping_identity(m, identity);
	for (int i = 0; i < parts; i++)
		check_flat(p, identity[i]);
	for (size_t i = 0; i < COUNT_OF(pointers); i++)
		check_flat(p, pointers[i]);
	for (int i = 0; i < m->condition_count; i++)
		check_flat(p, m->conditions[i].at);
}

void sources_body_check(const struct source_body *body, const struct json_place *items,
	const struct json_place *mapping, const struct mapping *list, int count)
{
	if (body->format != BODY_FORM)
		return;
	if (json_config_given(items))
		json_config_complain(items, "has no meaning for the body \"form\": its fields are texts, not arrays");
	for (int i = 0; i < count; i++)
		check_mapping(mapping, &list[i]);
}
