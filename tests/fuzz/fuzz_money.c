/* fuzz_money.c - the input as two amounts, one a line: parsing, decimals and equality, compared with integers of 128
 * bits. */

#include <string.h>

#include "fuzz.h"
#include "txn/money.h"

__extension__ typedef unsigned __int128 wide;

/* The amount in units of 10^-8. */
static wide scaled(const struct money *m)
{
	wide value = 0;
	int fractions = -1;
	for (const char *c = m->digits; *c; c++) {
		if (*c == '.') {
			MUST_HOLD(fractions < 0);
			fractions = 0;
			continue;
		}
		MUST_HOLD(*c >= '0' && *c <= '9');
		value = value * 10 + (wide)(*c - '0');
		fractions += fractions >= 0;
	}
	for (int i = fractions < 0 ? 0 : fractions; i < MONEY_FRACTION_MAX; i++)
		value *= 10;
	return value;
}

static int decimals_of(wide value)
{
	int decimals = MONEY_FRACTION_MAX;
	for (; decimals > 0 && value % 10 == 0; value /= 10)
		decimals--;
	return decimals;
}

/* Moves the point by hand: the digits, with as many zeros as the exponent wants, are the value in units of 10^-8. */
static void must_be_worth(const char *text, size_t len, const struct money *m)
{
	wide value = 0;
	int point = 0, exponent = 0, sign = 1;
	bool has_point = false, has_exponent = false;
	for (size_t i = 0; i < len; i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';
		if (is_digit && has_exponent) {
			exponent = exponent < 1000000 ? exponent * 10 + (text[i] - '0') : exponent;
		} else if (is_digit) {
			if (value > (wide)-1 / 16)
				return; /* more digits than can be followed here */
			value = value * 10 + (wide)(text[i] - '0');
			point += has_point;
		} else if (text[i] == '.') {
			has_point = true;
		} else if (text[i] == 'e' || text[i] == 'E') {
			has_exponent = true;
		} else if (text[i] == '-') {
			sign = -1;
		}
	}
	for (int shift = MONEY_FRACTION_MAX - point + sign * exponent; shift != 0 && value != 0;
		shift += shift > 0 ? -1 : 1) {
		MUST_HOLD(shift > 0 ? value <= (wide)-1 / 10 : value % 10 == 0);
		value = shift > 0 ? value * 10 : value / 10;
	}
	MUST_HOLD(value == scaled(m));
}

/* The sign changes no digit, zero has none, and an amount differs from its negative. */
static void must_be_negated(const struct money *m)
{
	struct money negative = *m;
	bool is_zero = scaled(m) == 0;
	money_negate(&negative);
	MUST_HOLD(*negative.digits == (is_zero ? *m->digits : '-'));
	MUST_HOLD(strcmp(negative.digits + !is_zero, m->digits) == 0);
	MUST_HOLD(money_equal(&negative, m) == is_zero && money_equal(&negative, &negative));
	MUST_HOLD(money_decimals(&negative) == money_decimals(m));
}

static bool parse(const char *text, size_t len, struct money *ret)
{
	struct fault f = {FAULT_BUG, ""};
	bool ok = money_parse(text, len, ret, &f);
	MUST_HOLD(ok == (money_flaw(text, len) == MONEY_FLAWLESS));
	if (!ok) {
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0]);
		return false;
	}
	bool is_plain = !memchr(text, 'e', len) && !memchr(text, 'E', len) && len <= MONEY_TEXT_MAX;
	struct money again;
	MUST_HOLD(!is_plain || strlen(ret->digits) == len || text[len - 1] == '0');
	MUST_HOLD(!is_plain || memcmp(ret->digits, text, strlen(ret->digits)) == 0);
	MUST_HOLD(money_parse(ret->digits, strlen(ret->digits), &again, &f) && strcmp(again.digits, ret->digits) == 0);
	must_be_worth(text, len, ret);
	MUST_HOLD(money_decimals(ret) == decimals_of(scaled(ret)));
	must_be_negated(ret);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct money a, b;
	const uint8_t *line = len ? memchr(data, '\n', len) : NULL;
	size_t first = line ? (size_t)(line - data) : len;
	bool has_a = parse((const char *)data, first, &a);
	if (line && parse((const char *)line + 1, len - first - 1, &b) && has_a) {
		MUST_HOLD(money_equal(&a, &b) == (scaled(&a) == scaled(&b)));
		MUST_HOLD(money_equal(&b, &a) == money_equal(&a, &b));
	}
	return 0;
}
