/* mapping.c - reads a transaction from a provider's own payload, as the source's mapping describes it.
 *
 * Values are taken as the digits and characters that the provider wrote.  No amount passes through a binary number, and
 * a currency is never guessed.  All members are read even after one is wrong, so that one answer lists all problems of
 * an item, in the order of the contract and with pointers into the provider's payload.  The rules themselves are in
 * txn_rules.h, the same for every body.  An amount and its currency are there together, or neither is.  Nothing is
 * allocated, and no state is kept. */

#include "source/mapping.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define PIECE_MAX (3 * TXN_TEXT_MAX) /* bytes of a part of a transaction_id, with each byte percent-encoded */
#define LAST_US 253402300799999999   /* 9999-12-31T23:59:59.999999Z */

/* The state of reading one item. */
struct reading {
	const struct mapping *m;
	struct places in;
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

static bool mapping_is_left_out(const struct places *in, const char *at)
{
	struct json_value v = {0};
	return !place_find(in, at, &v) || filter_leaves_out(&v);
}

const struct mapping *mapping_first(const struct mapping *list, int count, const struct places *in)
{
	struct filter_search s = {.in = in};
	for (int i = 0; i < count; i++) {
		if (filter_holds(&s, list[i].conditions, list[i].condition_count))
			return &list[i];
	}
	return NULL;
}

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

/* The pointer of a problem at a place.  A header's is no pointer into the body. */
static void write_pointer(const struct reading *r, const char *at, char ret[TXN_POINTER_MAX + 1])
{
	if (place_is_in_item(at))
		snprintf(ret, TXN_POINTER_MAX + 1, "%s%s", r->where, at);
	else
		snprintf(ret, TXN_POINTER_MAX + 1, "/@%s", at + 2);
}

/* Finds a string, a whole number, or any number if takes_fractions.  False: the value is absent, too long or of another
 * kind, which has been added to the problems. */
static bool find_scalar(struct reading *r, const char *at, bool takes_fractions, struct scalar *ret)
{
	struct json_value v;
	write_pointer(r, at, ret->pointer);
	const char *name = ret->pointer + 1;
	if (!place_find(&r->in, at, &v)) {
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

/* Cuts a text to what follows the last occurrence of after.  False: it has none, which has been added to the
 * problems. */
static bool cut(struct reading *r, const char *after, struct scalar *found)
{
	char quoted[FAULT_QUOTE_MAX];
	size_t len = strlen(after), at = found->len;
	while (at >= len && memcmp(found->text + at - len, after, len) != 0)
		at--;
	if (at < len) {
		txn_problem_add(r->problems, found->pointer, "text_not_found", "%s has no %s", found->pointer + 1,
			fault_quote(after, len, quoted));
		return false;
	}
	found->len -= at;
	memmove(found->text, found->text + at, found->len);
	return true;
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
	if ((*t->otherwise || t->is_optional) && mapping_is_left_out(&r->in, t->at)) {
		memcpy(ret, t->otherwise, sizeof t->otherwise);
		return;
	}
	if (!find_scalar(r, t->at, false, &found) || (*t->after && !cut(r, t->after, &found)))
		return;
	memcpy(text, t->text, before);
	memcpy(text + before, found.text, found.len);
	/* An empty value is a problem even with a prefix: every payment without a value would get the same text. */
	txn_rule_text(r->problems, found.pointer, text, found.len ? before + found.len : 0, ret);
}

/* Writes a part of a transaction_id and returns its length.  Encoded so, a part has no separator, and each % in it
 * begins a code: what was joined can be taken apart in one way only. */
static size_t encode(const char *part, char separator, char ret[PIECE_MAX])
{
	static const char DIGITS[] = "0123456789ABCDEF";
	size_t len = 0;
	for (; *part; part++) {
		if (*part == '%' || *part == separator) {
			ret[len++] = '%';
			ret[len++] = DIGITS[(unsigned char)*part >> 4];
			ret[len++] = DIGITS[(unsigned char)*part & 15];
		} else {
			ret[len++] = *part;
		}
	}
	return len;
}

/* Reads a part as a text of its own, so that an empty one is a problem of its pointer. */
static bool read_part(struct reading *r, const char *at, struct scalar *found, char ret[TXN_TEXT_MAX + 1])
{
	int before = r->problems->count;
	*ret = '\0';
	if (find_scalar(r, at, false, found))
		txn_rule_text(r->problems, found->pointer, found->text, found->len, ret);
	return r->problems->count == before;
}

/* The length is checked when all parts are joined, since a part may grow when it is encoded. */
static void mapping_read_parts(struct reading *r)
{
	const struct mapping_parts *p = &r->m->parts;
	char text[TXN_TEXT_MAX + MAPPING_PARTS_MAX * (PIECE_MAX + 1)], part[TXN_TEXT_MAX + 1];
	size_t len = strlen(r->m->transaction_id.text);
	struct scalar found;
	int before = r->problems->count;
	memcpy(text, r->m->transaction_id.text, len);
	for (int i = 0; i < p->count; i++) {
		if (i > 0)
			text[len++] = p->separator;
		if (read_part(r, p->at[i], &found, part))
			len += encode(part, p->separator, text + len);
	}
	if (r->problems->count > before)
		return;
	if (len > TXN_TEXT_MAX)
		txn_problem_add(r->problems, found.pointer, "too_long",
			"the transaction_id has %zu bytes with its parts joined, at most %d are taken", len,
			TXN_TEXT_MAX);
	else
		txn_rule_text(r->problems, found.pointer, text, len, r->txn.transaction_id);
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

/* Whether a number without an exponent has a fraction other than ".0", with which some languages write a whole number.  Two
 * zeros are how an amount of major units is written: 15.00 is not taken for 15 cents. */
static bool has_fraction(const struct scalar *found)
{
	const char *point = memchr(found->text, '.', found->len), *end = found->text + found->len;
	bool has_exponent = memchr(found->text, 'e', found->len) || memchr(found->text, 'E', found->len);
	return point && !has_exponent && !(end - point == 2 && point[1] == '0');
}

/* Reads a whole number of minor units, which may be written as 1500.0 or 1.5e3.  The number is checked twice: first as digits
 * alone, which bounds the length for shift(); then as the amount, against the decimals of ISO 4217.  The second check matters
 * where a provider counts in other units: with "ISK": 2, Stripe's 500 is 5.00 and passes, and 501 is 5.01, which does not
 * exist. */
static void read_minor(struct reading *r, const struct scalar *found, size_t sign, const struct currency *currency)
{
	struct money units = {""};
	char text[1 + MONEY_TEXT_MAX + 1] = "-", quoted[FAULT_QUOTE_MAX];
	int before = r->problems->count;
	bool is_fraction = has_fraction(found);
	if (!is_fraction)
		txn_rule_amount(r->problems, found->pointer, found->text, found->len, sign, NULL, &units);
	if (r->problems->count > before)
		return;
	if (is_fraction || money_decimals(&units) > 0) {
		txn_problem_add(r->problems, found->pointer, "not_minor_units",
			"%s should be a whole number of minor units", fault_quote(found->text, found->len, quoted));
		return;
	}
	size_t digits = strcspn(units.digits, ".");
	size_t len = shift(units.digits, digits, minor_unit(&r->m->amount, currency), text + sign);
	txn_rule_amount(r->problems, found->pointer, text, sign + len, sign, currency, &r->txn.amount);
}

/* Whether a number has a minus sign.  Before anything but a digit it is none, and the text is refused as it is. */
static bool has_sign(const struct scalar *found)
{
	return found->len >= 2 && *found->text == '-' && found->text[1] >= '0' && found->text[1] <= '9';
}

/* currency is NULL if it is unknown.  The decimals are then not checked.  An amount in minor units cannot be converted
 * without a currency: only its presence and its type are checked. */
static void mapping_read_amount(struct reading *r, const struct currency *currency)
{
	struct scalar found;
	enum mapping_negative negative = r->m->amount.negative;
	if (!find_scalar(r, r->m->amount.at, true, &found))
		return;
	size_t sign = negative != MAPPING_NEGATIVE_REFUSED && has_sign(&found) ? 1 : 0;
	if (!r->m->amount.is_minor)
		txn_rule_amount(r->problems, found.pointer, found.text, found.len, sign, currency, &r->txn.amount);
	else if (currency)
		read_minor(r, &found, sign, currency);
	if (sign > 0 && negative == MAPPING_NEGATIVE_KEPT)
		money_negate(&r->txn.amount); /* after a problem there are no digits, and nothing changes */
}

/* The currency is read first, because the amount depends on it.  Its problem goes into a list of its own and is added
 * last, so that the problems are in the order of the contract.  Without an amount the currency says nothing and is not
 * read; an amount without a currency is a problem, since nobody knows what it is worth. */
static void mapping_read_money(struct reading *r)
{
	struct scalar found = {.len = 0};
	struct currency currency;
	struct txn_problems aside, *problems = r->problems;
	if (r->m->amount.is_optional && !*r->m->amount.at)
		return; /* the mapping has no amount */
	if (r->m->amount.is_optional && mapping_is_left_out(&r->in, r->m->amount.at))
		return;
	aside.count = 0;
	r->problems = &aside;
	bool is_known = mapping_find_currency(r, &found, &currency);
	r->problems = problems;
	r->txn.is_total = r->m->amount.is_total;
	mapping_read_amount(r, is_known ? &currency : NULL);
	if (is_known)
		memcpy(r->txn.currency, currency.code, sizeof currency.code);
	else if (aside.count > 0)
		problems->list[problems->count++] = aside.list[0];
	else
		txn_rule_no_currency(problems, found.pointer, found.text, found.len);
}

/* A word that the mapping does not list is a problem, unless the mapping has a kind for all others: a guess could count
 * money that did not move. */
static void mapping_read_kind(struct reading *r)
{
	const struct mapping_kind *k = &r->m->kind;
	struct json_value v;
	bool is_there = *k->at && place_find(&r->in, k->at, &v);
	for (int i = 0; is_there && i < k->count; i++) {
		if (filter_is_word(v, k->words[i].word)) {
			r->txn.kind = k->words[i].kind;
			return;
		}
	}
	r->txn.kind = k->otherwise;
	if (!*k->at || k->otherwise != TXN_NO_KIND)
		return;
	char pointer[TXN_POINTER_MAX + 1];
	write_pointer(r, k->at, pointer);
	if (is_there)
		txn_problem_add(r->problems, pointer, "unknown_kind", "%s is none of the words that the mapping lists",
			pointer + 1);
	else
		txn_problem_add(r->problems, pointer, "missing", "%s is missing", pointer + 1);
}

/* Reads seconds or milliseconds since 1970 as digits.  Returns false if there are none, or too many for any year. */
static bool read_count(const struct scalar *found, int64_t unit_us, int64_t *ret)
{
	int64_t number = 0;
	for (size_t i = 0; i < found->len; i++) {
		if (found->text[i] < '0' || found->text[i] > '9' || number > LAST_US / unit_us)
			return false;
		number = number * 10 + (found->text[i] - '0');
	}
	if (found->len == 0 || number > LAST_US / unit_us)
		return false;
	*ret = number * unit_us;
	return true;
}

static bool mapping_read_time(struct scalar *found, enum mapping_time_unit unit, int64_t *ret)
{
	switch (unit) {
	case MAPPING_SECONDS:
		return read_count(found, 1000000, ret);
	case MAPPING_MILLISECONDS:
		return read_count(found, 1000, ret);
	case MAPPING_RFC3339:
		break;
	}
	assert(found->len < sizeof found->text); /* find_scalar() leaves room for a NUL */
	found->text[found->len] = '\0';
	return strlen(found->text) == found->len && clock_read_us(found->text, ret);
}

static void mapping_read_occurred(struct reading *r)
{
	static const char *const WANTED[] = {
		[MAPPING_SECONDS] = "whole seconds since 1970",
		[MAPPING_MILLISECONDS] = "whole milliseconds since 1970",
		[MAPPING_RFC3339] = "a time as 2026-02-19T12:00:00Z is one",
	};
	const struct mapping_time *t = &r->m->occurred;
	struct scalar found;
	int64_t us = 0;
	if (!*t->at || !find_scalar(r, t->at, false, &found))
		return;
	if (!mapping_read_time(&found, t->unit, &us) || us < 0 || us > LAST_US) {
		txn_problem_add(r->problems, found.pointer, "not_a_time", "%s should be %s, in the years 1970 to 9999",
			found.pointer + 1, WANTED[t->unit]);
		return;
	}
	r->txn.has_occurred = true;
	r->txn.occurred_us = us;
}

static void mapping_read_members(struct reading *r)
{
	if (r->m->parts.count > 0)
		mapping_read_parts(r);
	else
		mapping_read_text(r, &r->m->transaction_id, r->txn.transaction_id);
	mapping_read_text(r, &r->m->source_account, r->txn.source_account);
	mapping_read_text(r, &r->m->destination_account, r->txn.destination_account);
	mapping_read_money(r);
	mapping_read_text(r, &r->m->payment_id, r->txn.payment_id);
	mapping_read_kind(r);
	mapping_read_text(r, &r->m->part, r->txn.part);
	mapping_read_occurred(r);
}

bool mapping_read(const struct mapping *m, const struct places *in, const char *where,
	const struct currency_extras *extras, struct txn *ret, struct txn_problems *problems, struct fault *f)
{
	struct reading r = {.m = m, .in = *in, .where = where, .extras = extras, .problems = problems};
	problems->count = 0;
	mapping_read_members(&r);
	if (problems->count > 0)
		return txn_rules_refuse(problems, f);
	*ret = r.txn;
	return true;
}

int mapping_identity(const struct mapping *m, const char *ret[MAPPING_PARTS_MAX])
{
	ret[0] = m->is_canonical ? "/transaction_id" : m->transaction_id.at;
	for (int i = 0; i < m->parts.count; i++)
		ret[i] = m->parts.at[i];
	return m->parts.count > 0 ? m->parts.count : 1;
}
