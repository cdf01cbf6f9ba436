/* test_mapping.c - providers' payloads, read by mappings into transactions. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/scan.h"
#include "source/sources_read.h"

static const struct currency_extras extras = {1, {{"BTC", 8}}};
static struct sources sources;

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	cr_assert_fail("%s", complaint);
}

/* The members of a source besides its name and scheme. */
static const struct mapping *configured(const char *members)
{
	char text[4000];
	struct sources_outside outside = {.file = "sources.json", .extras = &extras, .report = report};
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\",%s}]}", members);
	cr_assert_lt(len, (int)sizeof text);
	sources_finish(&sources);
	cr_assert(sources_read(text, (size_t)len, &outside, &sources));
	return &sources.list[0].mappings[0];
}

/* Most of the tested mappings differ from this one in one member only. */
static const struct mapping *mapping_with(const char *id, const char *account, const char *amount, const char *currency)
{
	char members[2000];
	snprintf(members, sizeof members,
		"\"mapping\":{\"transaction_id\":%s,\"source_account\":%s,\"destination_account\":{\"value\":\"acc_us\"},"
		"\"amount\":%s,\"currency\":%s}",
		id ? id : "{\"at\":\"/id\"}", account ? account : "{\"at\":\"/from\"}",
		amount ? amount : "{\"at\":\"/amount\",\"unit\":\"minor\"}",
		currency ? currency : "{\"at\":\"/currency\"}");
	return configured(members);
}

static struct txn_problems problems;

static bool reads(const struct mapping *m, const char *payload, struct txn *ret)
{
	struct fault f;
	size_t len = strlen(payload);
	char *copy = malloc(len);
	memcpy(copy, payload, len);
	cr_assert(json_scan(copy, len, &f), "%s: %s", payload, f.text);
	bool ok = mapping_read(m, &(struct places){.item = json_value_of(copy, len)}, "", &extras, ret, &problems, &f);
	cr_expect(ok || f.kind == FAULT_INPUT);
	free(copy);
	return ok;
}

static struct txn takes(const struct mapping *m, const char *payload)
{
	struct txn txn;
	cr_assert(reads(m, payload, &txn), "%s: %s", payload, problems.list[0].detail);
	return txn;
}

static void refuses(const struct mapping *m, const char *payload, const char *pointer, const char *code)
{
	struct txn txn = {.transaction_id = "untouched"}, before = txn;
	cr_assert_not(reads(m, payload, &txn), "%s was taken", payload);
	cr_expect_arr_eq((const char *)&txn, (const char *)&before, sizeof txn);
	cr_expect_eq(problems.count, 1, "%s: %d problems", payload, problems.count);
	cr_expect_str_eq(problems.list[0].pointer, pointer);
	cr_expect_str_eq(problems.list[0].code, code, "%s: %s", payload, problems.list[0].code);
}

#define PAYLOAD(amount, currency) "{\"id\":\"p1\",\"from\":\"c1\",\"amount\":" amount ",\"currency\":\"" currency "\"}"

Test(mapping, reads_a_payload_by_its_pointers)
{
	struct txn txn = takes(mapping_with(NULL, NULL, NULL, NULL), PAYLOAD("150050", "inr"));
	cr_expect_str_eq(txn.transaction_id, "p1");
	cr_expect_str_eq(txn.source_account, "c1");
	cr_expect_str_eq(txn.destination_account, "acc_us");
	cr_expect_str_eq(txn.amount.digits, "1500.50");
	cr_expect_str_eq(txn.currency, "INR");
}

static void is_worth(const char *amount, const char *currency, const char *digits)
{
	char payload[200];
	snprintf(payload, sizeof payload, PAYLOAD("%s", "%s"), amount, currency);
	struct txn txn = takes(mapping_with(NULL, NULL, NULL, NULL), payload);
	cr_expect_str_eq(txn.amount.digits, digits, "%s %s is %s", amount, currency, txn.amount.digits);
}

Test(mapping, knows_the_minor_unit_of_each_currency)
{
	is_worth("0", "USD", "0.00");
	is_worth("5", "USD", "0.05");
	is_worth("50", "USD", "0.50");
	is_worth("500", "USD", "5.00");
	is_worth("5", "JPY", "5");
	is_worth("5", "KWD", "0.005");
	is_worth("12345", "KWD", "12.345");
	is_worth("1", "btc", "0.00000001");
	is_worth("\"1500\"", "EUR", "15.00");
	is_worth("1500.0", "EUR", "15.00");
	is_worth("1.5e3", "EUR", "15.00");
	is_worth("1.0E7", "JPY", "10000000");
	is_worth("1500.0", "JPY", "1500");
	is_worth("0.0", "EUR", "0.00");
	is_worth("123456789012345678", "EUR", "1234567890123456.78");
	is_worth("123456789012345678", "JPY", "123456789012345678");
}

struct signed_case {
	const char *unit, *amount, *worth; /* worth NULL: refused as code */
	const char *code;
};

static void reads_signed(const char *negative, const struct signed_case *c)
{
	char amount[120], payload[200];
	snprintf(amount, sizeof amount, "{\"at\":\"/amount\",\"unit\":\"%s\",\"negative\":\"%s\"}", c->unit, negative);
	const struct mapping *m = mapping_with(NULL, NULL, amount, NULL);
	snprintf(
		payload, sizeof payload, "{\"id\":\"1\",\"from\":\"f\",\"amount\":%s,\"currency\":\"USD\"}", c->amount);
	if (c->worth)
		cr_expect_str_eq(takes(m, payload).amount.digits, c->worth, "%s", payload);
	else
		refuses(m, payload, "/amount", c->code);
}

/* A refund of PayPal's has the total -0.01. */
Test(mapping, drops_the_sign_of_an_amount_where_the_mapping_wants_it)
{
	static const struct signed_case CASES[] = {{"major", "\"-0.01\"", "0.01", NULL},
		{"major", "-1.5e1", "15", NULL}, {"major", "7", "7", NULL}, {"minor", "-500", "5.00", NULL},
		{"minor", "\"-5\"", "0.05", NULL}, {"major", "-0", "0", NULL},
		{"major", "\"--1\"", NULL, "not_a_decimal"}, {"major", "\"-\"", NULL, "not_a_decimal"},
		{"major", "\"- 1\"", NULL, "not_a_decimal"}, {"major", "-0.001", NULL, "too_many_decimals"},
		{"minor", "-1.5", NULL, "not_minor_units"}, {"minor", "-1234567890123456789", NULL, "too_many_digits"}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		reads_signed("absolute", &CASES[i]);
	const struct mapping *usual = mapping_with(NULL, NULL, "{\"at\":\"/amount\",\"unit\":\"major\"}", NULL);
	refuses(usual, PAYLOAD("\"-0.01\"", "USD"), "/amount", "negative");
}

static void quotes(const char *unit, const char *negative, const char *amount, const char *quoted)
{
	char config[120], payload[200];
	struct txn txn;
	snprintf(config, sizeof config, "{\"at\":\"/amount\",\"unit\":\"%s\",\"negative\":\"%s\"}", unit, negative);
	snprintf(payload, sizeof payload, "{\"id\":\"1\",\"from\":\"f\",\"amount\":%s,\"currency\":\"JPY\"}", amount);
	cr_assert_not(reads(mapping_with(NULL, NULL, config, NULL), payload, &txn));
	cr_expect_eq(
		strncmp(problems.list[0].detail, quoted, strlen(quoted)), 0, "%s: %s", amount, problems.list[0].detail);
}

Test(mapping, quotes_an_amount_with_the_sign_that_the_provider_wrote)
{
	for (int i = 0; i < 2; i++) {
		const char *negative = i == 0 ? "absolute" : "keep";
		quotes("major", negative, "-0.01", "\"-0.01\" has 2 decimals");
		quotes("major", negative, "-1234567890123456789", "\"-1234567890123456789\": an amount");
		quotes("major", negative, "0.01", "\"0.01\" has 2 decimals");
		quotes("minor", negative, "-1.5", "\"-1.5\" should be a whole number");
		quotes("minor", negative, "-1234567890123456789", "\"-1234567890123456789\": an amount");
	}
}

Test(mapping, keeps_the_sign_of_an_amount_where_the_mapping_wants_it)
{
	static const struct signed_case CASES[] = {{"major", "\"-0.01\"", "-0.01", NULL}, {"major", "-1", "-1", NULL},
		{"major", "-1.50", "-1.50", NULL}, {"major", "\"-1500.10\"", "-1500.10", NULL},
		{"major", "-1.5e1", "-15", NULL}, {"major", "7", "7", NULL}, {"major", "0", "0", NULL},
		{"major", "-0", "0", NULL}, {"major", "\"-0.00\"", "0.00", NULL}, {"major", "-0e5", "0", NULL},
		{"minor", "-500", "-5.00", NULL}, {"minor", "\"-5\"", "-0.05", NULL},
		{"minor", "-1500", "-15.00", NULL}, {"minor", "\"-0\"", "0.00", NULL},
		{"minor", "-1.5e3", "-15.00", NULL}, {"minor", "-123456789012345678", "-1234567890123456.78", NULL},
		{"major", "-999999999999999999.99", "-999999999999999999.99", NULL},
		{"major", "\"--1\"", NULL, "not_a_decimal"}, {"major", "\"-\"", NULL, "not_a_decimal"},
		{"major", "\"- 1\"", NULL, "not_a_decimal"}, {"major", "\"-+1\"", NULL, "not_a_decimal"},
		{"major", "\"-01\"", NULL, "not_a_decimal"}, {"major", "-0.001", NULL, "too_many_decimals"},
		{"major", "-1000000000000000000", NULL, "too_many_digits"}, {"minor", "-1.5", NULL, "not_minor_units"},
		{"minor", "-1234567890123456789", NULL, "too_many_digits"}};
	for (size_t i = 0; i < COUNT_OF(CASES); i++)
		reads_signed("keep", &CASES[i]);
}

Test(mapping, a_kept_sign_is_part_of_the_content)
{
	const struct mapping *m =
		mapping_with(NULL, NULL, "{\"at\":\"/amount\",\"unit\":\"major\",\"negative\":\"keep\"}", NULL);
	struct txn negative = takes(m, PAYLOAD("-1.50", "USD")), again = takes(m, PAYLOAD("-1.5", "USD")),
		   positive = takes(m, PAYLOAD("1.50", "USD"));
	cr_expect(txn_same(&negative, &again));
	cr_expect_not(txn_same(&negative, &positive));
	struct txn zero = takes(m, PAYLOAD("-0", "USD")), plain = takes(m, PAYLOAD("0.00", "USD"));
	cr_expect(txn_same(&zero, &plain));
}

Test(mapping, refuses_what_are_no_minor_units)
{
	const struct mapping *m = mapping_with(NULL, NULL, NULL, NULL);
	refuses(m, PAYLOAD("15.00", "USD"), "/amount", "not_minor_units");
	refuses(m, PAYLOAD("\"15.5\"", "USD"), "/amount", "not_minor_units");
	refuses(m, PAYLOAD("-5", "USD"), "/amount", "negative");
	refuses(m, PAYLOAD("1e-1", "USD"), "/amount", "not_minor_units");
	refuses(m, PAYLOAD("1.5e0", "USD"), "/amount", "not_minor_units");
	refuses(m, PAYLOAD("15.000", "USD"), "/amount", "not_minor_units");
	refuses(m, PAYLOAD("1e-9", "USD"), "/amount", "too_many_decimals");
	refuses(m, PAYLOAD("\"05\"", "USD"), "/amount", "not_a_decimal");
	refuses(m, PAYLOAD("\"\"", "USD"), "/amount", "not_a_decimal");
	refuses(m, PAYLOAD("1234567890123456789", "USD"), "/amount", "too_many_digits");
	refuses(m, PAYLOAD("null", "USD"), "/amount", "wrong_type");
	refuses(m, PAYLOAD("[1]", "USD"), "/amount", "wrong_type");
}

Test(mapping, takes_a_providers_own_minor_units)
{
	const char *amount = "{\"at\":\"/amount\",\"unit\":\"minor\",\"minor_units\":{\"ISK\":2,\"CLP\":2,\"EUR\":3}}";
	const struct mapping *m = mapping_with(NULL, NULL, amount, NULL);
	cr_expect_str_eq(takes(m, PAYLOAD("500", "isk")).amount.digits, "5.00");
	cr_expect_str_eq(takes(m, PAYLOAD("500", "CLP")).amount.digits, "5.00");
	cr_expect_str_eq(takes(m, PAYLOAD("500", "USD")).amount.digits, "5.00");
	cr_expect_str_eq(takes(m, PAYLOAD("5010", "EUR")).amount.digits, "5.010");
	refuses(m, PAYLOAD("501", "ISK"), "/amount", "too_many_decimals");
	refuses(m, PAYLOAD("5011", "EUR"), "/amount", "too_many_decimals");
}

Test(mapping, takes_an_amount_in_units_as_it_is_written)
{
	const struct mapping *m = mapping_with(NULL, NULL, "{\"at\":\"/amount\",\"unit\":\"major\"}", NULL);
	cr_expect_str_eq(takes(m, PAYLOAD("\"30.00\"", "USD")).amount.digits, "30.00");
	cr_expect_str_eq(takes(m, PAYLOAD("30.1", "USD")).amount.digits, "30.1");
	cr_expect_str_eq(takes(m, PAYLOAD("999999999999999999.99", "USD")).amount.digits, "999999999999999999.99");
	refuses(m, PAYLOAD("30.001", "USD"), "/amount", "too_many_decimals");
	refuses(m, PAYLOAD("30.5", "JPY"), "/amount", "too_many_decimals");
}

Test(mapping, puts_a_prefix_before_a_text_but_makes_nothing_of_nothing)
{
	const struct mapping *m = mapping_with(NULL, "{\"at\":\"/from\",\"prefix\":\"stripe:\"}", NULL, NULL);
	cr_expect_str_eq(takes(m, PAYLOAD("1", "USD")).source_account, "stripe:c1");
	refuses(m, "{\"id\":\"p\",\"from\":\"\",\"amount\":1,\"currency\":\"USD\"}", "/from", "empty");
	refuses(m, "{\"id\":\"p\",\"from\":null,\"amount\":1,\"currency\":\"USD\"}", "/from", "wrong_type");
	refuses(m, "{\"id\":\"p\",\"amount\":1,\"currency\":\"USD\"}", "/from", "missing");
	refuses(m, "{\"id\":\"p\",\"from\":\"a\\u0007\",\"amount\":1,\"currency\":\"USD\"}", "/from",
		"control_character");
}

Test(mapping, takes_another_text_for_one_that_is_left_out)
{
	const char *account = "{\"at\":\"/from\",\"prefix\":\"cus:\",\"otherwise\":\"guest\"}";
	const struct mapping *m = mapping_with(NULL, account, NULL, NULL);
	cr_expect_str_eq(takes(m, PAYLOAD("1", "USD")).source_account, "cus:c1");
	cr_expect_str_eq(takes(m, "{\"id\":\"p\",\"amount\":1,\"currency\":\"USD\"}").source_account, "guest");
	cr_expect_str_eq(
		takes(m, "{\"id\":\"p\",\"from\":null,\"amount\":1,\"currency\":\"USD\"}").source_account, "guest");
	cr_expect_str_eq(
		takes(m, "{\"id\":\"p\",\"from\":\"\",\"amount\":1,\"currency\":\"USD\"}").source_account, "guest");
	refuses(m, "{\"id\":\"p\",\"from\":{},\"amount\":1,\"currency\":\"USD\"}", "/from", "wrong_type");
	refuses(m, "{\"id\":\"p\",\"from\":\"\\u0007\",\"amount\":1,\"currency\":\"USD\"}", "/from",
		"control_character");
}

Test(mapping, bounds_a_text_with_its_prefix)
{
	const struct mapping *m = mapping_with(NULL, "{\"at\":\"/from\",\"prefix\":\"12345\"}", NULL, NULL);
	for (int n = 250; n <= 260; n++) {
		char payload[500], from[261];
		memset(from, 'x', sizeof from);
		from[n] = '\0';
		snprintf(payload, sizeof payload, "{\"id\":\"p\",\"from\":\"%s\",\"amount\":1,\"currency\":\"USD\"}",
			from);
		if (n == 250)
			cr_expect_eq(strlen(takes(m, payload).source_account), 255);
		else
			refuses(m, payload, "/from", "too_long");
	}
}

Test(mapping, takes_a_whole_number_for_an_id)
{
	const struct mapping *m = mapping_with(NULL, NULL, NULL, NULL);
	cr_expect_str_eq(takes(m, "{\"id\":12345678901234567890123,\"from\":\"c\",\"amount\":1,\"currency\":\"USD\"}")
				 .transaction_id,
		"12345678901234567890123");
	refuses(m, "{\"id\":1.5,\"from\":\"c\",\"amount\":1,\"currency\":\"USD\"}", "/id", "wrong_type");
	refuses(m, "{\"id\":-1,\"from\":\"c\",\"amount\":1,\"currency\":\"USD\"}", "/id", "wrong_type");
	refuses(m, "{\"id\":true,\"from\":\"c\",\"amount\":1,\"currency\":\"USD\"}", "/id", "wrong_type");
}

Test(mapping, reports_an_unknown_currency_and_does_not_judge_the_amount_by_it)
{
	const struct mapping *m = mapping_with(NULL, NULL, NULL, NULL);
	refuses(m, PAYLOAD("15", "XXX"), "/currency", "unknown_currency");
	refuses(m, "{\"id\":\"p\",\"from\":\"c\",\"amount\":15}", "/currency", "missing");
	refuses(m, "{\"id\":\"p\",\"from\":\"c\",\"amount\":15,\"currency\":[]}", "/currency", "wrong_type");
	m = mapping_with(NULL, NULL, NULL, "{\"value\":\"jpy\"}");
	struct txn txn = takes(m, "{\"id\":\"p\",\"from\":\"c\",\"amount\":15}");
	cr_expect_str_eq(txn.currency, "JPY");
	cr_expect_str_eq(txn.amount.digits, "15");
}

Test(mapping, reports_everything_that_is_wrong_in_the_contract_s_order)
{
	struct txn txn;
	cr_expect_not(reads(mapping_with(NULL, NULL, NULL, NULL), "{\"from\":7.5,\"amount\":true}", &txn));
	cr_assert_eq(problems.count, 4);
	cr_expect_str_eq(problems.list[0].pointer, "/id");
	cr_expect_str_eq(problems.list[1].pointer, "/from");
	cr_expect_str_eq(problems.list[2].pointer, "/amount");
	cr_expect_str_eq(problems.list[3].pointer, "/currency");
}

Test(mapping, names_the_item_in_its_problems)
{
	const char *text = "{\"id\":\"p\"}";
	struct txn txn;
	struct fault f;
	const struct mapping *m = mapping_with(NULL, NULL, NULL, NULL);
	cr_expect_not(mapping_read(m, &(struct places){.item = json_value_of(text, strlen(text))}, "/items/3", &extras,
		&txn, &problems, &f));
	cr_expect_str_eq(problems.list[0].pointer, "/items/3/from");
	cr_expect_str_eq(f.text, "members break the rules: /items/3/from missing, /items/3/amount missing,"
				 " /items/3/currency missing");
}

static bool applies(const struct mapping *m, const char *payload)
{
	return mapping_first(m, 1, &(struct places){.item = json_value_of(payload, strlen(payload))}) == m;
}

Test(mapping, asks_for_every_condition_and_any_of_its_words)
{
	const struct mapping *m = configured(
		"\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\",\"captured\"]},{\"at\":\"/ok\",\"is\":[\"true\"]}]");
	cr_expect(m->is_canonical);
	cr_expect(applies(m, "{\"type\":\"paid\",\"ok\":true}"));
	cr_expect(applies(m, "{\"type\":\"captured\",\"ok\":\"true\"}"));
	cr_expect(applies(m, "{\"type\":\"p\\u0061id\",\"ok\":true}"));
	cr_expect_not(applies(m, "{\"type\":\"paid\",\"ok\":false}"));
	cr_expect_not(applies(m, "{\"type\":\"paid\"}"));
	cr_expect_not(applies(m, "{\"type\":\"paid \",\"ok\":true}"));
	cr_expect_not(applies(m, "{\"type\":[\"paid\"],\"ok\":true}"));
	cr_expect_not(applies(m, "{\"type\":null,\"ok\":true}"));
	cr_expect(applies(configured("\"filter\":[{\"at\":\"/n\",\"is\":[\"7\"]}]"), "{\"n\":7}"));
	m = configured("\"filter\":[{\"at\":\"/n\",\"is\":[\"null\",\"{}\",\"[]\"]}]");
	cr_expect(applies(m, "{\"n\":\"null\"}"));
	cr_expect(applies(m, "{\"n\":\"{}\"}"));
	cr_expect_not(applies(m, "{\"n\":null}"));
	cr_expect_not(applies(m, "{\"n\":{}}"));
	cr_expect_not(applies(m, "{\"n\":[]}"));
	cr_expect_not(applies(m, "{\"n\":[ ]}"));
	cr_expect_not(applies(m, "{}"));
}
