/* mapping.c - from a processor's own payload to a transaction. */

#include "source/mapping.h"

#include <stdio.h>
#include <string.h>

/* What one reading carries around. */
struct reading {
	const struct mapping *m;
	struct json_value item;
	const char *where;
	const struct currency_extras *extras;
	struct txn_problems *problems;
	struct txn txn;
};

/* A scalar of the payload as text: what a string says, or the digits of a number. */
struct scalar {
	char pointer[TXN_POINTER_MAX + 1]; /* to it, from the top of the body */
	char text[TXN_TEXT_MAX + 1];
	size_t len;
};

/* ---- the filter ---- */

static bool is_word(struct json_value v, const char *word)
{
	if (*v.at == '"')
		return json_value_equals(v, word);
	return strlen(word) == v.len && memcmp(v.at, word, v.len) == 0;
}

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

static bool is_whole(struct json_value v)
{
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9')
			return false;
	}
	return true;
}

/* False: it is not there, or no scalar; the problem has been told. */
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

/* What a processor leaves out when it has nothing to say: a guest's customer, a payer's telephone number. */
static bool is_left_out(const struct reading *r, const char *at)
{
	struct json_value v;
	return !json_value_find(r->item, at, &v) || json_value_kind(v) == JSON_IS_NULL || json_value_equals(v, "");
}

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
	/* A prefix does not make something of nothing. */
	txn_rule_text(r->problems, found.pointer, text, found.len ? before + found.len : 0, ret);
}

/* Before the amount, which it rules.  False: it is no currency, or not there; whether that has been told, ret says. */
static bool mapping_find_currency(struct reading *r, struct scalar *found, struct currency *ret)
{
	const struct mapping_text *t = &r->m->currency;
	if (!*t->at)
		return currency_find(r->extras, t->text, strlen(t->text), ret);
	return find_scalar(r, t->at, false, found) && currency_find(r->extras, found->text, found->len, ret);
}

static int minor_unit(const struct mapping_amount *a, const struct currency *currency)
{
	for (int i = 0; i < a->unit_count; i++) {
		if (strcmp(a->units[i].code, currency->code) == 0)
			return a->units[i].minor_unit;
	}
	return currency->minor_unit;
}

/* "1500" of two decimals is "15.00", "5" is "0.05". */
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

/* currency is NULL when it is not known: then neither decimals nor minor units can be judged. */
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
