/* test_txn.c - the rules for a transaction's texts, and when two transactions are the same. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "txn/txn.h"

static const struct txn first = {
	.transaction_id = "txn_1",
	.source_account = "acc_a",
	.destination_account = "acc_b",
	.amount = {"1500"},
	.currency = "INR",
};

Test(txn, is_the_same_when_every_field_is)
{
	struct txn second = first;
	cr_expect(txn_same(&first, &second));
}

Test(txn, is_the_same_when_the_amount_is_written_otherwise)
{
	struct txn second = first;
	second.amount = (struct money){"1500.00"};
	cr_expect(txn_same(&first, &second));
}

Test(txn, differs_when_one_field_does)
{
	struct txn second[5] = {first, first, first, first, first};
	second[0].transaction_id[0] = 'T';
	second[1].source_account[4] = 'b';
	second[2].destination_account[5] = '\0';
	second[2].destination_account[4] = '\0';
	second[3].amount = (struct money){"1500.01"};
	second[4].currency[2] = 'Q';
	for (size_t i = 0; i < COUNT_OF(second); i++)
		cr_expect_not(txn_same(&first, &second[i]), "field %zu", i);
}

Test(txn, without_an_account_or_an_amount_is_the_same_as_without_only)
{
	struct txn second[4] = {first, first, first, first};
	second[0].source_account[0] = '\0';
	second[1].destination_account[0] = '\0';
	second[2].amount.digits[0] = '\0';
	second[3].currency[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(second); i++) {
		struct txn third = second[i];
		cr_expect_not(txn_same(&first, &second[i]), "field %zu", i);
		cr_expect_not(txn_same(&second[i], &first), "field %zu", i);
		cr_expect(txn_same(&second[i], &third), "field %zu", i);
	}
	struct txn zero = first;
	zero.amount = (struct money){"0"};
	cr_expect_not(txn_same(&zero, &second[2]), "nothing is not zero");
}

/* A row that was stored before the operator mapped these members. */
Test(txn, is_the_same_where_only_one_has_a_kind_a_payment_or_a_part)
{
	struct txn second[3] = {first, first, first};
	second[0].kind = TXN_CAPTURED;
	snprintf(second[1].payment_id, sizeof second[1].payment_id, "pi_1");
	snprintf(second[2].part, sizeof second[2].part, "re_1");
	for (size_t i = 0; i < COUNT_OF(second); i++) {
		cr_expect(txn_same(&first, &second[i]), "field %zu", i);
		cr_expect(txn_same(&second[i], &first), "field %zu", i);
	}
	struct txn third[3] = {second[0], second[1], second[2]};
	third[0].kind = TXN_REFUNDED;
	third[1].payment_id[3] = '2';
	third[2].part[3] = '2';
	for (size_t i = 0; i < COUNT_OF(second); i++) {
		struct txn same = third[i];
		cr_expect_not(txn_same(&second[i], &third[i]), "field %zu", i);
		cr_expect(txn_same(&same, &third[i]), "field %zu", i);
	}
}

Test(txn, is_the_same_whenever_it_occurred)
{
	struct txn second = first;
	second.is_total = second.has_occurred = true;
	second.occurred_us = 1771502400000000;
	cr_expect(txn_same(&first, &second));
}

/* The words are an interface: files of operators, rows and clients have them. */
Test(txn, has_a_word_for_each_kind)
{
	static const char *const WORDS[] = {NULL, "pending", "authorised", "captured", "capture_failed", "canceled",
		"expired", "failed", "refunded", "refund_failed", "dispute_notice", "disputed", "dispute_won",
		"dispute_lost", "paid_out", "other"};
	cr_assert_eq(COUNT_OF(WORDS), TXN_KIND_COUNT);
	cr_expect_null(txn_kind_word(TXN_NO_KIND));
	for (int kind = TXN_NO_KIND + 1; kind < TXN_KIND_COUNT; kind++)
		cr_expect_str_eq(txn_kind_word((enum txn_kind)kind), WORDS[kind]);
}

Test(txn, looks_no_further_than_the_end_of_a_text)
{
	struct txn second = first;
	second.transaction_id[100] = 'x';
	cr_expect(txn_same(&first, &second));
}

Test(txn, a_text_may_be_any_utf8_of_1_to_255_bytes)
{
	char text[256];
	memset(text, 'x', sizeof text);
	cr_expect(txn_text_valid("x", 1));
	cr_expect(txn_text_valid(text, 255));
	cr_expect_not(txn_text_valid(text, 256));
	cr_expect_not(txn_text_valid("", 0));
	cr_expect(txn_text_valid(" ", 1));
	cr_expect(txn_text_valid("\xc2\xa0\xe2\x82\xac\xf0\x9f\x92\xa9", 9));
	cr_expect(txn_text_valid("\"\\/'", 4));
}

Test(txn, a_text_holds_no_control_character)
{
	for (unsigned char c = 0; c < 0xa0; c++) {
		char text[4] = {'a', (char)c, 'b'}, two[4] = {'a', (char)0xc2, (char)c, 'b'};
		cr_expect_eq(txn_text_valid(text, 3), c >= 0x20 && c < 0x7f, "byte %02x", c);
		cr_expect_eq(txn_text_valid(two, 4), false, "U+%04x", c);
	}
}

Test(txn, a_text_is_well_formed_utf8)
{
	cr_expect_not(txn_text_valid("a\xc0\xaf", 3));
	cr_expect_not(txn_text_valid("a\xed\xa0\x80", 4));
	cr_expect_not(txn_text_valid("a\xc3", 2));
	cr_expect_not(txn_text_valid("\xff", 1));
}
