/* test_buf.c - the growing buffer: its maximum, its overflow state, and what a reset frees. */

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

Test(buf, an_empty_one_needs_no_memory)
{
	struct buf b = BUF_INIT(10);
	cr_expect(buf_ok(&b));
	cr_expect_null(b.data);
	buf_finish(&b);
	buf_finish(&b);
}

Test(buf, adds_piece_after_piece_and_ends_in_a_nul)
{
	struct buf b = BUF_INIT(1000);
	buf_add_text(&b, "amount ");
	buf_add_format(&b, "%d of %s", 5, "EUR");
	buf_add(&b, "\0!", 2);
	cr_expect(buf_ok(&b));
	cr_expect_eq(b.len, 17);
	cr_expect_arr_eq(b.data, "amount 5 of EUR\0!", 18);
	buf_finish(&b);
}

Test(buf, formats_into_what_is_left_and_past_it)
{
	char expected[1400] = "";
	struct buf b = BUF_INIT(1300);
	for (int i = 0; i < 100; i++) {
		buf_add_format(&b, "%s-%04d,", "number", i);
		snprintf(expected + 12 * i, 13, "number-%04d,", i);
		cr_assert_str_eq(b.data, expected);
	}
	cr_expect(buf_ok(&b));
	buf_add_format(&b, "%200d", 1);
	cr_expect_not(buf_ok(&b));
	cr_expect_str_eq(b.data, expected, "what does not fit leaves nothing behind");
	buf_finish(&b);
}

Test(buf, adds_numbers_in_decimal)
{
	struct buf b = BUF_INIT(100);
	buf_add_number(&b, 0);
	buf_add_text(&b, " ");
	buf_add_number(&b, 1090);
	buf_add_text(&b, " ");
	buf_add_number(&b, SIZE_MAX);
	cr_expect_str_eq(b.data, "0 1090 18446744073709551615");
	buf_finish(&b);
}

Test(buf, adding_nothing_still_gives_a_text)
{
	struct buf b = BUF_INIT(10);
	buf_add(&b, NULL, 0);
	cr_expect_str_eq(b.data, "");
	buf_finish(&b);
}

Test(buf, holds_exactly_its_maximum)
{
	struct buf b = BUF_INIT(5);
	buf_add_text(&b, "12345");
	cr_expect(buf_ok(&b));
	cr_expect_str_eq(b.data, "12345");
	buf_add_text(&b, "6");
	cr_expect_not(buf_ok(&b));
	cr_expect_str_eq(b.data, "12345");
	buf_finish(&b);
}

Test(buf, adds_nothing_more_once_something_did_not_fit)
{
	struct buf b = BUF_INIT(5);
	buf_add_text(&b, "123");
	buf_add_text(&b, "4567");
	buf_add_text(&b, "8");
	buf_add_format(&b, "%d", 9);
	cr_expect_not(buf_ok(&b));
	cr_expect_str_eq(b.data, "123");
	buf_finish(&b);
}

Test(buf, refuses_a_length_that_would_wrap_around)
{
	struct buf b = BUF_INIT(100);
	buf_add_text(&b, "123");
	cr_expect_null(buf_room(&b, SIZE_MAX));
	cr_expect_not(buf_ok(&b));
	buf_finish(&b);
}

Test(buf, grows_past_its_first_size)
{
	struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; i < 100000; i++)
		buf_add(&b, &(char){(char)('a' + i % 26)}, 1);
	cr_expect(buf_ok(&b));
	cr_expect_eq(b.len, 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(b.data[i], 'a' + i % 26);
	buf_finish(&b);
}

Test(buf, room_is_taken_only_when_it_was_used)
{
	struct buf b = BUF_INIT(100);
	char *room = buf_room(&b, 50);
	cr_assert_not_null(room);
	memcpy(room, "abc", 3);
	buf_grown(&b, 3);
	cr_expect_eq(b.len, 3);
	cr_expect_str_eq(b.data, "abc");
	buf_finish(&b);
}

Test(buf, escapes_what_json_asks_to_escape)
{
	struct buf b = BUF_INIT(100);
	buf_add_json(&b, "\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\0.", 15);
	cr_expect_str_eq(b.data, "\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\\u0000.");
	buf_finish(&b);
}

Test(buf, a_reset_forgets_the_overflow_and_keeps_the_memory)
{
	struct buf b = BUF_INIT(5);
	buf_add_text(&b, "123456");
	buf_add_text(&b, "1");
	buf_reset(&b, 1000);
	cr_expect(buf_ok(&b));
	buf_add_text(&b, "12345");
	char *data = b.data;
	buf_reset(&b, 1000);
	cr_expect_eq(b.data, data);
	cr_expect_eq(b.len, 0);
	cr_expect_str_eq(b.data, "");
	buf_finish(&b);
}

Test(buf, a_reset_gives_back_what_a_rare_large_text_took)
{
	struct buf b = BUF_INIT(100000);
	buf_room(&b, 90000);
	buf_reset(&b, 1000);
	cr_expect_eq(b.cap, 0);
	cr_expect_null(b.data);
	cr_expect_eq(b.max, 100000);
	buf_finish(&b);
}
