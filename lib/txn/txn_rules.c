/* txn_rules.c - the rules for the members of a transaction.
 *
 * Every body format is checked by these functions, so a transaction is valid or invalid whatever provider sends it.  A
 * problem has a code for programs, which is part of the API, and a detail for people, which is not.  Reading the
 * members out of a body is left to txn_json.c and to source/. */

#include "txn/txn_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void txn_problem_add(struct txn_problems *p, const char *pointer, const char *code, const char *format, ...)
{
	if (p->count == TXN_PROBLEMS_MAX)
		return;
	struct txn_problem *one = &p->list[p->count++];
	va_list args;
	snprintf(one->pointer, sizeof one->pointer, "%s", pointer);
	one->code = code;
	va_start(args, format);
	utf8_format(one->detail, sizeof one->detail, format, args);
	va_end(args);
}

void txn_rule_text(
	struct txn_problems *p, const char *pointer, const char *text, size_t len, char ret[TXN_TEXT_MAX + 1])
{
	char quoted[FAULT_QUOTE_MAX];
	if (len == 0) {
		txn_problem_add(p, pointer, "empty", "%s is empty", pointer + 1);
	} else if (len > TXN_TEXT_MAX) {
		txn_problem_add(p, pointer, "too_long", "%s has %zu bytes, at most %d are taken", pointer + 1, len,
			TXN_TEXT_MAX);
	} else if (txn_text_valid(text, len)) {
		memcpy(ret, text, len);
		ret[len] = '\0';
	} else if (utf8_is_valid(text, len)) {
		txn_problem_add(p, pointer, "control_character", "%s holds a control character",
			fault_quote(text, len, quoted));
	} else {
		/* JSON can write half of a surrogate pair, which is no character, and PostgreSQL cannot hold it. */
		txn_problem_add(p, pointer, "unpaired_surrogate", "%s holds half of a surrogate pair",
			fault_quote(text, len, quoted));
	}
}

/* The codes are part of the API: a new one is added to openapi.yaml and docs/api.md. */
static const char *flaw_code(enum money_flaw flaw)
{
	switch (flaw) {
	case MONEY_FLAWLESS:
	case MONEY_NOT_A_DECIMAL:
		break;
	case MONEY_NEGATIVE:
		return "negative";
	case MONEY_TOO_MANY_DIGITS:
		return "too_many_digits";
	case MONEY_TOO_MANY_DECIMALS:
		return "too_many_decimals";
	}
	return "not_a_decimal";
}

void txn_rule_amount(struct txn_problems *p, const char *pointer, const char *text, size_t len, size_t sign,
	const struct currency *currency, struct money *ret)
{
	struct fault f;
	struct money amount;
	char quoted[FAULT_QUOTE_MAX];
	if (!money_parse(text + sign, len - sign, &amount, &f)) {
		txn_problem_add(p, pointer, flaw_code(money_flaw(text + sign, len - sign)), "%s: %s",
			fault_quote(text, len, quoted), f.text);
		return;
	}
	int decimals = money_decimals(&amount);
	if (currency && decimals > currency->minor_unit)
		txn_problem_add(p, pointer, "too_many_decimals", "%s has %d decimals, %s has %d",
			fault_quote(text, len, quoted), decimals, currency->code, currency->minor_unit);
	else
		*ret = amount;
}

void txn_rule_no_currency(struct txn_problems *p, const char *pointer, const char *text, size_t len)
{
	char quoted[FAULT_QUOTE_MAX];
	txn_problem_add(p, pointer, "unknown_currency", "%s is not an active currency of ISO 4217",
		fault_quote(text, len, quoted));
}

bool txn_rules_refuse(const struct txn_problems *p, struct fault *f)
{
	char list[FAULT_TEXT_MAX + 1] = ""; /* fault_set() truncates it */
	size_t len = 0;
	for (int i = 0; i < p->count && len < sizeof list; i++)
		len += (size_t)snprintf(
			list + len, sizeof list - len, "%s%s %s", i ? ", " : "", p->list[i].pointer, p->list[i].code);
	return fault_set(f, FAULT_INPUT, "members break the rules: %s", list);
}

void txn_problems_text(const struct txn_problems *of, const char *code, char *ret, size_t size)
{
	static const char MORE[] = ", ...";
	size_t len = 0;
	snprintf(ret, size, "%s", of && of->count > 0 ? "" : code);
	for (int i = 0; of && i < of->count; i++) {
		char one[TXN_POINTER_MAX + 64];
		int one_len = snprintf(one, sizeof one, "%s%s%s%s", i > 0 ? ", " : "", of->list[i].pointer,
			*of->list[i].pointer ? " " : "", of->list[i].code);
		if (len + (size_t)one_len + sizeof MORE > size) {
			snprintf(ret + len, size - len, "%s", MORE);
			return;
		}
		memcpy(ret + len, one, (size_t)one_len + 1);
		len += (size_t)one_len;
	}
}
