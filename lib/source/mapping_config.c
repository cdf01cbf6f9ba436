/* mapping_config.c - reads "filter" and "mapping" of a source from the operator's configuration.
 *
 * A mapping decides which payments are one transaction and how much money an amount is.  A configuration that could
 * make two payments one, or would have to guess a currency, is therefore an error and not a warning.  Reading goes on
 * after a mistake, so that one run reports them all.  Whether a source of Adyen's uses signed fields only is left to
 * sources_read.c. */

#include "source/mapping_config.h"

#include <assert.h>
#include <string.h>

#include "source/place_config.h"

/* A text that becomes part of a transaction: a constant, a prefix, or a replacement. */
static void read_piece(const struct json_place *p, char ret[TXN_TEXT_MAX + 1])
{
	if (json_config_text(p, TXN_TEXT_MAX, ret))
		assert(txn_text_valid(ret, strlen(ret)));
}

/* Reads an optional true or false, which is false if it is absent. */
static bool read_flag(const struct json_place *p)
{
	bool flag = false;
	return json_config_given(p) && json_config_flag(p, &flag) && flag;
}

/* The members of a text.  JOIN and those behind it are of a transaction_id only. */
enum { AT, HEADER, QUERY, PREFIX, AFTER, VALUE, OTHERWISE, OPTIONAL, JOIN, BODY, REQUEST, TEXT_MEMBERS };

static const char *const TEXT_NAMES[TEXT_MEMBERS] = {
	"at", "header", "query", "prefix", "after", "value", "otherwise", "optional", "join", "body", "request"};

/* A constant has nothing but its value. */
static void refuse_beside_value(const struct json_place member[])
{
	static const int others[] = {PREFIX, OTHERWISE, AFTER, OPTIONAL};
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (json_config_given(&member[others[i]]))
			json_config_complain(&member[others[i]], "has no meaning beside value");
	}
}

/* Reads what may stand beside a place. */
static void read_beside_at(const struct json_place member[], struct mapping_text *ret)
{
	if (json_config_given(&member[PREFIX]))
		read_piece(&member[PREFIX], ret->text);
	if (json_config_given(&member[AFTER]) && !json_config_text(&member[AFTER], MAPPING_WORD_MAX, ret->after))
		return;
	if (json_config_given(&member[OTHERWISE]))
		read_piece(&member[OTHERWISE], ret->otherwise);
	ret->is_optional = read_flag(&member[OPTIONAL]);
	if (ret->is_optional && *ret->otherwise)
		json_config_complain(&member[OPTIONAL], "has no meaning beside otherwise");
}

/* {"at": pointer, "prefix": text, "after": text, "otherwise": text, "optional": flag} or {"value": text}; all but at
 * are optional, and {"header": name} or
 * {"query": name} may take the place of at. */
static void mapping_config_read_text(const struct json_place *p, struct mapping_text *ret)
{
	struct json_place member[JOIN];
	struct place_members place = {.at = &member[AT], .header = &member[HEADER], .query = &member[QUERY]};
	if (!json_config_given(p)) {
		json_config_complain(p, "is missing");
		return;
	}
	json_config_members(p, TEXT_NAMES, member, JOIN);
	if (place_given(&place) == json_config_given(&member[VALUE])) {
		json_config_complain(p, "either at or value is wanted");
		return;
	}
	if (json_config_given(&member[VALUE])) {
		read_piece(&member[VALUE], ret->text);
		refuse_beside_value(member);
		return;
	}
	place_configure(&place, ret->at);
	read_beside_at(member, ret);
}

/* The separator is a byte that percent-encoding does not write itself. */
static void read_separator(const struct json_place *p, char *ret)
{
	static const char NONE[] = "%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char text[2];
	if (!json_config_text(p, 1, text))
		return;
	if ((unsigned char)text[0] > 0x7f || strchr(NONE, text[0]))
		json_config_complain(p, "one character of ASCII is wanted, no letter, no digit and no %%");
	else
		*ret = text[0];
}

/* {"at": [pointer, pointer], "join": ":"}; in place of a pointer may stand {"header": name}, {"query": name} or
 * {"body": "sha256"}. */
static void read_parts(const struct json_place member[], struct mapping_parts *ret)
{
	struct json_place at[MAPPING_PARTS_MAX];
	int count = json_config_elements(&member[AT], at, MAPPING_PARTS_MAX);
	for (int i = 0; i < count; i++) {
		place_configure_element(&at[i], ret->at[i]);
		for (int j = 0; j < i; j++) {
			if (*ret->at[i] && strcmp(ret->at[i], ret->at[j]) == 0)
				json_config_complain(&at[i], "stands there already");
		}
	}
	if (count == 1)
		json_config_complain(&member[AT], "has one pointer only, which needs no array");
	ret->count = count;
	read_separator(&member[JOIN], &ret->separator);
	if (json_config_given(&member[AFTER]))
		json_config_complain(&member[AFTER], "has no meaning beside several pointers");
}

static void refuse_beside_parts(const struct json_place *header, const struct json_place *body,
	const struct json_place *request, const struct json_place *query)
{
	const struct json_place *const others[] = {header, body, request, query};
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (json_config_given(others[i]))
			json_config_complain(others[i], "has no meaning beside several places");
	}
}

/* {"at": pointer, "prefix": text, "after": text}, or several pointers and join; in place of at {"header": name},
 * {"body": "sha256"} or {"request": "id"}.  The transaction_id is the identity under which an event is processed once.  With a constant, every event after the first would be a duplicate or a
 * conflict, and would not be processed. */
static void read_identity(const struct json_place *p, struct mapping *ret)
{
	struct json_place member[TEXT_MEMBERS];
	struct place_members place = {&member[AT], &member[HEADER], &member[BODY], &member[REQUEST], &member[QUERY]};
	struct mapping_text *text = &ret->transaction_id;
	if (!json_config_given(p)) {
		json_config_complain(p, "is missing");
		return;
	}
	json_config_members(p, TEXT_NAMES, member, TEXT_MEMBERS);
	if (json_config_given(&member[VALUE]) || !place_given(&place)) {
		json_config_complain(p, "at is wanted: a constant would make all transactions one");
		return;
	}
	if (json_config_given(&member[AT]) && json_value_kind(member[AT].value) == JSON_IS_ARRAY) {
		read_parts(member, &ret->parts);
		refuse_beside_parts(&member[HEADER], &member[BODY], &member[REQUEST], &member[QUERY]);
	} else {
		place_configure(&place, text->at);
		if (json_config_given(&member[JOIN]))
			json_config_complain(&member[JOIN], "has no meaning beside one pointer");
	}
	bool is_made = json_config_given(&member[BODY]) || json_config_given(&member[REQUEST]);
	if (is_made && json_config_given(&member[AFTER]))
		json_config_complain(&member[AFTER], "has no meaning beside body and request");
	read_beside_at(member, text);
	if (*text->otherwise)
		json_config_complain(p, "has no otherwise: it would make all transactions without an id one");
	else if (text->is_optional)
		json_config_complain(p, "is not optional: an event without an id cannot be known again");
}

/* {"at": pointer, "prefix": text, "after": text}: the id of a payment, or of a part of one.  Events with one payment_id
 * are about one payment, so that a constant, or a text in place of one that is left out, would add up what belongs to
 * several. */
static void read_id(const struct json_place *p, struct mapping_text *ret)
{
	if (!json_config_given(p))
		return;
	mapping_config_read_text(p, ret);
	if (!*ret->at && *ret->text)
		json_config_complain(p, "at is wanted: a constant would make all payments one");
	else if (*ret->otherwise)
		json_config_complain(p, "has no otherwise: it would make all payments without an id one");
	else if (ret->is_optional)
		json_config_complain(p, "is not optional: events without it belong to an entry of their own in events");
}

/* {"at": pointer} or {"value": code}.  A constant is checked here, once, against the currencies that are active. */
static void read_currency(const struct json_place *p, const struct currency_extras *extras, struct mapping_text *ret)
{
	struct currency currency;
	mapping_config_read_text(p, ret);
	if (*ret->at && *ret->text)
		json_config_complain(p, "a currency has no prefix");
	else if (*ret->after)
		json_config_complain(p, "a currency has no after");
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

/* {"at": pointer, "unit": "minor", "minor_units": {...}, "total": flag, "optional": flag, "negative": "keep"}.  unit
 * has no default: a wrong guess changes an amount by a factor of a hundred.  Without negative, an amount below zero is
 * refused. */
static void mapping_config_read_amount(
	const struct json_place *p, const struct currency_extras *extras, struct mapping_amount *ret)
{
	static const char *const names[] = {"at", "unit", "minor_units", "total", "optional", "negative"};
	static const char *const units[] = {"major", "minor"}, *const negatives[] = {"absolute", "keep"};
	struct json_place member[6];
	int unit = 0, negative = 0;
	if (!json_config_given(p)) {
		json_config_complain(p, "is missing");
		return;
	}
	json_config_members(p, names, member, 6);
	place_configure_pointer(&member[0], ret->at);
	ret->is_total = read_flag(&member[3]);
	ret->is_optional = read_flag(&member[4]);
	if (json_config_word(&member[1], units, 2, &unit))
		ret->is_minor = unit == 1;
	if (json_config_given(&member[5]) && json_config_word(&member[5], negatives, 2, &negative))
		ret->negative = negative == 0 ? MAPPING_NEGATIVE_ABSOLUTE : MAPPING_NEGATIVE_KEPT;
	if (!json_config_given(&member[2]))
		return;
	if (ret->is_minor)
		read_units(&member[2], extras, ret);
	else
		json_config_complain(&member[2], "has no meaning but for the unit \"minor\"");
}

/* ---- kind and time ---- */

static bool read_kind_word(const struct json_place *p, enum txn_kind *ret)
{
	const char *words[TXN_KIND_COUNT - 1];
	int word;
	for (int i = 0; i < TXN_KIND_COUNT - 1; i++)
		words[i] = txn_kind_word((enum txn_kind)(i + 1));
	if (!json_config_word(p, words, TXN_KIND_COUNT - 1, &word))
		return false;
	*ret = (enum txn_kind)(word + 1);
	return true;
}

/* {"charge.refunded": "refunded", ...}: words of the provider, and the kinds for which they stand.  No word is there
 * twice, since an object with a member twice is no strict JSON. */
static void read_kind_words(const struct json_place *p, struct mapping_kind *ret)
{
	struct json_value name, value;
	int seen = 0;
	if (json_value_kind(p->value) != JSON_IS_OBJECT) {
		json_config_complain(p, "an object is wanted, such as {\"charge.refunded\": \"refunded\"}");
		return;
	}
	for (struct json_walk w = json_walk_into(p->value); json_walk_next(&w, &name, &value); seen++) {
		if (seen == MAPPING_KINDS_MAX) {
			json_config_complain(p, "more than %d words", MAPPING_KINDS_MAX);
			return;
		}
		struct mapping_kind_word *word = &ret->words[ret->count];
		struct json_place key = {.config = p->config, .outer = p->outer, .name = p->name, .value = name};
		struct json_place one = {.config = p->config, .outer = p, .name = word->word, .value = value};
		if (json_config_text(&key, MAPPING_WORD_MAX, word->word) && read_kind_word(&one, &word->kind))
			ret->count++;
	}
	if (seen == 0)
		json_config_complain(p, "is empty");
}

/* {"value": kind}, or {"at": pointer, "words": {word: kind, ...}, "otherwise": kind}; otherwise is optional, and
 * {"header": name} may take the place of at. */
static void read_kind(const struct json_place *p, struct mapping_kind *ret)
{
	static const char *const names[] = {"at", "words", "otherwise", "value", "header", "query"};
	struct json_place member[6];
	struct place_members place = {.at = &member[0], .header = &member[4], .query = &member[5]};
	if (!json_config_given(p))
		return;
	json_config_members(p, names, member, 6);
	const struct json_place *words = &member[1], *otherwise = &member[2], *value = &member[3];
	if (place_given(&place) == json_config_given(value)) {
		json_config_complain(p, "either at or value is wanted");
		return;
	}
	if (json_config_given(value)) {
		for (int i = 1; i <= 2; i++) {
			if (json_config_given(&member[i]))
				json_config_complain(&member[i], "has no meaning beside value");
		}
		(void)read_kind_word(value, &ret->otherwise);
		return;
	}
	place_configure(&place, ret->at);
	if (json_config_given(words))
		read_kind_words(words, ret);
	else
		json_config_complain(words, "is missing");
	if (json_config_given(otherwise))
		(void)read_kind_word(otherwise, &ret->otherwise);
}

/* {"at": pointer, "unit": "s"}.  unit has no default: seconds taken for milliseconds are a time in January 1970. */
static void mapping_config_read_occurred(const struct json_place *p, struct mapping_time *ret)
{
	static const char *const names[] = {"at", "unit"};
	static const char *const units[] = {
		[MAPPING_SECONDS] = "s", [MAPPING_MILLISECONDS] = "ms", [MAPPING_RFC3339] = "rfc3339"};
	struct json_place member[2];
	int unit;
	if (!json_config_given(p))
		return;
	json_config_members(p, names, member, 2);
	place_configure_pointer(&member[0], ret->at);
	if (json_config_word(&member[1], units, COUNT_OF(units), &unit))
		ret->unit = (enum mapping_time_unit)unit;
}

/* ---- the filter ---- */

/* {"at": pointer, "is": [word, ...]}, the words being alternatives; or {"at": pointer, "absent": true}.  {"header": name}
 * may take the place of at. */
static void read_condition(const struct json_place *p, struct mapping_condition *ret)
{
	static const char *const names[] = {"at", "is", "absent", "header", "query"};
	struct json_place member[5], words[MAPPING_WORDS_MAX];
	json_config_members(p, names, member, 5);
	place_configure(&(struct place_members){.at = &member[0], .header = &member[3], .query = &member[4]}, ret->at);
	if (json_config_given(&member[2])) {
		ret->is_absent = read_flag(&member[2]);
		if (json_config_given(&member[1]))
			json_config_complain(&member[1], "has no meaning beside absent");
		else if (!ret->is_absent)
			json_config_complain(&member[2], "true is wanted");
		return;
	}
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

/* An amount is worth nothing without its currency, and a currency says nothing without an amount. */
static void check_money(const struct json_place *currency, const struct mapping *m)
{
	if (*m->currency.at && m->currency.is_optional != m->amount.is_optional)
		json_config_complain(currency, "an amount and its currency are optional together, or neither is");
}

static void mapping_config_read_members(
	const struct json_place *p, const struct currency_extras *extras, bool needs_amount, struct mapping *ret)
{
	enum { ID, SOURCE, DESTINATION, AMOUNT, CURRENCY, PAYMENT, KIND, PART, OCCURRED, MEMBERS };
	static const char *const names[MEMBERS] = {"transaction_id", "source_account", "destination_account", "amount",
		"currency", "payment_id", "kind", "part", "occurred_at"};
	struct json_place member[MEMBERS];
	json_config_members(p, names, member, MEMBERS);
	read_identity(&member[ID], ret);
	mapping_config_read_text(&member[SOURCE], &ret->source_account);
	mapping_config_read_text(&member[DESTINATION], &ret->destination_account);
	if (!needs_amount && !json_config_given(&member[AMOUNT]) && !json_config_given(&member[CURRENCY])) {
		ret->amount.is_optional = true;
	} else {
		mapping_config_read_amount(&member[AMOUNT], extras, &ret->amount);
		read_currency(&member[CURRENCY], extras, &ret->currency);
		check_money(&member[CURRENCY], ret);
	}
	read_id(&member[PAYMENT], &ret->payment_id);
	read_kind(&member[KIND], &ret->kind);
	read_id(&member[PART], &ret->part);
	mapping_config_read_occurred(&member[OCCURRED], &ret->occurred);
}

void mapping_configure(const struct json_place *filter, const struct json_place *mapping,
	const struct currency_extras *extras, bool needs_amount, struct mapping *ret)
{
	memset(ret, 0, sizeof *ret); /* in place: a value of its own would be large on the stack */
	ret->is_canonical = !json_config_given(mapping);
	if (json_config_given(filter))
		read_filter(filter, ret);
	if (!ret->is_canonical)
		mapping_config_read_members(mapping, extras, needs_amount, ret);
}
