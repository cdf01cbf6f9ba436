/* money.c - reads and compares exact decimals.
 *
 * An amount stays text from the webhook to the database.  Nothing is converted, rounded or computed here, so no digit
 * can change.  Equality is that of PostgreSQL's numeric, so a webhook is compared in the same way here and with the
 * stored transaction.  Whether an amount has too many decimals for its currency is decided in txn_rules.c. */

#include "txn/money.h"

#include <string.h>

/* The parts of a number in JSON's form. */
struct parts {
	bool is_negative;
	bool has_exponent;
	size_t integers;  /* digits before the point */
	size_t fractions; /* digits after it */
};

/* The number of digits from position at on. */
static size_t digits_at(const char *text, size_t len, size_t at)
{
	size_t count = 0;
	while (at + count < len && text[at + count] >= '0' && text[at + count] <= '9')
		count++;
	return count;
}

static bool is_one_of(const char *text, size_t len, size_t at, char a, char b)
{
	return at < len && (text[at] == a || text[at] == b);
}

/* Splits a number into its parts.  Returns false if the text is not a number in JSON's form. */
static bool split(const char *text, size_t len, struct parts *ret)
{
	size_t at = 0;
	struct parts parts = {0};
	if (is_one_of(text, len, at, '-', '-')) {
		parts.is_negative = true;
		at++;
	}
	parts.integers = digits_at(text, len, at);
	if (parts.integers == 0 || (parts.integers > 1 && text[at] == '0'))
		return false;
	at += parts.integers;
	if (is_one_of(text, len, at, '.', '.')) {
		parts.fractions = digits_at(text, len, at + 1);
		if (parts.fractions == 0)
			return false;
		at += 1 + parts.fractions;
	}
	if (is_one_of(text, len, at, 'e', 'E')) {
		parts.has_exponent = true;
		at++;
		if (is_one_of(text, len, at, '+', '-'))
			at++;
		size_t exponents = digits_at(text, len, at);
		if (exponents == 0)
			return false;
		at += exponents;
	}
	*ret = parts;
	return at == len;
}

enum money_flaw money_flaw(const char *text, size_t len)
{
	struct parts parts;
	if (!split(text, len, &parts))
		return MONEY_NOT_A_DECIMAL;
	if (parts.is_negative)
		return MONEY_NEGATIVE;
	if (parts.has_exponent)
		return MONEY_EXPONENT;
	if (parts.integers > MONEY_INTEGER_MAX)
		return MONEY_TOO_MANY_DIGITS;
	return parts.fractions > MONEY_FRACTION_MAX ? MONEY_TOO_MANY_DECIMALS : MONEY_FLAWLESS;
}

bool money_parse(const char *text, size_t len, struct money *ret, struct fault *f)
{
	switch (money_flaw(text, len)) {
	case MONEY_NOT_A_DECIMAL:
		return fault_set(f, FAULT_INPUT, "an amount is a plain decimal such as 1500.10");
	case MONEY_NEGATIVE:
		return fault_set(f, FAULT_INPUT, "an amount has no minus sign");
	case MONEY_EXPONENT:
		return fault_set(f, FAULT_INPUT, "an amount has no exponent");
	case MONEY_TOO_MANY_DIGITS:
		return fault_set(f, FAULT_INPUT, "an amount has at most %d integer digits", MONEY_INTEGER_MAX);
	case MONEY_TOO_MANY_DECIMALS:
		return fault_set(f, FAULT_INPUT, "an amount has at most %d fraction digits", MONEY_FRACTION_MAX);
	case MONEY_FLAWLESS:
		break;
	}
	memcpy(ret->digits, text, len);
	ret->digits[len] = '\0';
	return true;
}

/* The length without trailing zeros of the fraction, and without the point if no fraction is left. */
static size_t significant_length(const struct money *m)
{
	size_t len = strlen(m->digits);
	if (!memchr(m->digits, '.', len))
		return len;
	while (m->digits[len - 1] == '0')
		len--;
	return m->digits[len - 1] == '.' ? len - 1 : len;
}

int money_decimals(const struct money *m)
{
	size_t len = significant_length(m);
	const char *point = memchr(m->digits, '.', len);
	return point ? (int)(m->digits + len - point - 1) : 0;
}

/* JSON's form has no leading zeros and no plus sign, so the texts of equal amounts differ in trailing zeros only. */
bool money_equal(const struct money *a, const struct money *b)
{
	size_t len = significant_length(a);
	return len == significant_length(b) && memcmp(a->digits, b->digits, len) == 0;
}
