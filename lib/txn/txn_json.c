/* txn_json.c - reads the body of a webhook into a transaction.
 *
 * json_scan() runs first and alone decides what is JSON.  No parser library is used: json-c 0.16 decodes a character
 * above U+FFFF to U+FFFD if the low bits of its escape look like a surrogate, so that two ids become one.  A parser
 * that builds a tree also keeps neither the digits of a number nor its place.
 *
 * All problems are collected and reported together, so that a sender does not find them one request at a time.  The
 * rules for each member are in txn_rules.c; duplicates and conflicts are found in the database. */

#include "txn/txn_json.h"

#include <string.h>

#include "json/scan.h"
#include "json/value.h"

enum member { TRANSACTION_ID, SOURCE_ACCOUNT, DESTINATION_ACCOUNT, AMOUNT, CURRENCY, MEMBERS };

/* In the order of the contract.  All are members of the top object, and no name needs an escape in a pointer. */
static const char *const POINTERS[MEMBERS] = {
	"/transaction_id", "/source_account", "/destination_account", "/amount", "/currency"};

/* The state of reading one body. */
struct reading {
	struct json_value member[MEMBERS]; /* a missing member has len 0 */
	const struct currency_extras *extras;
	struct txn txn; /* valid after txn_json_read_members() without a problem; see txn_from_json() */
	struct txn_problems *problems;
};

/* The decoded text of a string member.  A string is shorter than its body, so it always fits. */
struct words {
	char text[JSON_TEXT_MAX];
	size_t len;
};

/* Finds all members in one pass.  json_scan() has refused duplicates, so the order of the members does not matter. */
static void find_members(struct reading *r, struct json_value body)
{
	struct json_value name, value;
	for (struct json_walk w = json_walk_into(body); json_walk_next(&w, &name, &value);) {
		for (int i = 0; i < MEMBERS; i++) {
			if (r->member[i].len == 0 && json_value_equals(name, POINTERS[i] + 1))
				r->member[i] = value;
		}
	}
}

static bool is_there(struct reading *r, enum member which)
{
	if (r->member[which].len > 0)
		return true;
	txn_problem_add(r->problems, POINTERS[which], "missing", "%s is missing", POINTERS[which] + 1);
	return false;
}

static void add_type_problem(struct reading *r, enum member which, const char *wanted)
{
	txn_problem_add(r->problems, POINTERS[which], "wrong_type", "%s is %s and should be %s", POINTERS[which] + 1,
		json_kind_name(json_value_kind(r->member[which])), wanted);
}

/* Returns the text of a string member, valid until the next call.  Returns NULL, and has added a problem, if the member
 * is missing, no string, or empty. */
static const struct words *read_string(struct reading *r, enum member which)
{
	static struct words words;
	if (!is_there(r, which))
		return NULL;
	if (!json_value_text(r->member[which], words.text, sizeof words.text, &words.len)) {
		add_type_problem(r, which, "a string");
		return NULL;
	}
	if (words.len == 0)
		txn_problem_add(r->problems, POINTERS[which], "empty", "%s is empty", POINTERS[which] + 1);
	return words.len > 0 ? &words : NULL;
}

static void txn_json_read_text(struct reading *r, enum member which, char ret[TXN_TEXT_MAX + 1])
{
	const struct words *words = read_string(r, which);
	if (words)
		txn_rule_text(r->problems, POINTERS[which], words->text, words->len, ret);
}

/* An amount may be a number or a string of the same form.  The digits of a number are taken from the body itself.
 * currency is NULL if it is unknown. */
static void txn_json_read_amount(struct reading *r, const struct currency *currency)
{
	const char *pointer = POINTERS[AMOUNT];
	struct json_value value = r->member[AMOUNT];
	if (!is_there(r, AMOUNT))
		return;
	if (json_value_kind(value) == JSON_IS_NUMBER) {
		txn_rule_amount(r->problems, pointer, value.at, value.len, 0, currency, &r->txn.amount);
	} else if (json_value_kind(value) == JSON_IS_STRING) {
		const struct words *words = read_string(r, AMOUNT);
		if (words)
			txn_rule_amount(r->problems, pointer, words->text, words->len, 0, currency, &r->txn.amount);
	} else {
		add_type_problem(r, AMOUNT, "a number");
	}
}

/* The currency is looked up before the amount is read, because it limits the decimals.  A problem with the currency
 * itself is added later, in the order of the contract. */
static bool txn_json_find_currency(const struct reading *r, struct currency *ret)
{
	char text[CURRENCY_CODE_MAX + 1];
	size_t len;
	return r->member[CURRENCY].len > 0 && json_value_text(r->member[CURRENCY], text, sizeof text, &len) &&
	       currency_find(r->extras, text, len, ret);
}

static void add_currency_problem(struct reading *r)
{
	const struct words *words = read_string(r, CURRENCY);
	if (words)
		txn_rule_no_currency(r->problems, POINTERS[CURRENCY], words->text, words->len);
}

static void txn_json_read_members(struct reading *r)
{
	struct currency currency;
	bool is_known = txn_json_find_currency(r, &currency);
	txn_json_read_text(r, TRANSACTION_ID, r->txn.transaction_id);
	txn_json_read_text(r, SOURCE_ACCOUNT, r->txn.source_account);
	txn_json_read_text(r, DESTINATION_ACCOUNT, r->txn.destination_account);
	txn_json_read_amount(r, is_known ? &currency : NULL);
	if (is_known)
		memcpy(r->txn.currency, currency.code, sizeof currency.code);
	else
		add_currency_problem(r);
}

bool txn_from_json(const char *text, size_t len, const struct currency_extras *extras, struct txn *ret,
	struct txn_problems *problems, struct fault *f)
{
	/* Each webhook passes here, so no more is written than is read: r.txn is not emptied first, and what only a
	 * mapping sets is neither kept in it nor copied. */
	struct reading r;
	problems->count = 0;
	if (!json_scan(text, len, f))
		return false;
	memset(r.member, 0, sizeof r.member);
	r.extras = extras;
	r.problems = problems;
	find_members(&r, json_value_of(text, len));
	txn_json_read_members(&r);
	if (problems->count > 0)
		return txn_rules_refuse(problems, f);
	memcpy(ret, &r.txn, offsetof(struct txn, payment_id));
	ret->payment_id[0] = ret->part[0] = '\0';
	ret->kind = TXN_NO_KIND;
	ret->is_total = ret->has_occurred = false;
	ret->occurred_us = 0;
	return true;
}
