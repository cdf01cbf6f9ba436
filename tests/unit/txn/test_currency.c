/* test_currency.c - the table of active currencies with their minor units, and the operator's additional codes. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "txn/currency.h"

static const struct currency_extras no_extras;

static void has(const char *code, int minor_unit)
{
	struct currency c;
	cr_assert(currency_find(&no_extras, code, strlen(code), &c), "%s is not there", code);
	cr_expect_eq(c.minor_unit, minor_unit, "%s has %d", code, c.minor_unit);
}

static void lacks(const char *code)
{
	struct currency c = {"untouched", 77};
	cr_expect_not(currency_find(&no_extras, code, strlen(code), &c), "%s is there", code);
	cr_expect_eq(c.minor_unit, 77);
}

static void each(const char *codes, void (*check)(const char *code))
{
	char code[4] = "";
	for (; *codes; codes += codes[3] ? 4 : 3) {
		memcpy(code, codes, 3);
		check(code);
	}
}

static void has_0(const char *code)
{
	has(code, 0);
}

static void has_2(const char *code)
{
	has(code, 2);
}

static void has_3(const char *code)
{
	has(code, 3);
}

static void has_4(const char *code)
{
	has(code, 4);
}

static void refuses(const char *text, const char *why)
{
	struct currency_extras extras = {.count = 77};
	struct fault f;
	cr_assert_not(currency_read_extras(text, &extras, &f), "%s was accepted", text);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", text, f.text);
	cr_expect_eq(extras.count, 77);
}

Test(currency, knows_the_active_codes_and_their_minor_units)
{
	each("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", has_0);
	each("AED ARS AUD BRL CAD CHF CNY DKK EUR GBP HUF IDR INR MXN NGN NOK PLN SEK SGD SYP TRY TWD UAH USD ZAR",
		has_2);
	each("BHD IQD JOD KWD LYD OMR TND", has_3);
	each("CLF UYW", has_4);
}

Test(currency, knows_what_came_after_debians_list)
{
	each("SLE VED XAD XCG ZWG", has_2);
}

Test(currency, refuses_what_was_withdrawn)
{
	each("ANG BGN CUC HRK SLL ZWL DEM FRF USS MRO", lacks);
}

Test(currency, refuses_codes_that_nothing_is_paid_in)
{
	each("XXX XTS XAG XAU XPD XPT XBA XBB XBC XBD XDR XSU XUA", lacks);
}

Test(currency, finds_a_code_in_any_case_and_gives_upper_case)
{
	const char *codes[] = {"eur", "Eur", "eUR", "EUR"};
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		struct currency c;
		cr_assert(currency_find(&no_extras, codes[i], 3, &c));
		cr_expect_str_eq(c.code, "EUR");
	}
}

Test(currency, finds_nothing_in_other_texts)
{
	const char *texts[] = {"", "E", "EU", "EURO", " EUR", "EUR ", "E R", "E\xc3\x9cR", "978", "AAA", "ZZZ",
		"\xff\xff\xff", "USDUSDUSDUSD", "U\tD"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		lacks(texts[i]);
	struct currency c;
	cr_expect_not(currency_find(&no_extras, "EU\0", 3, &c));
	cr_expect_not(currency_find(&no_extras, "EUR\0", 4, &c));
}

Test(currency, reads_only_len_bytes)
{
	struct currency c;
	cr_expect(currency_find(&no_extras, "USDT", 3, &c));
	cr_expect_str_eq(c.code, "USD");
}

Test(currency, an_empty_text_adds_nothing)
{
	struct currency_extras extras = {.count = 77};
	struct fault f;
	cr_assert(currency_read_extras("", &extras, &f));
	cr_expect_eq(extras.count, 0);
}

Test(currency, finds_what_the_operator_added)
{
	struct currency_extras extras;
	struct currency c;
	struct fault f;
	cr_assert(currency_read_extras("usdt:6,BTC:8,XAU:4,P2:0,ABCDEFGHI9:1", &extras, &f), "%s", f.text);
	cr_expect_eq(extras.count, 5);
	cr_assert(currency_find(&extras, "UsdT", 4, &c));
	cr_expect_str_eq(c.code, "USDT");
	cr_expect_eq(c.minor_unit, 6);
	cr_assert(currency_find(&extras, "xau", 3, &c));
	cr_expect_eq(c.minor_unit, 4);
	cr_assert(currency_find(&extras, "ABCDEFGHI9", 10, &c));
	cr_expect(currency_find(&extras, "EUR", 3, &c));
	cr_expect_not(currency_find(&extras, "USD1", 4, &c));
}

Test(currency, takes_as_many_as_there_is_room_for)
{
	char text[CURRENCY_EXTRA_MAX * 6 + 7] = "";
	struct currency_extras extras;
	struct fault f;
	for (int i = 0; i < CURRENCY_EXTRA_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%sQ%02d:2", i ? "," : "", i);
	cr_assert(currency_read_extras(text, &extras, &f), "%s", f.text);
	cr_expect_eq(extras.count, CURRENCY_EXTRA_MAX);
	snprintf(text + strlen(text), sizeof text - strlen(text), ",QQ:2");
	refuses(text, "one currency more than 32");
}

Test(currency, refuses_extras_in_another_form)
{
	const char *texts[] = {"BTC", "BTC:", "BTC8", ":8", "BTC:8,", ",BTC:8", "BTC:8,,ETH:8", "BTC:8;ETH:8", " BTC:8",
		"B:8", "ABCDEFGHIJK:8", "B-C:8", "BTC:9", "BTC:-1", "BTC:x", "BTC:10", ",", "B\xc3\x9c:2", "BTC:8 "};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses(texts[i], "");
}

Test(currency, refuses_extras_that_are_there_already)
{
	refuses("eur:3", "already");
	refuses("BTC:8,btc:8", "already");
}

Test(currency, lists_every_code_that_it_would_find)
{
	static const struct currency_extras none;
	struct currency found;
	size_t count;
	const struct currency *all = currency_all(&count);
	cr_assert_gt(count, 150);
	for (size_t i = 0; i < count; i++) {
		cr_assert(currency_find(&none, all[i].code, 3, &found), "%s", all[i].code);
		cr_assert_eq(found.minor_unit, all[i].minor_unit);
	}
}
