/* txn.c - compares transactions and checks their texts.
 *
 * Texts are opaque: they are not normalized, trimmed or case-folded, so two ids are equal only if their bytes are.
 * Control characters are refused in all of them. */

#include "txn/txn.h"

#include <string.h>

#include "base/utf8.h"

bool txn_same(const struct txn *a, const struct txn *b)
{
	return strcmp(a->transaction_id, b->transaction_id) == 0 && strcmp(a->source_account, b->source_account) == 0 &&
	       strcmp(a->destination_account, b->destination_account) == 0 && money_equal(&a->amount, &b->amount) &&
	       strcmp(a->currency, b->currency) == 0;
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
