/* test_money.c - parsing and comparing exact decimals. */

#include <criterion/criterion.h>
#include <string.h>

#include "txn/money.h"

static struct money amount(const char *text)
{
	struct money m;
	struct fault f;
	cr_assert(money_parse(text, strlen(text), &m, &f), "%s was refused: %s", text, f.text);
	return m;
}

static void keeps(const char *text)
{
	cr_expect_str_eq(amount(text).digits, text);
}

static void refuses(const char *text, enum money_flaw flaw, const char *why)
{
	struct money m = {"untouched"};
	struct fault f;
	cr_expect_eq(money_flaw(text, strlen(text)), flaw, "%s", text);
	cr_assert_not(money_parse(text, strlen(text), &m, &f), "%s was accepted", text);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", text, f.text);
	cr_expect_str_eq(m.digits, "untouched");
}

static void same(const char *a, const char *b, bool wanted)
{
	struct money left = amount(a), right = amount(b);
	cr_expect_eq(money_equal(&left, &right), wanted, "%s and %s", a, b);
	cr_expect_eq(money_equal(&right, &left), wanted, "%s and %s", b, a);
}

Test(money, keeps_every_digit_the_sender_wrote)
{
	keeps("0");
	keeps("0.00");
	keeps("1500");
	keeps("150.50");
	keeps("0.10000000");
	keeps("999999999999999999.99999999");
}

Test(money, reads_len_bytes_and_needs_no_nul)
{
	struct money m;
	struct fault f;
	cr_assert(money_parse("15.005", 4, &m, &f));
	cr_expect_str_eq(m.digits, "15.0");
}

Test(money, refuses_a_minus_sign_before_zero_too)
{
	refuses("-1", MONEY_NEGATIVE, "minus");
	refuses("-0", MONEY_NEGATIVE, "minus");
	refuses("-0.00", MONEY_NEGATIVE, "minus");
	refuses("-1e5", MONEY_NEGATIVE, "minus");
}

static void is_plainly(const char *text, const char *digits)
{
	cr_expect_str_eq(amount(text).digits, digits, "%s is %s", text, amount(text).digits);
}

Test(money, writes_a_number_with_an_exponent_as_a_plain_decimal)
{
	is_plainly("1e5", "100000");
	is_plainly("1E+5", "100000");
	is_plainly("1.5e-1", "0.15");
	is_plainly("100.00e0", "100");
	is_plainly("1.5e3", "1500");
	is_plainly("1.0E7", "10000000");
	is_plainly("12.3456e2", "1234.56");
	is_plainly("1e-8", "0.00000001");
	is_plainly("0.0012e1", "0.012");
	is_plainly("100e-2", "1");
	is_plainly("120e-4", "0.012");
	is_plainly("9.9999999999999999999999999e17", "999999999999999999.99999999");
	is_plainly("0e999999999999999999999999", "0");
	is_plainly("0.000e-99999999999999999999", "0");
	is_plainly("0.00000000000000000000000001e27", "10");
}

Test(money, refuses_an_exponent_by_what_the_value_has)
{
	refuses("1e-9", MONEY_TOO_MANY_DECIMALS, "8");
	refuses("1.5e-8", MONEY_TOO_MANY_DECIMALS, "8");
	refuses("1e18", MONEY_TOO_MANY_DIGITS, "18");
	refuses("1e400", MONEY_TOO_MANY_DIGITS, "18");
	refuses("1e99999999999999999999999999999999999999999999999999", MONEY_TOO_MANY_DIGITS, "18");
	refuses("1e-99999999999999999999999999999999999999999999999999", MONEY_TOO_MANY_DECIMALS, "8");
	refuses("1e9223372036854775808", MONEY_TOO_MANY_DIGITS, "18");
	refuses("1e--5", MONEY_NOT_A_DECIMAL, "plain decimal");
	refuses("1e5.0", MONEY_NOT_A_DECIMAL, "plain decimal");
}

Test(money, refuses_what_is_no_number_in_jsons_form)
{
	const char *texts[] = {"", " ", "+1", ".5", "1.", "01", "00", "-", "1,5", "1 ", " 1", "1e", "1e+", "0x10",
		"NaN", "Infinity", "--1", "1.2.3", "1.-2", "1_000", "abc", "\xd9\xa1", "-01", "1.5e"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses(texts[i], MONEY_NOT_A_DECIMAL, "plain decimal");
}

Test(money, refuses_a_nul_inside)
{
	struct money m;
	struct fault f;
	cr_expect_not(money_parse("1\0", 2, &m, &f));
}

Test(money, refuses_more_than_18_integer_digits)
{
	keeps("100000000000000000");
	refuses("1000000000000000000", MONEY_TOO_MANY_DIGITS, "18");
	refuses("18446744073709551616", MONEY_TOO_MANY_DIGITS, "18");
	refuses("1000000000000000000.123456789", MONEY_TOO_MANY_DIGITS, "18");
}

Test(money, refuses_more_than_8_fraction_digits_that_count)
{
	refuses("0.123456789", MONEY_TOO_MANY_DECIMALS, "8");
	refuses("1.000000001", MONEY_TOO_MANY_DECIMALS, "8");
	is_plainly("1.000000000", "1");
	is_plainly("1500.1000000000000000000000", "1500.1");
	is_plainly("0.0000000000", "0");
}

Test(money, counts_the_decimals_that_count)
{
	const struct {
		const char *text;
		int decimals;
	} cases[] = {{"1", 0}, {"100", 0}, {"1.0", 0}, {"1.00000000", 0}, {"1.50", 1}, {"1.05", 2}, {"0.00000001", 8},
		{"10.010", 2}};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct money m = amount(cases[i].text);
		cr_expect_eq(money_decimals(&m), cases[i].decimals, "%s", cases[i].text);
	}
}

Test(money, compares_by_value)
{
	same("1500", "1500.00", true);
	same("0", "0.00000000", true);
	same("1.5", "1.50", true);
	same("100", "1", false);
	same("100", "10", false);
	same("1.05", "1.5", false);
	same("10", "1.0", false);
	same("999999999999999999", "999999999999999999.00000001", false);
}

static void is_below_zero(const char *text, const char *digits)
{
	struct money m = amount(text);
	money_negate(&m);
	cr_expect_str_eq(m.digits, digits, "%s is %s", text, m.digits);
}

Test(money, puts_a_minus_sign_before_every_digit_but_those_of_zero)
{
	is_below_zero("1500.10", "-1500.10");
	is_below_zero("0.01", "-0.01");
	is_below_zero("1.5e3", "-1500");
	is_below_zero("999999999999999999.99999999", "-999999999999999999.99999999");
	is_below_zero("0", "0");
	is_below_zero("0.00", "0.00");
	struct money none = {""};
	money_negate(&none);
	cr_expect_str_eq(none.digits, "");
}

Test(money, compares_amounts_below_zero_by_value)
{
	struct money a = amount("1.50"), b = amount("1.5"), c = amount("1.50");
	money_negate(&a);
	money_negate(&b);
	cr_expect(money_equal(&a, &b));
	cr_expect_not(money_equal(&a, &c));
	cr_expect_eq(money_decimals(&a), 1);
}

Test(money, does_not_put_the_amount_into_the_fault)
{
	struct money m;
	struct fault f;
	cr_assert_not(money_parse("-31337", 6, &m, &f));
	cr_expect_null(strstr(f.text, "31337"));
}
