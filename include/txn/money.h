#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* An exact decimal, kept as the digits the sender wrote: "1500.10".  There is no double anywhere. */

#define MONEY_INTEGER_MAX 18 /* integer digits: a quadrillion units to spare, and below 10^18 */
#define MONEY_FRACTION_MAX 8 /* written fraction digits; the finest unit in use is BTC's satoshi */
#define MONEY_TEXT_MAX (MONEY_INTEGER_MAX + 1 + MONEY_FRACTION_MAX)

struct money {
	char digits[MONEY_TEXT_MAX + 1];
};

/* What keeps a text from being an amount; where several do, the first of this list. */
enum money_flaw {
	MONEY_FLAWLESS,
	MONEY_NOT_A_DECIMAL, /* no number in JSON's form */
	MONEY_NEGATIVE,      /* has a minus sign, -0 too */
	MONEY_EXPONENT,
	MONEY_TOO_MANY_DIGITS,
	MONEY_TOO_MANY_DECIMALS, /* for any currency */
};

MUST_USE enum money_flaw money_flaw(const char *text, size_t len);

/* Reads a plain decimal in JSON's number form: no sign, no exponent, no leading zero but "0" itself.  len bytes are
 * read, no NUL is needed.  Faults are FAULT_INPUT and do not quote the text, so that no log holds an amount. */
MUST_USE bool money_parse(const char *text, size_t len, struct money *ret, struct fault *f);

/* Fraction digits that count: "1.50" has one, "1.00" none. */
int money_decimals(const struct money *m);

/* Whether both are the same amount: 1500 is 1500.00. */
bool money_equal(const struct money *a, const struct money *b);
