#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* An exact decimal, kept as the digits the sender wrote: "1500.10".  A minus sign, "-1500.10", is that of money_negate() only: a
 * reader that takes amounts below zero takes the sign off before money_parse() and puts it back afterwards.  A number with an exponent, or with more zeros at the end
 * than fit, is kept without them: 1.5e3 as "1500".
 *
 * Floating point is never used for an amount, since 0.1 has no exact double.  PostgreSQL receives the digits and
 * converts them to numeric.  The two bounds are also a constraint of the table, transactions_amount_exact. */

#define MONEY_INTEGER_MAX 18 /* digits before the point: amounts below 10^18 */
#define MONEY_FRACTION_MAX 8 /* digits after the point; the finest unit is 10^-8 BTC */
#define MONEY_TEXT_MAX (1 + MONEY_INTEGER_MAX + 1 + MONEY_FRACTION_MAX) /* the first for a minus sign */

struct money {
	char digits[MONEY_TEXT_MAX + 1]; /* a plain decimal, with a NUL; "" where there is none */
};

/* The reason why a text is not an amount; if there are several, the first in this order. */
enum money_flaw {
	MONEY_FLAWLESS,
	MONEY_NOT_A_DECIMAL,     /* no number in JSON's form (RFC 8259, section 6) */
	MONEY_NEGATIVE,          /* has a minus sign; -0 too */
	MONEY_TOO_MANY_DIGITS,   /* before the point */
	MONEY_TOO_MANY_DECIMALS, /* after the point, whatever the currency; zeros at the end do not count */
};

/* Checks len bytes; no NUL is needed. */
MUST_USE enum money_flaw money_flaw(const char *text, size_t len);

/* Reads a decimal of len bytes: a number in JSON's form without a sign, so "01", ".5" and "5." are errors.  The exponent may
 * have any length.  The currency is not considered.  Faults are FAULT_INPUT and do not quote the text, because amounts must not
 * be logged. */
MUST_USE bool money_parse(const char *text, size_t len, struct money *ret, struct fault *f);

/* Puts a minus sign before an amount that has none, unless it is zero, which has no sign, or has no digits. */
void money_negate(struct money *m);

/* Decimals without trailing zeros: 1 for "1.50", 0 for "1.00". */
int money_decimals(const struct money *m);

/* Whether both are the same amount: 1500 equals 1500.00, and not -1500.  No digits, "", equal no digits only. */
bool money_equal(const struct money *a, const struct money *b);
