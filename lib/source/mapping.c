/* mapping.c - reads a transaction from a provider's own payload, as the source's mapping describes it.
 *
 * Values are taken as the digits and characters that the provider wrote.  No amount passes through a binary number, and
 * a currency is never guessed.  All members are read even after one is wrong, so that one answer lists all problems of
 * an item, in the order of the contract and with pointers into the provider's payload.  The rules themselves are in
 * txn_rules.h, the same for every body.  Nothing is allocated, and no state is kept. */

#include "source/mapping.h"

#include <stdio.h>
#include <string.h>

/* The state of reading one item. */
struct reading {
	const struct mapping *m;
	struct json_value item;
	const char *where;
	const struct currency_extras *extras;
	struct txn_problems *problems;
	struct txn txn;
};

/* A scalar of the payload as text: a string with its escapes decoded, or the digits of a number. */
struct scalar {
	char pointer[TXN_POINTER_MAX + 1]; /* from the top of the body to the value */
	char text[TXN_TEXT_MAX + 1];
	size_t len; /* bytes of text, which has no NUL after a number */
};

/* ---- the filter ---- */

/* Compares a number, true and false as they are written.  Null is like an absent member; how an object or an array is
 * written depends on its white space. */
static bool is_word(struct json_value v, const char *word)
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

/* An absent member meets no condition. */
static bool is_met(const struct mapping_condition *c, struct json_value item)
{
	struct json_value v;
	if (!json_value_find(item, c->at, &v))
		return false;
	for (int i = 0; i < c->count; i++) {
		if (is_word(v, c->words[i]))
			return true;
	}
	return false;
}

bool mapping_applies(const struct mapping *m, struct json_value item)
{
	for (int i = 0; i < m->condition_count; i++) {
		if (!is_met(&m->conditions[i], item))
			return false;
	}
	return true;
}

/* ---- the members ---- */

/* Whether a number has digits only.  A number with a point or an exponent is no id: 1.0 and 1e0 would be two texts for
 * one number. */
static bool is_whole(struct json_value v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9')
			return false;
	}
	return true;
}

/* Finds a string, a whole number, or any number if takes_fractions.  False: the value is absent, too long or of another
 * kind, which has been added to the problems. */
static bool find_scalar(struct reading *r, const char *at, bool takes_fractions, struct scalar *ret)
{
	struct json_value v;
	snprintf(ret->pointer, sizeof ret->pointer, "%s%s", r->where, at);
	const char *name = ret->pointer + 1;
	if (!json_value_find(r->item, at, &v)) {
		txn_problem_add(r->problems, ret->pointer, "missing", "%s is missing", name);
		return false;
	}
	enum json_kind kind = json_value_kind(v);
	bool is_number = kind == JSON_IS_NUMBER && (takes_fractions || is_whole(v));
	if (kind != JSON_IS_STRING && !is_number) {
		txn_problem_add(r->problems, ret->pointer, "wrong_type", "%s is %s and should be %s", name,
			json_kind_name(kind), takes_fractions ? "a number" : "a string or a whole number");
		return false;
	}
	ret->len = v.len;
	bool fits = is_number ? v.len < sizeof ret->text : json_value_text(v, ret->text, sizeof ret->text, &ret->len);
	if (!fits)
		txn_problem_add(r->problems, ret->pointer, "too_long", "%s has more than %d bytes", name, TXN_TEXT_MAX);
	else if (is_number)
		memcpy(ret->text, v.at, v.len);
	return fits;
}

/* Whether the member is absent, null or "".  Providers differ in how they write that they have no value, such as the
 * customer of a guest or the telephone number of a payer. */
static bool is_left_out(const struct reading *r, const char *at)
{
	struct json_value v;
	return !json_value_find(r->item, at, &v) || json_value_kind(v) == JSON_IS_NULL || json_value_equals(v, "");
}

/* On failure ret is left alone, and a problem has been added. */
static void mapping_read_text(struct reading *r, const struct mapping_text *t, char ret[TXN_TEXT_MAX + 1])
{
	struct scalar found;
	char text[2 * TXN_TEXT_MAX + 1];
	size_t before = strlen(t->text);
	if (!*t->at) {
		memcpy(ret, t->text, sizeof t->text);
		return;
	}
	if (*t->otherwise && is_left_out(r, t->at)) {
		memcpy(ret, t->otherwise, sizeof t->otherwise);
		return;
	}
	if (!find_scalar(r, t->at, false, &found))
		return;
	memcpy(text, t->text, before);
	memcpy(text + before, found.text, found.len);
	/* An empty value is a problem even with a prefix: every payment without a value would get the same text. */
	txn_rule_text(r->problems, found.pointer, text, found.len ? before + found.len : 0, ret);
}

/* Finds the currency, which must be known before the amount: it determines the decimals.  False: the currency is
 * unknown, or it cannot be read.  Only the second case adds a problem. */
static bool mapping_find_currency(struct reading *r, struct scalar *found, struct currency *ret)
{
	const struct mapping_text *t = &r->m->currency;
	if (!*t->at)
		return currency_find(r->extras, t->text, strlen(t->text), ret);
	return find_scalar(r, t->at, false, found) && currency_find(r->extras, found->text, found->len, ret);
}

/* Decimals of the provider's minor unit: the configured exception, or those of ISO 4217. */
static int minor_unit(const struct mapping_amount *a, const struct currency *currency)
{
	for (int i = 0; i < a->unit_count; i++) {
		if (strcmp(a->units[i].code, currency->code) == 0)
			return a->units[i].minor_unit;
	}
	return currency->minor_unit;
}

/* Inserts a decimal point: "1500" with two decimals becomes "15.00", "5" becomes "0.05".  Returns the length, without a
 * NUL.  digits has at most MONEY_INTEGER_MAX bytes, which read_minor() has checked, so the result fits. */
static size_t shift(const char *digits, size_t len, int decimals, char ret[MONEY_TEXT_MAX + 1])
{
	size_t fraction = (size_t)decimals, out = 0;
	if (fraction == 0) {
		memcpy(ret, digits, len);
		return len;
	}
	if (len <= fraction) {
		ret[out++] = '0';
		ret[out++] = '.';
		for (size_t i = len; i < fraction; i++)
			ret[out++] = '0';
		memcpy(ret + out, digits, len);
		return out + len;
	}
	memcpy(ret, digits, len - fraction);
	out = len - fraction;
	ret[out++] = '.';
	memcpy(ret + out, digits + len - fraction, fraction);
	return out + fraction;
}

/* Reads a whole number of minor units.  The number is checked twice: first as digits alone, which excludes signs and
 * exponents and bounds the length for shift(); then as the amount, against the decimals of ISO 4217.  The second check
 * matters where a provider counts in other units: with "ISK": 2, Stripe's 500 is 5.00 and passes, and 501 is 5.01,
 * which does not exist. */
static void read_minor(struct reading *r, const struct scalar *found, const struct currency *currency)
{
	struct money units;
	char text[MONEY_TEXT_MAX + 1], quoted[FAULT_QUOTE_MAX];
	int before = r->problems->count;
	if (memchr(found->text, '.', found->len)) {
		txn_problem_add(r->problems, found->pointer, "not_minor_units",
			"%s has a point, and should be a whole number of minor units",
			fault_quote(found->text, found->len, quoted));
		return;
	}
	txn_rule_amount(r->problems, found->pointer, found->text, found->len, NULL, &units);
	if (r->problems->count > before)
		return;
	size_t len = shift(found->text, found->len, minor_unit(&r->m->amount, currency), text);
	txn_rule_amount(r->problems, found->pointer, text, len, currency, &r->txn.amount);
}

/* currency is NULL if it is unknown.  The decimals are then not checked.  An amount in minor units cannot be converted
 * without a currency: only its presence and its type are checked. */
static void mapping_read_amount(struct reading *r, const struct currency *currency)
{
	struct scalar found;
	if (!find_scalar(r, r->m->amount.at, true, &found))
		return;
	if (!r->m->amount.is_minor)
		txn_rule_amount(r->problems, found.pointer, found.text, found.len, currency, &r->txn.amount);
	else if (currency)
		read_minor(r, &found, currency);
}

/* The currency is read first, because the amount depends on it.  Its problem goes into a list of its own and is added
 * last, so that the problems are in the order of the contract. */
static void mapping_read_members(struct reading *r)
{
	struct scalar found = {.len = 0};
	struct currency currency;
	struct txn_problems aside = {.count = 0}, *problems = r->problems;
	r->problems = &aside;
	bool is_known = mapping_find_currency(r, &found, &currency);
	r->problems = problems;
	mapping_read_text(r, &r->m->transaction_id, r->txn.transaction_id);
	mapping_read_text(r, &r->m->source_account, r->txn.source_account);
	mapping_read_text(r, &r->m->destination_account, r->txn.destination_account);
	mapping_read_amount(r, is_known ? &currency : NULL);
	if (is_known)
		memcpy(r->txn.currency, currency.code, sizeof currency.code);
	else if (aside.count > 0)
		problems->list[problems->count++] = aside.list[0];
	else
		txn_rule_no_currency(problems, found.pointer, found.text, found.len);
}

bool mapping_read(const struct mapping *m, struct json_value item, const char *where,
	const struct currency_extras *extras, struct txn *ret, struct txn_problems *problems, struct fault *f)
{
	struct reading r = {.m = m, .item = item, .where = where, .extras = extras, .problems = problems};
	problems->count = 0;
	mapping_read_members(&r);
	if (problems->count > 0)
		return txn_rules_refuse(problems, f);
	*ret = r.txn;
	return true;
}
