#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "txn/currency.h"
#include "txn/money.h"

/* A transaction, as a provider reports it in a webhook. */

#define TXN_TEXT_MAX 255 /* bytes of an id or an account, as the API's contract states */

/* A plain value: it is copied with =, and nothing is freed.  All texts end in NUL. */
struct txn {
	char transaction_id[TXN_TEXT_MAX + 1]; /* this and the accounts: see txn_text_valid() */
	char source_account[TXN_TEXT_MAX + 1];
	char destination_account[TXN_TEXT_MAX + 1];
	struct money amount;                  /* at most as many decimals as the currency has */
	char currency[CURRENCY_CODE_MAX + 1]; /* upper case */
};

/* Whether both are the same transaction: the amounts are equal by value, all other fields byte for byte.  It decides
 * between duplicate and conflict inside a batch; the statement that stores a batch compares in the same way. */
bool txn_same(const struct txn *a, const struct txn *b);

/* Whether a text of len bytes may be an id or an account: 1 to TXN_TEXT_MAX bytes of well-formed UTF-8 without control
 * characters (U+0000 to U+001F, U+007F to U+009F). */
bool txn_text_valid(const char *text, size_t len);
