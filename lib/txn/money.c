/* money.c - reads and compares exact decimals.
 *
 * An amount stays text from the webhook to the database.  Nothing is rounded, and no binary number is made, so no digit can
 * change: only the point is moved where an exponent says so.  Equality is that of PostgreSQL's numeric, so a webhook is compared in the same way here and with the
 * stored transaction.  Whether an amount has too many decimals for its currency is decided in txn_rules.c. */

#include "txn/money.h"

#include <assert.h>
#include <string.h>

#define EXPONENT_MAX 9999999 /* any beyond it moves the point past every digit of the longest text */

/* The parts of a number in JSON's form. */
struct parts {
	bool is_negative;
	bool has_exponent;
	size_t integers;  /* digits before the point */
	size_t fractions; /* digits after it */
	long exponent;    /* at most EXPONENT_MAX in either direction */
};

/* The digits of a number from the first that is not 0 to the last one, whatever its form. */
struct value {
	long first, last; /* indices of these digits, the point not counted; first > last: the number is 0 */
	long point;       /* index of the digit before which the point is */
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

/* Reads an exponent behind its letter.  Returns the number of bytes; 0: it has no digits. */
static size_t money_read_exponent(const char *text, size_t len, long *ret)
{
	size_t sign = is_one_of(text, len, 0, '+', '-'), digits = digits_at(text, len, sign);
	long exponent = 0;
	for (size_t i = 0; i < digits && exponent <= EXPONENT_MAX; i++)
		exponent = exponent * 10 + (text[sign + i] - '0');
	if (exponent > EXPONENT_MAX)
		exponent = EXPONENT_MAX;
	*ret = sign && text[0] == '-' ? -exponent : exponent;
	return digits > 0 ? sign + digits : 0;
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
		size_t bytes = money_read_exponent(text + at + 1, len - at - 1, &parts.exponent);
		parts.has_exponent = true;
		if (bytes == 0)
			return false;
		at += 1 + bytes;
	}
	*ret = parts;
	return at == len;
}

/* A digit of a number without a sign, by its index. */
static char digit(const char *text, const struct parts *p, long index)
{
	return text[(size_t)index < p->integers ? index : index + 1];
}

static struct value money_value(const char *text, const struct parts *p)
{
	long count = (long)(p->integers + p->fractions);
	struct value v = {0, count - 1, (long)p->integers + p->exponent};
	while (v.first < count && digit(text, p, v.first) == '0')
		v.first++;
	while (v.last > v.first && digit(text, p, v.last) == '0')
		v.last--;
	if (v.first == count)
		v.point = 0;
	return v;
}

/* Whether the digits are kept as they were written: nothing has to be written in another form. */
static bool money_is_kept(const struct parts *p)
{
	return !p->has_exponent && p->fractions <= MONEY_FRACTION_MAX;
}

enum money_flaw money_flaw(const char *text, size_t len)
{
	struct parts parts;
	if (!split(text, len, &parts))
		return MONEY_NOT_A_DECIMAL;
	if (parts.is_negative)
		return MONEY_NEGATIVE;
	struct value v = money_value(text, &parts);
	if (v.first <= v.last && v.point - v.first > MONEY_INTEGER_MAX)
		return MONEY_TOO_MANY_DIGITS;
	return v.first <= v.last && v.last + 1 - v.point > MONEY_FRACTION_MAX ? MONEY_TOO_MANY_DECIMALS
									      : MONEY_FLAWLESS;
}

/* Writes the value without an exponent and without zeros that do not count.  money_flaw() has bounded its length. */
static void write_plain(const char *text, const struct parts *p, char ret[MONEY_TEXT_MAX + 1])
{
	struct value v = money_value(text, p);
	size_t out = 0;
	if (v.first > v.last || v.point <= v.first)
		ret[out++] = '0';
	else
		for (long i = v.first; i < v.point; i++)
			ret[out++] = (char)(i > v.last ? '0' : digit(text, p, i));
	if (v.first <= v.last && v.last >= v.point) {
		ret[out++] = '.';
		for (long i = v.point; i <= v.last; i++)
			ret[out++] = (char)(i < v.first ? '0' : digit(text, p, i));
	}
	ret[out] = '\0';
}

bool money_parse(const char *text, size_t len, struct money *ret, struct fault *f)
{
	struct parts parts;
	switch (money_flaw(text, len)) {
	case MONEY_NOT_A_DECIMAL:
		return fault_set(f, FAULT_INPUT, "an amount is a plain decimal such as 1500.10");
	case MONEY_NEGATIVE:
		return fault_set(f, FAULT_INPUT, "an amount has no minus sign");
	case MONEY_TOO_MANY_DIGITS:
		return fault_set(f, FAULT_INPUT, "an amount has at most %d integer digits", MONEY_INTEGER_MAX);
	case MONEY_TOO_MANY_DECIMALS:
		return fault_set(f, FAULT_INPUT, "an amount has at most %d fraction digits", MONEY_FRACTION_MAX);
	case MONEY_FLAWLESS:
		break;
	}
	if (split(text, len, &parts) && !money_is_kept(&parts)) {
		write_plain(text, &parts, ret->digits);
		return true;
	}
	memcpy(ret->digits, text, len);
	ret->digits[len] = '\0';
	return true;
}

void money_negate(struct money *m)
{
	size_t len = strlen(m->digits);
	if (strspn(m->digits, "0.") == len)
		return;
	assert(*m->digits != '-' && len < MONEY_TEXT_MAX);
	memmove(m->digits + 1, m->digits, len + 1);
	*m->digits = '-';
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

/* JSON's form has no leading zeros and no plus sign, and zero has no minus sign, so the texts of equal amounts differ in trailing zeros only. */
bool money_equal(const struct money *a, const struct money *b)
{
	size_t len = significant_length(a);
	return len == significant_length(b) && memcmp(a->digits, b->digits, len) == 0;
}
