/* test_utf8.c - well-formed UTF-8 at the boundaries of each length, and the forms that are not well-formed. */

#include <criterion/criterion.h>
#include <stdarg.h>
#include <string.h>

#include "base/base.h"
#include "base/utf8.h"

static void is_character(const char *bytes)
{
	cr_expect_eq(utf8_length(bytes, strlen(bytes)), strlen(bytes), "%s", bytes);
	for (size_t cut = 0; cut < strlen(bytes); cut++)
		cr_expect_eq(utf8_length(bytes, cut), 0, "%s cut to %zu bytes", bytes, cut);
}

static void is_none(const char *bytes)
{
	cr_expect_eq(utf8_length(bytes, strlen(bytes)), 0, "first byte %02x", (unsigned char)bytes[0]);
}

Test(utf8, knows_the_first_and_the_last_character_of_each_length)
{
	is_character("\x01");
	is_character("\x7f");
	is_character("\xc2\x80");
	is_character("\xdf\xbf");
	is_character("\xe0\xa0\x80");
	is_character("\xed\x9f\xbf");
	is_character("\xee\x80\x80");
	is_character("\xef\xbf\xbf");
	is_character("\xf0\x90\x80\x80");
	is_character("\xf4\x8f\xbf\xbf");
}

Test(utf8, counts_a_nul_as_a_character)
{
	cr_expect_eq(utf8_length("\0x", 2), 1);
}

Test(utf8, refuses_overlong_forms)
{
	is_none("\xc0\x80");
	is_none("\xc1\xbf");
	is_none("\xe0\x9f\xbf");
	is_none("\xf0\x8f\xbf\xbf");
}

Test(utf8, refuses_surrogates)
{
	is_none("\xed\xa0\x80");
	is_none("\xed\xbf\xbf");
}

Test(utf8, knows_whether_all_of_a_text_is_well_formed)
{
	cr_expect(utf8_is_valid("", 0));
	cr_expect(utf8_is_valid("a\0\xc3\xa9", 4));
	cr_expect_not(utf8_is_valid("a\xc3\xa9", 2));
	cr_expect_not(utf8_is_valid("a\xed\xa0\xbd", 4));
	cr_expect_not(utf8_is_valid("\xff"
				    "a",
		2));
}

Test(utf8, refuses_what_lies_above_unicode)
{
	is_none("\xf4\x90\x80\x80");
	is_none("\xf5\x80\x80\x80");
	is_none("\xff");
}

Test(utf8, refuses_a_continuation_where_a_character_should_begin)
{
	is_none("\x80");
	is_none("\xbf\x80");
}

Test(utf8, refuses_a_character_broken_off_by_another)
{
	is_none("\xc3(");
	is_none("\xe2\x82(");
	is_none("\xe2(\xac");
	is_none("\xf0\x9f\x92(");
	is_none("\xf0\x9f(\xa9");
}

Test(utf8, knows_the_control_characters_of_ascii_and_of_unicode)
{
	for (unsigned code = 0; code < 0x100; code++) {
		char text[2] = {(char)code};
		size_t length = 1;
		if (code >= 0x80) {
			text[0] = (char)(0xc0 | code >> 6);
			text[1] = (char)(0x80 | (code & 0x3f));
			length = 2;
		}
		bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
		cr_expect_eq(utf8_is_control(text, length), is_control, "U+%04x", code);
	}
	cr_expect_not(utf8_is_control("\xe2\x80\x8e", 3), "U+200E is a format character");
	cr_expect_not(utf8_is_control("\x9b", 0), "this byte is no character");
}

static void is_whole(const char *text, size_t len)
{
	cr_expect_eq(utf8_whole(text, strlen(text)), len, "%s", text);
}

Test(utf8, leaves_out_the_half_character_at_the_end_of_a_text)
{
	is_whole("", 0);
	is_whole("ab", 2);
	is_whole("a\xc3\xa9", 3);
	is_whole("a\xc3", 1);
	is_whole("a\xe2\x82\xac", 4);
	is_whole("a\xe2\x82", 1);
	is_whole("a\xf0\x9f\x92\xa9", 5);
	is_whole("a\xf0\x9f\x92", 1);
	is_whole("\xf0\x9f\x92", 0);
}

static const char *formatted(size_t size, const char *format, ...) PRINTF_LIKE(2, 3);
static const char *formatted(size_t size, const char *format, ...)
{
	static char ret[32];
	va_list args;
	memset(ret, 'x', sizeof ret);
	va_start(args, format);
	utf8_format(ret, size, format, args);
	va_end(args);
	cr_expect_eq(ret[size], 'x', "written beyond the room");
	return ret;
}

Test(utf8, truncates_a_formatted_text_between_two_characters)
{
	cr_expect_str_eq(formatted(16, "%d %s", 7, "caf\xc3\xa9"), "7 caf\xc3\xa9");
	cr_expect_str_eq(formatted(8, "%d %s", 7, "caf\xc3\xa9"), "7 caf\xc3\xa9");
	cr_expect_str_eq(formatted(7, "%d %s", 7, "caf\xc3\xa9"), "7 caf");
	cr_expect_str_eq(formatted(1, "%s", "a"), "");
	cr_expect_str_eq(formatted(16, "a\xc3"), "a\xc3", "only a truncation removes bytes");
}

static const char *printable(size_t size, const char *text)
{
	static char ret[32];
	memset(ret, 'x', sizeof ret);
	cr_expect_eq(utf8_printable(ret, size, text), ret);
	cr_expect_eq(ret[size], 'x', "written beyond the room");
	return ret;
}

Test(utf8, writes_a_question_mark_for_what_cannot_be_printed)
{
	cr_expect_str_eq(printable(16, "caf\xc3\xa9"), "caf\xc3\xa9");
	cr_expect_str_eq(printable(16, "a\n\x7f\xc2\x9b"
				       "b\xff\xc3"),
		"a???b??");
	cr_expect_str_eq(printable(6, "caf\xc3\xa9"), "caf\xc3\xa9");
	cr_expect_str_eq(printable(5, "caf\xc3\xa9"), "caf");
	cr_expect_str_eq(printable(1, "a"), "");
}

Test(utf8, joins_the_halves_of_utf_16)
{
	cr_expect(utf8_is_first_half(0xd800) && utf8_is_first_half(0xdbff) && utf8_is_second_half(0xdc00) &&
		  utf8_is_second_half(0xdfff));
	cr_expect_not(utf8_is_first_half(0xd7ff) || utf8_is_first_half(0xdc00) || utf8_is_first_half(-1));
	cr_expect_not(utf8_is_second_half(0xdbff) || utf8_is_second_half(0xe000) || utf8_is_second_half(-1));
	cr_expect_eq(utf8_join_halves(0xd800, 0xdc00), 0x10000u);
	cr_expect_eq(utf8_join_halves(0xd83d, 0xde00), 0x1f600u);
	cr_expect_eq(utf8_join_halves(0xdbff, 0xdfff), 0x10ffffu);
}
