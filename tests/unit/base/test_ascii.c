/* test_ascii.c - digits, letters and white space of ASCII. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/ascii.h"

Test(ascii, reads_hexadecimal_digits_of_either_case)
{
	cr_expect_eq(ascii_hex("0", 1), 0);
	cr_expect_eq(ascii_hex("9aF", 3), 0x9af);
	cr_expect_eq(ascii_hex("fffffff", 7), 0xfffffff);
	static const char *const bad[] = {"g", "G", "/", ":", "@", "`", " ", "-1", "0x", "\xc3\xa9"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect_eq(ascii_hex(bad[i], strlen(bad[i])), -1, "%s", bad[i]);
	cr_expect_eq(ascii_hex("1\0", 2), -1);
}

Test(ascii, prints_what_lies_between_space_and_tilde)
{
	for (int c = 0; c < 256; c++)
		cr_expect_eq(ascii_is_printable((char)c), c >= 0x20 && c <= 0x7e, "%02x", c);
}

Test(ascii, changes_letters_alone_to_lower_case)
{
	char text[] = "AZ az 09 @[`{ \xc3\x89";
	ascii_lower(text);
	cr_expect_str_eq(text, "az az 09 @[`{ \xc3\x89");
}

static void trims(const char *text, size_t len, const char *expected, size_t expected_len)
{
	ascii_trim(&text, &len);
	cr_assert_eq(len, expected_len, "%.*s", (int)len, text);
	cr_expect_arr_eq(text, expected, len + 1);
}

Test(ascii, trims_white_space_at_both_ends_and_no_other_byte)
{
	trims("", 0, "", 0);
	trims(" \t\r\n", 4, " \t\r\n", 0);
	trims("a", 1, "a", 1);
	trims("\n a b\r\n", 7, "a b\r\n", 3);
	trims("a\0\n", 3, "a\0\n", 2);
	trims("\0", 1, "\0", 1);
}
