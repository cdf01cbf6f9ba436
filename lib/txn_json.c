/* txn_json.c - a webhook's body, read into a transaction.
 *
 * json_scan_for() goes first and decides alone what is JSON here: json-c takes NaN, 'single quotes', overlong UTF-8
 * and a member named twice, and cuts a name at \u0000.  What the scanner lets through, both read alike; the fuzz
 * targets hold that.
 *
 * A number's amount is taken from the bytes where the scanner found it, because json-c does not keep all of them: an
 * integer beyond 64 bits it clamps in silence, and -0 it makes 0. */

#include "txn_json.h"

#include <json-c/json.h>
#include <string.h>

#include "json_scan.h"

/* What one reading carries around. */
struct reading {
	const char *text;
	struct json_span amount_at;
	json_object *body;
	const struct currency_extras *extras;
	struct txn txn;
	struct txn_problems *problems;
};

static const char *type_name(json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		return "null";
	case json_type_boolean:
		return "a boolean";
	case json_type_double:
	case json_type_int:
		return "a number";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "an array";
	case json_type_string:
		return "a string";
	}
	return "something else";
}

/* The member a pointer names; they are all at the top, and none has a name to escape. */
static bool find(struct reading *r, const char *pointer, json_object **ret)
{
	if (json_object_object_get_ex(r->body, pointer + 1, ret))
		return true;
	txn_problem_add(r->problems, pointer, "missing", "%s is missing", pointer + 1);
	return false;
}

/* A member that must be a string with something in it. */
static bool find_string(struct reading *r, const char *pointer, const char **ret, size_t *ret_len)
{
	json_object *value;
	if (!find(r, pointer, &value))
		return false;
	if (!json_object_is_type(value, json_type_string)) {
		txn_problem_add(r->problems, pointer, "wrong_type", "%s is %s and should be a string", pointer + 1,
			type_name(value));
		return false;
	}
	*ret = json_object_get_string(value);
	*ret_len = (size_t)json_object_get_string_len(value);
	if (*ret_len == 0)
		txn_problem_add(r->problems, pointer, "empty", "%s is empty", pointer + 1);
	return *ret_len > 0;
}

static void read_text(struct reading *r, const char *pointer, char ret[TXN_TEXT_MAX + 1])
{
	const char *text;
	size_t len;
	if (find_string(r, pointer, &text, &len))
		txn_rule_text(r->problems, pointer, text, len, ret);
}

static void read_amount(struct reading *r, const struct currency *currency)
{
	json_object *value;
	const char *text;
	size_t len;
	if (!find(r, "/amount", &value))
		return;
	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double)) {
		txn_rule_amount(
			r->problems, "/amount", r->text + r->amount_at.at, r->amount_at.len, currency, &r->txn.amount);
	} else if (json_object_is_type(value, json_type_string)) {
		if (find_string(r, "/amount", &text, &len))
			txn_rule_amount(r->problems, "/amount", text, len, currency, &r->txn.amount);
	} else {
		txn_problem_add(
			r->problems, "/amount", "wrong_type", "amount is %s and should be a number", type_name(value));
	}
}

/* Before the amount, which it rules; what is wrong with the currency itself is told behind it. */
static bool find_currency(const struct reading *r, struct currency *ret)
{
	json_object *value;
	return json_object_object_get_ex(r->body, "currency", &value) && json_object_is_type(value, json_type_string) &&
	       currency_find(r->extras, json_object_get_string(value), (size_t)json_object_get_string_len(value), ret);
}

static void tell_currency(struct reading *r)
{
	const char *text;
	size_t len;
	if (find_string(r, "/currency", &text, &len))
		txn_rule_no_currency(r->problems, "/currency", text, len);
}

static void read_members(struct reading *r)
{
	struct currency currency;
	bool is_known = find_currency(r, &currency);
	read_text(r, "/transaction_id", r->txn.transaction_id);
	read_text(r, "/source_account", r->txn.source_account);
	read_text(r, "/destination_account", r->txn.destination_account);
	read_amount(r, is_known ? &currency : NULL);
	if (is_known)
		memcpy(r->txn.currency, currency.code, sizeof currency.code);
	else
		tell_currency(r);
}

static void put(json_object **body)
{
	json_object_put(*body);
}

/* One tokener serves every text, since making one costs as much as reading a small body.  No flags: json-c 0.18's
 * STRICT refuses all that is not ASCII, and the scanner has been stricter already. */
static json_object *parse(const char *text, size_t len)
{
	static json_tokener *tokener;
	if (!tokener)
		tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
	if (!tokener)
		return NULL;
	json_tokener_reset(tokener);
	return json_tokener_parse_ex(tokener, text, (int)len);
}

bool txn_from_json(const char *text, size_t len, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f)
{
	struct reading r = {.text = text, .extras = extras, .problems = problems};
	problems->count = 0;
	if (!json_scan_for(text, len, "amount", &r.amount_at, f))
		return false;
	json_object *body CLEANUP(put) = parse(text, len);
	if (!body)
		return fault_set(f, FAULT_BUSY, "no memory to read the body in");
	r.body = body;
	read_members(&r);
	if (problems->count > 0)
		return txn_rules_refuse(problems, f);
	*ret = r.txn;
	return true;
}
