/* mapping_config.c - reads "items", "filter" and "mapping" of a source from the operator's configuration.
 *
 * A mapping decides which payments are one transaction and how much money an amount is.  A configuration that could
 * make two payments one, or would have to guess a currency, is therefore an error and not a warning.  Reading goes on
 * after a mistake, so that one run reports them all.  Whether a source of Adyen's uses signed fields only is left to
 * sources_read.c. */

#include "source/mapping_config.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* A JSON pointer (RFC 6901).  The whole document, "", is not one here: json_config_text() refuses an empty text. */
static void read_pointer(const struct json_place *p, char ret[MAPPING_POINTER_MAX + 1])
{
	char text[MAPPING_POINTER_MAX + 1];
	if (!json_config_text(p, MAPPING_POINTER_MAX, text))
		return;
	if (json_pointer_valid(text))
		memcpy(ret, text, sizeof text);
	else
		json_config_complain(p, "is no JSON pointer, as /data/object/id is one");
}

/* A text that becomes part of a transaction: a constant, a prefix, or a replacement. */
static void read_piece(const struct json_place *p, char ret[TXN_TEXT_MAX + 1])
{
	if (json_config_text(p, TXN_TEXT_MAX, ret))
		assert(txn_text_valid(ret, strlen(ret)));
}

/* {"at": pointer, "prefix": text, "otherwise": text} or {"value": text}; prefix and otherwise are optional. */
static void mapping_config_read_text(const struct json_place *p, struct mapping_text *ret)
{
	static const char *const names[] = {"at", "prefix", "value", "otherwise"};
	struct json_place member[4];
	if (!json_config_given(p)) {
		json_config_complain(p, "is missing");
		return;
	}
	json_config_members(p, names, member, 4);
	const struct json_place *at = &member[0], *prefix = &member[1], *value = &member[2], *otherwise = &member[3];
	if (json_config_given(at) == json_config_given(value)) {
		json_config_complain(p, "either at or value is wanted");
		return;
	}
	if (json_config_given(at))
		read_pointer(at, ret->at);
	else
		read_piece(value, ret->text);
	if (json_config_given(prefix) && json_config_given(value))
		json_config_complain(prefix, "has no meaning beside value");
	else if (json_config_given(prefix))
		read_piece(prefix, ret->text);
	if (json_config_given(otherwise) && json_config_given(value))
		json_config_complain(otherwise, "has no meaning beside value");
	else if (json_config_given(otherwise))
		read_piece(otherwise, ret->otherwise);
}

/* {"at": pointer} or {"value": code}.  A constant is checked here, once, against the currencies that are active. */
static void read_currency(const struct json_place *p, const struct currency_extras *extras, struct mapping_text *ret)
{
	struct currency currency;
	mapping_config_read_text(p, ret);
	if (*ret->at && *ret->text)
		json_config_complain(p, "a currency has no prefix");
	else if (*ret->otherwise)
		json_config_complain(p, "a currency has no otherwise: what an amount means is not guessed");
	else if (!*ret->at && *ret->text && !currency_find(extras, ret->text, strlen(ret->text), &currency))
		json_config_complain(p, "the value is not an active currency of ISO 4217");
}

/* {"ISK": 2, "UGX": 2}: currencies and the number of decimals that the provider's minor unit has, 0 to
 * MONEY_FRACTION_MAX.  The amount must still fit the decimals of ISO 4217 (mapping.c). */
static void read_units(const struct json_place *p, const struct currency_extras *extras, struct mapping_amount *ret)
{
	struct json_value name, value;
	if (json_value_kind(p->value) != JSON_IS_OBJECT) {
		json_config_complain(p, "an object is wanted, such as {\"ISK\": 2}");
		return;
	}
	for (struct json_walk w = json_walk_into(p->value); json_walk_next(&w, &name, &value);) {
		struct json_place one = {.config = p->config, .outer = p, .value = value};
		char code[CURRENCY_CODE_MAX + 1];
		size_t len;
		struct currency *unit = &ret->units[ret->unit_count];
		if (!json_value_text(name, code, sizeof code, &len) || ret->unit_count == MAPPING_UNITS_MAX ||
			!currency_find(extras, code, len, unit)) {
			json_config_complain(
				p, "its members are at most %d active currencies of ISO 4217", MAPPING_UNITS_MAX);
			return;
		}
		one.name = unit->code;
		if (json_config_number(&one, 0, MONEY_FRACTION_MAX, &unit->minor_unit))
			ret->unit_count++;
	}
}

/* {"at": pointer, "unit": "minor", "minor_units": {...}}.  unit has no default: a wrong guess changes an amount by a
 * factor of a hundred. */
static void mapping_config_read_amount(
	const struct json_place *p, const struct currency_extras *extras, struct mapping_amount *ret)
{
	static const char *const names[] = {"at", "unit", "minor_units"}, *const units[] = {"major", "minor"};
	struct json_place member[3];
	int unit = 0;
	if (!json_config_given(p)) {
		json_config_complain(p, "is missing");
		return;
	}
	json_config_members(p, names, member, 3);
	read_pointer(&member[0], ret->at);
	if (json_config_word(&member[1], units, 2, &unit))
		ret->is_minor = unit == 1;
	if (!json_config_given(&member[2]))
		return;
	if (ret->is_minor)
		read_units(&member[2], extras, ret);
	else
		json_config_complain(&member[2], "has no meaning but for the unit \"minor\"");
}

/* {"at": pointer, "is": [word, ...]}; the words are alternatives. */
static void read_condition(const struct json_place *p, struct mapping_condition *ret)
{
	static const char *const names[] = {"at", "is"};
	struct json_place member[2], words[MAPPING_WORDS_MAX];
	json_config_members(p, names, member, 2);
	read_pointer(&member[0], ret->at);
	int count = json_config_elements(&member[1], words, MAPPING_WORDS_MAX);
	for (int i = 0; i < count; i++) {
		if (json_config_text(&words[i], MAPPING_WORD_MAX, ret->words[ret->count]))
			ret->count++;
	}
}

/* [condition, ...]; all conditions must hold. */
static void read_filter(const struct json_place *p, struct mapping *ret)
{
	struct json_place conditions[MAPPING_CONDITIONS_MAX];
	ret->condition_count = json_config_elements(p, conditions, MAPPING_CONDITIONS_MAX);
	for (int i = 0; i < ret->condition_count; i++)
		read_condition(&conditions[i], &ret->conditions[i]);
}

static void mapping_config_read_members(
	const struct json_place *p, const struct currency_extras *extras, struct mapping *ret)
{
	static const char *const names[] = {
		"transaction_id", "source_account", "destination_account", "amount", "currency"};
	struct json_place member[5];
	json_config_members(p, names, member, 5);
	mapping_config_read_text(&member[0], &ret->transaction_id);
	mapping_config_read_text(&member[1], &ret->source_account);
	mapping_config_read_text(&member[2], &ret->destination_account);
	mapping_config_read_amount(&member[3], extras, &ret->amount);
	read_currency(&member[4], extras, &ret->currency);
	/* The transaction_id is the identity under which a payment is processed once.  With a constant, every payment
	 * after the first would be a duplicate or a conflict, and would not be processed. */
	if (json_config_given(&member[0]) && !*ret->transaction_id.at)
		json_config_complain(&member[0], "at is wanted: a constant would make all transactions one");
	else if (*ret->transaction_id.otherwise)
		json_config_complain(&member[0], "has no otherwise: it would make all transactions without an id one");
}

void mapping_configure(const struct json_place *items, const struct json_place *filter,
	const struct json_place *mapping, const struct currency_extras *extras, struct mapping *ret)
{
	*ret = (struct mapping){.is_canonical = !json_config_given(mapping)};
	if (json_config_given(filter))
		read_filter(filter, ret);
	if (ret->is_canonical && json_config_given(items))
		json_config_complain(items, "has no meaning without a mapping");
	else if (json_config_given(items))
		read_pointer(items, ret->items);
	if (!ret->is_canonical)
		mapping_config_read_members(mapping, extras, ret);
}
