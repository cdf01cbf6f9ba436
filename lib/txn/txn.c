/* txn.c - compares transactions and checks their texts.
 *
 * Texts are opaque: they are not normalized, trimmed or case-folded, so two ids are equal only if their bytes are.
 * Control characters are refused in all of them. */

#include "txn/txn.h"

#include <string.h>

#include "base/utf8.h"

static const char *const KINDS[TXN_KIND_COUNT] = {
	[TXN_NO_KIND] = "",
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
	return KINDS[kind];
}

enum txn_kind txn_kind_find(const char *word)
{
	int kind = TXN_KIND_COUNT - 1;
	while (kind > TXN_NO_KIND && strcmp(word, KINDS[kind]) != 0)
		kind--;
	return (enum txn_kind)kind;
}

/* Whether both are equal, or one of them is unknown. */
static bool agree(const char *a, const char *b)
{
	return !*a || !*b || strcmp(a, b) == 0;
}

static bool same_amount(const struct money *a, const struct money *b)
{
	if (!*a->digits || !*b->digits)
		return *a->digits == *b->digits;
	return money_equal(a, b);
}

bool txn_same(const struct txn *a, const struct txn *b)
{
	return strcmp(a->transaction_id, b->transaction_id) == 0 && strcmp(a->source_account, b->source_account) == 0 &&
	       strcmp(a->destination_account, b->destination_account) == 0 && same_amount(&a->amount, &b->amount) &&
	       strcmp(a->currency, b->currency) == 0 && agree(a->payment_id, b->payment_id) &&
	       agree(a->part, b->part) && agree(txn_kind_word(a->kind), txn_kind_word(b->kind));
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
