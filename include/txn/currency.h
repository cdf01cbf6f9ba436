#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"

/* The currencies a transaction may be in: the active codes of ISO 4217, and those the operator adds.
 *
 * The ISO table is made at build time from Debian's iso-codes and from our own dated corrections
 * (lib/currency_corrections.json), which also give the minor units that iso-codes lacks. */

#define CURRENCY_CODE_MAX 10  /* letters and digits of a code; ISO's have 3 */
#define CURRENCY_EXTRA_MAX 32 /* codes that an operator can add */

struct currency {
	char code[CURRENCY_CODE_MAX + 1]; /* upper case */
	int minor_unit;                   /* fraction digits: 2 for EUR, 0 for JPY, 3 for BHD */
};

/* What EXTRA_CURRENCIES adds.  All zero: nothing. */
struct currency_extras {
	int count;
	struct currency list[CURRENCY_EXTRA_MAX];
};

/* Reads "USDT:6,BTC:8": codes of 2 to CURRENCY_CODE_MAX letters and digits, minor units 0 to MONEY_FRACTION_MAX; an
 * empty text is no code.  A code that ISO has, or that stands twice, is refused. */
MUST_USE bool currency_read_extras(const char *text, struct currency_extras *ret, struct fault *f);

/* Finds a code in any case.  False: there is no such active currency. */
MUST_USE bool currency_find(const struct currency_extras *extras, const char *code, size_t len, struct currency *ret);

/* The active codes of ISO 4217, sorted. */
const struct currency *currency_all(size_t *ret_count);
