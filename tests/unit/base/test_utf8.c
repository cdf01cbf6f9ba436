/* test_utf8.c - well-formed UTF-8 at the boundaries of each length, and the forms that are not well-formed. */

#include <criterion/criterion.h>
#include <string.h>

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
