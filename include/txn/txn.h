#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "txn/currency.h"
#include "txn/money.h"

/* A transaction, as a provider reports it in a webhook: one event about money.  Several may be about one payment. */

#define TXN_TEXT_MAX 255 /* bytes of an id or an account, as the API's contract states */

/* What kind of event about a payment.  The words of txn_kind_word() are an interface: they stand in SOURCES_FILE, in
 * the database and in the API. */
enum txn_kind {
	TXN_NO_KIND, /* the source maps none, as the canonical body does */
	TXN_PENDING,
	TXN_AUTHORISED,
	TXN_CAPTURED,
	TXN_CAPTURE_FAILED,
	TXN_CANCELED,
	TXN_EXPIRED,
	TXN_FAILED,
	TXN_REFUNDED,
	TXN_REFUND_FAILED,
	TXN_DISPUTE_NOTICE, /* no money has moved */
	TXN_DISPUTED,
	TXN_DISPUTE_WON,
	TXN_DISPUTE_LOST,
	TXN_PAID_OUT,
	TXN_OTHER,
	TXN_KIND_COUNT
};

/* The word of a kind, such as "captured"; NULL for TXN_NO_KIND. */
const char *txn_kind_word(enum txn_kind kind);

/* A plain value: it is copied with =, and nothing is freed.  All texts end in NUL.  The canonical body sets the first
 * five members, all of them; only a mapping leaves some of them out, or sets the others. */
struct txn {
	char transaction_id[TXN_TEXT_MAX + 1];      /* every text that is not "": see txn_text_valid() */
	char source_account[TXN_TEXT_MAX + 1];      /* "": none */
	char destination_account[TXN_TEXT_MAX + 1]; /* "": none */
	struct money amount;                        /* at most as many decimals as the currency has; digits "": none */
	char currency[CURRENCY_CODE_MAX + 1];       /* upper case; "" if and only if there is no amount */
	char payment_id[TXN_TEXT_MAX + 1];          /* the payment that the event is about; "": none */
	/* The capture, refund or dispute that the amount is about.  "": none, and the transaction_id stands for it. */
	char part[TXN_TEXT_MAX + 1];
	enum txn_kind kind;
	bool is_total;       /* the amount is the sum so far of its kind */
	bool has_occurred;   /* the next member is set */
	int64_t occurred_us; /* microseconds since 1970, UTC */
};

/* Whether both are the same transaction: the amounts are equal by value, the accounts and the currency byte for byte,
 * and none equals none only.  Kind, payment_id and part count where both have one: a transaction that was stored before
 * its source had a mapping for them stays the same.  is_total and occurred_us do not count.  It decides between
 * duplicate and conflict inside a batch; the statement that stores a batch compares in the same way. */
bool txn_same(const struct txn *a, const struct txn *b);

/* Whether a text of len bytes may be an id or an account: 1 to TXN_TEXT_MAX bytes of well-formed UTF-8 without control
 * characters (U+0000 to U+001F, U+007F to U+009F). */
bool txn_text_valid(const char *text, size_t len);
