/* txn.c - compares transactions, checks their texts, and has the words for the kinds of events.
 *
 * Texts are opaque: they are not normalized, trimmed or case-folded, so two ids are equal only if their bytes are.
 * Control characters are refused in all of them. */

#include "txn/txn.h"

#include <string.h>

#include "base/utf8.h"

static const char *const KIND_WORDS[TXN_KIND_COUNT] = {
	[TXN_PENDING] = "pending",
	[TXN_AUTHORISED] = "authorised",
	[TXN_CAPTURED] = "captured",
	[TXN_CAPTURE_FAILED] = "capture_failed",
	[TXN_CANCELED] = "canceled",
	[TXN_EXPIRED] = "expired",
	[TXN_FAILED] = "failed",
	[TXN_REFUNDED] = "refunded",
	[TXN_REFUND_FAILED] = "refund_failed",
	[TXN_DISPUTE_NOTICE] = "dispute_notice",
	[TXN_DISPUTED] = "disputed",
	[TXN_DISPUTE_WON] = "dispute_won",
	[TXN_DISPUTE_LOST] = "dispute_lost",
	[TXN_PAID_OUT] = "paid_out",
	[TXN_OTHER] = "other",
};

const char *txn_kind_word(enum txn_kind kind)
{
	return KIND_WORDS[kind];
}

/* Texts that are known on both sides and differ. */
static bool differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

/* Two events of a payment may agree in all that was compared before there were kinds.  Where one side knows no kind, it
 * is a transaction from before the source's mapping had one. */
static bool are_of_one_event(const struct txn *a, const struct txn *b)
{
	return (a->kind == b->kind || a->kind == TXN_NO_KIND || b->kind == TXN_NO_KIND) &&
	       !differ(a->payment_id, b->payment_id) && !differ(a->part, b->part);
}

bool txn_same(const struct txn *a, const struct txn *b)
{
	return strcmp(a->transaction_id, b->transaction_id) == 0 && strcmp(a->source_account, b->source_account) == 0 &&
	       strcmp(a->destination_account, b->destination_account) == 0 && money_equal(&a->amount, &b->amount) &&
	       strcmp(a->currency, b->currency) == 0 && are_of_one_event(a, b);
}

bool txn_text_valid(const char *text, size_t len)
{
	if (len == 0 || len > TXN_TEXT_MAX)
		return false;
	for (size_t at = 0; at < len;) {
		size_t length = utf8_length(text + at, len - at);
		if (length == 0 || utf8_is_control(text + at, length))
			return false;
		at += length;
	}
	return true;
}
