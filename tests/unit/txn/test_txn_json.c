/* test_txn_json.c - reading a transaction from payhook's own JSON format, and the errors for everything else. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/scan.h"
#include "txn/txn_json.h"

static const struct currency_extras extras = {1, {{"BTC", 8}}};

/* A body with one member replaced; value NULL omits the member. */
static void body_with(const char *member, const char *value, char ret[2000])
{
	static const char *const members[][2] = {
		{"transaction_id", "\"txn_1\""},
		{"source_account", "\"acc_a\""},
		{"destination_account", "\"acc_b\""},
		{"amount", "1500.50"},
		{"currency", "\"INR\""},
	};
	size_t at = 0;
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		bool is_replaced = member && strcmp(member, members[i][0]) == 0;
		const char *text = is_replaced ? value : members[i][1];
		if (text)
			at += (size_t)snprintf(ret + at, 2000 - at, "%s\"%s\":%s", at ? "," : "{", members[i][0], text);
	}
	snprintf(ret + at, 2000 - at, "}");
}

static bool read_text(const char *text, struct txn *ret, struct txn_problems *problems, struct fault *f)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	memcpy(copy, text, len);
	bool ok = txn_from_json(copy, len, &extras, ret, problems, f);
	free(copy);
	return ok;
}

static struct txn accepts(const char *text)
{
	struct txn txn;
	struct txn_problems problems = {.count = 77};
	struct fault f = {FAULT_BUG, "untouched"};
	cr_assert(read_text(text, &txn, &problems, &f), "%s: %s", text, f.text);
	cr_expect_eq(problems.count, 0);
	cr_expect_str_eq(f.text, "untouched");
	return txn;
}

static struct txn accepts_member(const char *member, const char *value)
{
	char text[2000];
	body_with(member, value, text);
	return accepts(text);
}

static struct txn_problems refuses(const char *text)
{
	struct txn txn = {.transaction_id = "untouched"}, before = txn;
	struct txn_problems problems;
	struct fault f;
	cr_assert_not(read_text(text, &txn, &problems, &f), "%s was accepted", text);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_arr_eq((const char *)&txn, (const char *)&before, sizeof txn);
	return problems;
}

static void refuses_member(const char *member, const char *value, const char *code, const char *why)
{
	char text[2000];
	body_with(member, value, text);
	struct txn_problems problems = refuses(text);
	cr_assert_eq(problems.count, 1, "%s", text);
	cr_expect_eq(problems.list[0].pointer[0], '/');
	cr_expect_str_eq(problems.list[0].pointer + 1, member);
	cr_expect_str_eq(problems.list[0].code, code, "%s: %s", text, problems.list[0].code);
	cr_expect_not_null(strstr(problems.list[0].detail, why), "%s: %s", text, problems.list[0].detail);
}

static void keeps_amount(const char *value, const char *digits)
{
	struct txn txn = accepts_member("amount", value);
	cr_expect_str_eq(txn.amount.digits, digits);
}

static const char *const texts[] = {"transaction_id", "source_account", "destination_account"};

Test(txn_json, reads_a_transaction)
{
	struct txn txn = accepts("{\"transaction_id\":\"txn_abc123def456\",\"source_account\":\"acc_user_789\","
				 "\"destination_account\":\"acc_merchant_456\",\"amount\":1500,\"currency\":\"INR\"}");
	cr_expect_str_eq(txn.transaction_id, "txn_abc123def456");
	cr_expect_str_eq(txn.source_account, "acc_user_789");
	cr_expect_str_eq(txn.destination_account, "acc_merchant_456");
	cr_expect_str_eq(txn.amount.digits, "1500");
	cr_expect_str_eq(txn.currency, "INR");
}

/* Memory is used again: what a mapping set for the request before does not stay. */
Test(txn_json, is_no_event_about_a_payment)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	memset(&txn, 'x', sizeof txn);
	txn.is_total = txn.has_occurred = true;
	cr_assert(read_text(
		"{\"transaction_id\":\"t\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":1,"
		"\"currency\":\"EUR\",\"payment_id\":\"p\",\"kind\":\"captured\"}",
		&txn, &problems, &f));
	cr_expect_str_eq(txn.payment_id, "");
	cr_expect_str_eq(txn.part, "");
	cr_expect_eq(txn.kind, TXN_NO_KIND);
	cr_expect_not(txn.is_total || txn.has_occurred);
	cr_expect_eq(txn.occurred_us, 0);
	cr_expect_str_eq(txn.currency, "EUR");
}

Test(txn_json, ignores_order_white_space_and_other_members)
{
	struct txn txn = accepts(
		" { \"currency\" : \"EUR\" , \"extra\" : {\"amount\":[-1,{}]} , \"amount\" : 1.5 ,\n"
		"\"destination_account\":\"d\",\"source_account\":\"s\",\"transaction_id\":\"t\",\"note\":null } \r\n");
	cr_expect_str_eq(txn.amount.digits, "1.5");
	cr_expect_str_eq(txn.transaction_id, "t");
}

Test(txn_json, knows_its_members_by_their_names_without_escapes)
{
	struct txn txn =
		accepts("{\"\\u0063urrency\":\"EUR\",\"amoun\\u0074\":1.50,\"destination\\u005faccount\":\"d\","
			"\"source_account\":\"s\",\"transaction_id\":\"t\"}");
	cr_expect_str_eq(txn.amount.digits, "1.50");
}

Test(txn_json, keeps_every_digit_of_the_amount)
{
	keeps_amount("0", "0");
	keeps_amount("0.00", "0.00");
	keeps_amount("1500.10", "1500.10");
	keeps_amount("150.50000000", "150.50000000");
	keeps_amount("999999999999999999.99", "999999999999999999.99");
	keeps_amount("123456789012345678", "123456789012345678");
	keeps_amount("0.30", "0.30");
}

Test(txn_json, takes_an_amount_in_a_string_of_the_same_form)
{
	keeps_amount("\"1500.10\"", "1500.10");
	keeps_amount("\"\\u0031.5\"", "1.5");
	refuses_member("amount", "\" 1\"", "not_a_decimal", "\" 1\"");
	refuses_member("amount", "\"1,5\"", "not_a_decimal", "plain decimal");
	refuses_member("amount", "\"+1\"", "not_a_decimal", "plain decimal");
	refuses_member("amount", "\"01\"", "not_a_decimal", "plain decimal");
	refuses_member("amount", "\"1\\n\"", "not_a_decimal", "\\u000a");
	refuses_member("amount", "\"\"", "empty", "amount is empty");
}

Test(txn_json, refuses_a_negative_amount_and_minus_zero)
{
	refuses_member("amount", "-1", "negative", "\"-1\"");
	refuses_member("amount", "-0", "negative", "\"-0\"");
	refuses_member("amount", "-0.0", "negative", "minus");
	refuses_member("amount", "\"-0\"", "negative", "minus");
	refuses_member("amount", "-99999999999999999999999", "negative", "minus");
}

Test(txn_json, reads_an_exponent_as_an_exact_decimal)
{
	keeps_amount("1e2", "100");
	keeps_amount("1.0E0", "1");
	keeps_amount("\"1e2\"", "100");
	keeps_amount("1.5e3", "1500");
	keeps_amount("1500.0", "1500.0");
	keeps_amount("1.0E7", "10000000");
	keeps_amount("125e-2", "1.25");
	refuses_member("amount", "1e400", "too_many_digits", "\"1e400\"");
	refuses_member("amount", "1e-9", "too_many_decimals", "\"1e-9\"");
	refuses_member("amount", "1255e-3", "too_many_decimals", "3 decimals, INR has 2");
	refuses_member("amount", "-1e2", "negative", "minus");
}

Test(txn_json, refuses_too_many_digits_whatever_they_overflow)
{
	refuses_member("amount", "1000000000000000000", "too_many_digits", "18");
	refuses_member("amount", "9223372036854775808", "too_many_digits", "\"9223372036854775808\"");
	refuses_member("amount", "18446744073709551616", "too_many_digits", "\"18446744073709551616\"");
	refuses_member("amount", "100000000000000000000000000000000000000000000000000000000000000000000000000",
		"too_many_digits", "...\"");
}

Test(txn_json, refuses_more_decimals_than_the_currency_has)
{
	refuses_member("amount", "1.005", "too_many_decimals", "\"1.005\" has 3 decimals, INR has 2");
	refuses_member("amount", "1.000000001", "too_many_decimals", "8 fraction digits");
	keeps_amount("1.000000000", "1");
	keeps_amount("1.500", "1.500");
}

static bool accepts_pair(const char *amount, const char *currency)
{
	char text[500];
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	snprintf(text, sizeof text,
		"{\"transaction_id\":\"t\",\"source_account\":\"s\",\"destination_account\":\"d\",\"amount\":%s,"
		"\"currency\":\"%s\"}",
		amount, currency);
	bool ok = read_text(text, &txn, &problems, &f);
	cr_expect(ok || strcmp(problems.list[0].code, "too_many_decimals") == 0);
	return ok;
}

Test(txn_json, counts_decimals_by_the_currencys_minor_unit)
{
	cr_expect(accepts_pair("1", "JPY"));
	cr_expect(accepts_pair("1.00", "JPY"));
	cr_expect_not(accepts_pair("1.5", "JPY"));
	cr_expect(accepts_pair("1.005", "KWD"));
	cr_expect_not(accepts_pair("1.0005", "KWD"));
	cr_expect(accepts_pair("1.0005", "CLF"));
	cr_expect(accepts_pair("0.00000001", "BTC"));
	cr_expect(accepts_pair("0.00000001", "btc"));
}

Test(txn_json, refuses_a_missing_member)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses_member(texts[i], NULL, "missing", texts[i]);
	refuses_member("amount", NULL, "missing", "amount is missing");
	refuses_member("currency", NULL, "missing", "currency is missing");
}

Test(txn_json, refuses_another_type_and_null_is_one)
{
	const char *values[] = {"null", "true", "false", "0", "1.5", "{}", "[]", "[\"a\"]"};
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		for (size_t t = 0; t < COUNT_OF(texts); t++)
			refuses_member(texts[t], values[i], "wrong_type", "should be a string");
		refuses_member("currency", values[i], "wrong_type", "should be a string");
		if (values[i][0] != '0' && values[i][0] != '1')
			refuses_member("amount", values[i], "wrong_type", "should be a number");
	}
	refuses_member("amount", "null", "wrong_type", "amount is null");
	refuses_member("amount", "{\"value\":1}", "wrong_type", "an object");
}

Test(txn_json, keeps_texts_byte_for_byte)
{
	struct txn txn =
		accepts_member("transaction_id", "\" \\\"\\\\\\/\\u00e9\\ud83d\\udca9\xe2\x82\xac'; DROP TABLE--\"");
	cr_expect_str_eq(txn.transaction_id, " \"\\/\xc3\xa9\xf0\x9f\x92\xa9\xe2\x82\xac'; DROP TABLE--");
}

/* json-c 0.16 takes one escape in thirty-two beyond U+FFFF for half of a pair and replaces it by U+FFFD, in SignWriting
 * and Ethiopic among others. */
Test(txn_json, reads_any_pair_of_escapes_as_the_character_it_is)
{
	static const struct {
		const char *escapes, *bytes;
	} pairs[] = {
		{"\\ud800\\udc00", "\xf0\x90\x80\x80"},
		{"\\ud836\\udc00", "\xf0\x9d\xa0\x80"},
		{"\\ud836\\udc01", "\xf0\x9d\xa0\x81"},
		{"\\uD837\\uDF00", "\xf0\x9d\xbc\x80"},
		{"\\udbb7\\udc0e", "\xf3\xbd\xb0\x8e"},
		{"\\udbff\\udfff", "\xf4\x8f\xbf\xbf"},
	};
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char value[100], wanted[100];
		snprintf(value, sizeof value, "\"%sx\"", pairs[i].escapes);
		snprintf(wanted, sizeof wanted, "%sx", pairs[i].bytes);
		cr_expect_str_eq(accepts_member("transaction_id", value).transaction_id, wanted, "%s", value);
	}
}

Test(txn_json, refuses_empty_texts)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses_member(texts[i], "\"\"", "empty", "is empty");
	refuses_member("currency", "\"\"", "empty", "is empty");
}

Test(txn_json, counts_the_bytes_of_a_text_and_not_its_escapes)
{
	char value[1600] = "\"";
	for (int i = 0; i < 255; i++)
		snprintf(value + strlen(value), sizeof value - strlen(value), "\\u0061");
	size_t len = strlen(value);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		snprintf(value + len, sizeof value - len, "\"");
		accepts_member(texts[i], value);
		snprintf(value + len, sizeof value - len, "b\"");
		refuses_member(texts[i], value, "too_long", "has 256 bytes, at most 255");
	}
}

Test(txn_json, refuses_control_characters_in_texts)
{
	const char *values[] = {"\"a\\nb\"", "\"\\u0001\"", "\"a\x7f\"", "\"\\u0085\"", "\"\xc2\x9f\"", "\"\\u001f\""};
	for (size_t v = 0; v < COUNT_OF(values); v++) {
		for (size_t i = 0; i < COUNT_OF(texts); i++)
			refuses_member(texts[i], values[v], "control_character", "\\u00");
	}
}

Test(txn_json, takes_a_currency_in_any_case_and_keeps_upper_case)
{
	cr_expect_str_eq(accepts_member("currency", "\"eUr\"").currency, "EUR");
	cr_expect_str_eq(accepts_member("currency", "\"btc\"").currency, "BTC");
}

Test(txn_json, refuses_a_currency_that_is_not_active)
{
	refuses_member("currency", "\"XXX\"", "unknown_currency", "\"XXX\" is not an active currency");
	refuses_member("currency", "\"EURO\"", "unknown_currency", "\"EURO\"");
	refuses_member("currency", "\" EUR\"", "unknown_currency", "\" EUR\"");
	refuses_member("currency", "\"E\\nR\"", "unknown_currency", "\\u000a");
	refuses_member("currency", "\"BGN\"", "unknown_currency", "ISO 4217");
}

Test(txn_json, reports_all_problems_at_once_in_the_contracts_order)
{
	struct txn_problems problems =
		refuses("{\"currency\":\"XXX\",\"amount\":-1,\"destination_account\":\"\",\"source_account\":7}");
	const char *wanted[][2] = {{"/transaction_id", "missing"}, {"/source_account", "wrong_type"},
		{"/destination_account", "empty"}, {"/amount", "negative"}, {"/currency", "unknown_currency"}};
	cr_assert_eq(problems.count, 5);
	for (int i = 0; i < 5; i++) {
		cr_expect_str_eq(problems.list[i].pointer, wanted[i][0]);
		cr_expect_str_eq(problems.list[i].code, wanted[i][1]);
	}
	cr_expect_eq(refuses("{}").count, 5);
}

Test(txn_json, judges_decimals_only_when_the_currency_is_known)
{
	struct txn_problems problems =
		refuses("{\"transaction_id\":\"t\",\"source_account\":\"s\",\"destination_account\":\"d\","
			"\"amount\":1.005,\"currency\":\"XXX\"}");
	cr_assert_eq(problems.count, 1);
	cr_expect_str_eq(problems.list[0].pointer, "/currency");
}

Test(txn_json, names_members_and_codes_but_no_values_in_the_fault)
{
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	const char *text =
		"{\"transaction_id\":\"a\\u0085\",\"source_account\":\"b\\u0085\",\"destination_account\":\"c\\u0085\","
		"\"amount\":31337.123456789,\"currency\":\"Euros\"}";
	cr_assert_not(read_text(text, &txn, &problems, &f));
	cr_expect_str_eq(f.text,
		"members break the rules: /transaction_id control_character, /source_account "
		"control_character, /destination_account control_character, /amount too_many_decimals, /currency "
		"unknown_currency");
}

static void is_malformed(const char *text)
{
	struct txn txn = {.transaction_id = "untouched"};
	struct txn_problems problems = {.count = 77};
	struct fault f;
	cr_assert_not(read_text(text, &txn, &problems, &f), "%s was accepted", text);
	cr_expect_eq(f.kind, FAULT_MALFORMED);
	cr_expect_eq(problems.count, 0);
	cr_expect_str_eq(txn.transaction_id, "untouched");
}

Test(txn_json, refuses_a_nul_and_half_of_a_surrogate_pair_and_never_cuts)
{
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		refuses_member(texts[i], "\"a\\u0000b\"", "control_character", "\\u0000");
		refuses_member(texts[i], "\"\\u0000\"", "control_character", "\\u0000");
		refuses_member(texts[i], "\"cut \\ud83d\"", "unpaired_surrogate", "half of a surrogate pair");
		refuses_member(texts[i], "\"\\udca9\\ud83d\"", "unpaired_surrogate", "half of a surrogate pair");
	}
	refuses_member("currency", "\"EUR\\u0000\"", "unknown_currency", "\\u0000");
	refuses_member("currency", "\"EU\\ud83d\"", "unknown_currency", "");
	refuses_member("amount", "\"1\\u0000\"", "not_a_decimal", "\\u0000");
}

Test(txn_json, takes_any_text_of_json_in_a_member_that_is_not_read)
{
	char text[2000];
	struct txn txn;
	struct txn_problems problems;
	struct fault f;
	static const char *const members[] = {"\"description\":\"cut \\ud83d\"", "\"x\":[{\"y\":\"\\u0000\"}]",
		"\"\\u0000\":1,\"\\ud83d\":2,\"\\ud83e\":3", "\"amount\\u0000\":\"no amount\""};
	for (size_t i = 0; i < COUNT_OF(members); i++) {
		body_with(NULL, NULL, text);
		snprintf(strrchr(text, '}'), 200, ",%s}", members[i]);
		cr_expect(read_text(text, &txn, &problems, &f), "%s: %s", text, f.text);
	}
}

Test(txn_json, leaves_what_is_no_json_to_the_scanner)
{
	char text[2000];
	is_malformed("");
	is_malformed("[]");
	is_malformed("null");
	is_malformed("\xef\xbb\xbf{}");
	is_malformed("{\"amount\":1,\"amount\":1}");
	is_malformed("{\"amount\":1,\"\\u0061mount\":1}");
	body_with("amount", "NaN", text);
	is_malformed(text);
	body_with("amount", "01", text);
	is_malformed(text);
	body_with(NULL, NULL, text);
	snprintf(text + strlen(text), 10, " x");
	is_malformed(text);
}

Test(txn_json, refuses_a_body_above_64_kib)
{
	static char text[JSON_TEXT_MAX + 1];
	struct txn txn;
	struct txn_problems problems = {.count = 77};
	struct fault f;
	memset(text, ' ', sizeof text);
	cr_assert_not(txn_from_json(text, sizeof text, &extras, &txn, &problems, &f));
	cr_expect_eq(f.kind, FAULT_TOO_LARGE);
	cr_expect_eq(problems.count, 0);
}

Test(txn_json, reads_one_body_after_another_whatever_came_before)
{
	for (int i = 0; i < 3; i++) {
		is_malformed("{\"a\":[[[");
		refuses("{}");
		accepts_member(NULL, NULL);
	}
}
