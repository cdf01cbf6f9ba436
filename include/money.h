#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base.h"
#include "fault.h"

/* An exact decimal, kept as the digits the sender wrote: "1500.10".  There is no double anywhere. */

#define MONEY_INTEGER_MAX 18 /* integer digits: a quadrillion units to spare, and below 10^18 */
#define MONEY_FRACTION_MAX 8 /* written fraction digits; the finest unit in use is BTC's satoshi */
#define MONEY_TEXT_MAX (MONEY_INTEGER_MAX + 1 + MONEY_FRACTION_MAX)

struct money {
	char digits[MONEY_TEXT_MAX + 1];
};

/* Reads a plain decimal in JSON's number form: no sign, no exponent, no leading zero but "0" itself.  len bytes are
 * read, no NUL is needed.  Faults are FAULT_INPUT. */
MUST_USE bool money_parse(const char *text, size_t len, struct money *ret, struct fault *f);

/* Fraction digits that count: "1.50" has one, "1.00" none. */
int money_decimals(const struct money *m);

/* Whether both are the same amount: 1500 is 1500.00. */
bool money_equal(const struct money *a, const struct money *b);
