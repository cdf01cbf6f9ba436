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

/* U+0000 to U+001F and U+007F to U+009F.  U+0080 and above take two bytes in UTF-8, c2 80 to c2 9f. */
static bool is_control(const char *text, size_t length)
{
	unsigned char c = (unsigned char)text[0];
	if (length == 1)
		return c < 0x20 || c == 0x7f;
	return length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0;
}

bool txn_text_valid(const char *text, size_t len)
{
	if (len == 0 || len > TXN_TEXT_MAX)
		return false;
	for (size_t at = 0; at < len;) {
		size_t length = utf8_length(text + at, len - at);
		if (length == 0 || is_control(text + at, length))
			return false;
		at += length;
	}
	return true;
}
