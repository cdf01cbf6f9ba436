#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "txn/currency.h"
#include "txn/money.h"

/* A transaction as a processor tells it. */

#define TXN_TEXT_MAX 255 /* bytes of an id or an account; the contract's bound */

struct txn {
	char transaction_id[TXN_TEXT_MAX + 1]; /* 1 to 255 bytes of UTF-8 without control characters, as all three */
	char source_account[TXN_TEXT_MAX + 1];
	char destination_account[TXN_TEXT_MAX + 1];
	struct money amount;
	char currency[CURRENCY_CODE_MAX + 1]; /* upper case */
};

/* Whether both tell the same: every field byte for byte, the amount by value. */
bool txn_same(const struct txn *a, const struct txn *b);

/* Whether a text can be an id or an account: 1 to TXN_TEXT_MAX bytes of well-formed UTF-8, no control character
 * (U+0000 to U+001F, U+007F to U+009F). */
bool txn_text_valid(const char *text, size_t len);
