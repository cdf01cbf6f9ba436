#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* The currencies a transaction may use: the active codes of ISO 4217 that have a minor unit, and those an operator
 * adds.
 *
 * The ISO table is generated at build time from Debian's iso-codes and the dated corrections in
 * lib/txn/currency_corrections.json.  The corrections add and withdraw codes, leave out those that nothing is paid in,
 * such as gold and the code for no currency, and give the minor units, which iso-codes lacks. */

#define CURRENCY_CODE_MAX 10  /* characters of a code; those of ISO 4217 have 3 */
#define CURRENCY_EXTRA_MAX 32 /* codes that an operator may add */

struct currency {
	char code[CURRENCY_CODE_MAX + 1]; /* upper case */
	int minor_unit;                   /* digits after the decimal point: 2 for EUR, 0 for JPY, 3 for BHD */
};

/* The currencies of the setting EXTRA_CURRENCIES.  A zeroed struct has none. */
struct currency_extras {
	int count;
	struct currency list[CURRENCY_EXTRA_MAX];
};

/* Reads a list such as "USDT:6,BTC:8": codes of 2 to CURRENCY_CODE_MAX letters and digits, and minor units from 0 to
 * MONEY_FRACTION_MAX.  An empty text is an empty list.  A code of the ISO table, or one that occurs twice, is an error:
 * no setting may change the decimals of a known currency.  The fault is FAULT_INPUT and quotes the entry. */
MUST_USE bool currency_read_extras(const char *text, struct currency_extras *ret, struct fault *f);

/* Finds a code of len bytes, in upper, lower or mixed case; *ret has it in upper case.  Returns false, and leaves *ret
 * alone, if there is no such currency. */
MUST_USE bool currency_find(const struct currency_extras *extras, const char *code, size_t len, struct currency *ret);

/* The ISO table, sorted by code, without the currencies an operator adds. */
const struct currency *currency_all(size_t *ret_count);
