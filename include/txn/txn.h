#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "txn/currency.h"
#include "txn/money.h"

/* A transaction, as a provider reports it in a webhook: one event about money. */

#define TXN_TEXT_MAX 255 /* bytes of an id or an account, as the API's contract states */

/* What happened to the payment. */
enum txn_kind {
	TXN_NO_KIND,
	TXN_PENDING,
	TXN_AUTHORISED,
	TXN_CAPTURED,
	TXN_CAPTURE_FAILED,
	TXN_CANCELED,
	TXN_EXPIRED,
	TXN_FAILED,
	TXN_REFUNDED,
	TXN_REFUND_FAILED,
	TXN_DISPUTE_NOTICE, /* no money moved */
	TXN_DISPUTED,
	TXN_DISPUTE_WON,
	TXN_DISPUTE_LOST,
	TXN_PAID_OUT,
	TXN_OTHER,
	TXN_KIND_COUNT
};

/* The word of a kind in configurations, in the database and in answers; "" for TXN_NO_KIND. */
const char *txn_kind_word(enum txn_kind kind);

/* Returns TXN_NO_KIND if the word is none of a kind. */
enum txn_kind txn_kind_find(const char *word);

/* A plain value: it is copied with =, and nothing is freed.  All texts end in NUL.  An empty account, amount or currency
 * means that the event has none; only a mapping that makes it optional yields that. */
struct txn {
	char transaction_id[TXN_TEXT_MAX + 1]; /* this and the accounts: see txn_text_valid() */
	char source_account[TXN_TEXT_MAX + 1];
	char destination_account[TXN_TEXT_MAX + 1];
	struct money amount;                  /* at most as many decimals as the currency has */
	char currency[CURRENCY_CODE_MAX + 1]; /* upper case */

	/* Of an event of a payment; payhook's own body has none of these. */
	char payment_id[TXN_TEXT_MAX + 1]; /* what the event is about; "": unknown */
	char part[TXN_TEXT_MAX + 1];       /* the capture, refund or dispute of the amount; "": the transaction_id */
	enum txn_kind kind;
	bool is_total; /* the amount is the sum so far of its kind */
	bool has_occurred;
	int64_t occurred_us; /* if has_occurred: microseconds since 1970, UTC */
};

/* Whether both are the same transaction: the amounts are equal by value, the accounts and the currency byte for byte.
 * Kind, payment and part are compared where both have one, so that a row stored before the mapping had them is still the
 * same.  It decides between duplicate and conflict inside a batch; the statement that stores a batch compares in the
 * same way. */
bool txn_same(const struct txn *a, const struct txn *b);

/* Whether a text of len bytes may be an id or an account: 1 to TXN_TEXT_MAX bytes of well-formed UTF-8 without control
 * characters (U+0000 to U+001F, U+007F to U+009F). */
bool txn_text_valid(const char *text, size_t len);
