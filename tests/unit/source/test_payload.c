/* test_payload.c - the transactions that a body contains, in payhook's own format and in providers' formats. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/payload.h"
#include "source/sources_read.h"

static const struct currency_extras extras;
static struct sources sources;
static struct payload payload;
static struct fault fault;

#define MAPPED                                                                                   \
	"\"mapping\":{\"transaction_id\":{\"at\":\"/id\"},\"source_account\":{\"value\":\"a\"}," \
	"\"destination_account\":{\"value\":\"b\"},\"amount\":{\"at\":\"/n\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}}"
#define ITEMS "\"items\":\"/list\"," MAPPED
#define PAID ",\"filter\":[{\"at\":\"/kind\",\"is\":[\"paid\"]}]"
#define CANONICAL \
	"{\"transaction_id\":\"1\",\"source_account\":\"a\",\"destination_account\":\"b\",\"amount\":2,\"currency\":\"EUR\"}"

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	cr_assert_fail("%s", complaint);
}

static const struct source *source(const char *members)
{
	char text[4000];
	struct sources_outside outside = {.file = "sources.json", .extras = &extras, .report = report};
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\"%s%s}]}",
		*members ? "," : "", members);
	sources_finish(&sources);
	cr_assert(sources_read(text, (size_t)len, &outside, &sources));
	return &sources.list[0];
}

/* The number of transactions in a body; -1 if it is refused. */
static int opens(const char *members, const char *body)
{
	return payload_open(source(members), NULL, body, strlen(body), false, &payload, &fault) ? payload.count : -1;
}

static void next_is(const char *id)
{
	struct txn txn;
	struct txn_problems problems;
	cr_assert(payload_next(&payload, &extras, &txn, &problems, &fault), "%s", fault.text);
	cr_expect_str_eq(txn.transaction_id, id);
}

Test(payload, reads_our_own_body)
{
	cr_assert_eq(opens("", CANONICAL), 1);
	next_is("1");
}

Test(payload, reads_one_of_a_providers_own)
{
	cr_assert_eq(opens(MAPPED, "{\"id\":\"7\",\"n\":1}"), 1);
	next_is("7");
}

Test(payload, reads_each_element_of_an_array)
{
	cr_assert_eq(opens(ITEMS, "{\"list\":[{\"id\":\"1\",\"n\":1},{\"id\":\"2\",\"n\":1}]}"), 2);
	next_is("1");
	next_is("2");
}

Test(payload, leaves_out_what_the_filter_does_not_let_pass)
{
	cr_assert_eq(
		opens(ITEMS PAID, "{\"list\":[{\"id\":\"1\"},{\"id\":\"2\",\"n\":1,\"kind\":\"paid\"},{\"kind\":\"x\"},"
				  "{\"id\":\"4\",\"n\":1,\"kind\":\"paid\"}]}"),
		2);
	next_is("2");
	next_is("4");
	cr_expect_eq(opens(ITEMS PAID, "{\"list\":[{\"id\":\"1\"}]}"), 0);
	cr_expect_eq(opens(MAPPED PAID, "{\"id\":\"1\",\"n\":1,\"kind\":\"refused\"}"), 0);
}

Test(payload, reports_where_in_the_body_a_problem_stands)
{
	struct txn txn = {.transaction_id = "before"};
	struct txn_problems problems;
	cr_assert_eq(opens(ITEMS PAID, "{\"list\":[{},{\"id\":\"\",\"n\":-1,\"kind\":\"paid\"}]}"), 1);
	cr_assert_not(payload_next(&payload, &extras, &txn, &problems, &fault));
	cr_expect_eq(fault.kind, FAULT_INPUT);
	cr_assert_eq(problems.count, 2);
	cr_expect_str_eq(problems.list[0].pointer, "/list/1/id");
	cr_expect_str_eq(problems.list[1].pointer, "/list/1/n");
	cr_expect_str_eq(txn.transaction_id, "before");
}

static void refuses(const char *members, const char *body, enum fault_kind kind)
{
	struct payload before = payload;
	cr_assert_eq(opens(members, body), -1, "%.60s is taken", body);
	cr_expect_eq(fault.kind, kind, "%.60s: %s", body, fault.text);
	cr_expect_eq(memcmp(&before, &payload, sizeof before), 0);
}

Test(payload, refuses_what_is_no_strict_json)
{
	refuses(MAPPED, "{\"id\":1,\"id\":2}", FAULT_MALFORMED);
	refuses(ITEMS, "[]", FAULT_MALFORMED);
	refuses(MAPPED, "", FAULT_MALFORMED);
}

Test(payload, refuses_a_body_without_its_items)
{
	refuses(ITEMS, "{}", FAULT_INPUT);
	refuses(ITEMS, "{\"list\":{}}", FAULT_INPUT);
}

#define TOP "\"items\":\"\"," MAPPED

Test(payload, takes_an_array_without_elements)
{
	cr_expect_eq(opens(ITEMS, "{\"list\":[]}"), 0);
	cr_expect_eq(opens(TOP, "[]"), 0);
	cr_expect_eq(opens(TOP PAID, " [ ] "), 0);
}

Test(payload, reads_a_body_that_is_an_array)
{
	struct txn txn;
	struct txn_problems problems;
	cr_assert_eq(opens(TOP, "[{\"id\":\"1\",\"n\":1},{\"id\":\"2\",\"n\":1}]"), 2);
	next_is("1");
	next_is("2");
	cr_assert_eq(opens(TOP PAID, "[{\"id\":\"1\"},{\"id\":\"2\",\"n\":-1,\"kind\":\"paid\"}]\n"), 1);
	cr_assert_not(payload_next(&payload, &extras, &txn, &problems, &fault));
	cr_expect_str_eq(problems.list[0].pointer, "/1/n");
	refuses(TOP, "{}", FAULT_INPUT);
	cr_expect_str_eq(fault.text, "the body is no array");
	refuses(TOP, "[{}", FAULT_MALFORMED);
	refuses(TOP, "[{\"a\":1,\"a\":2}]", FAULT_MALFORMED);
	refuses(TOP, "1", FAULT_MALFORMED);
	refuses(MAPPED, "[{\"id\":\"1\",\"n\":1}]", FAULT_MALFORMED);
}

#define FORM "\"body\":\"form\"," MAPPED
#define MEMBER "\"body\":{\"form_member\":\"payload\"},"

Test(payload, reads_the_fields_of_a_form)
{
	cr_assert_eq(opens(FORM, "id=tr_7UhSN1zuXS&n=10.50&note=a+b%26c"), 1);
	next_is("tr_7UhSN1zuXS");
	cr_assert_eq(opens(FORM PAID, "id=1&n=1&kind=paid"), 1);
	cr_assert_eq(opens(FORM PAID, "id=1&n=1&kind=failed"), 0);
	cr_assert_eq(opens("\"body\":\"form\"",
			     "transaction_id=7&source_account=a&destination_account=b%2Bc&amount=1.5e1&currency=eur"),
		1);
	next_is("7");
}

Test(payload, reads_json_in_a_field_of_a_form)
{
	cr_assert_eq(opens(MEMBER MAPPED, "x=1&payload=%7B%22id%22%3A%227%22%2C%22n%22%3A1%7D"), 1);
	next_is("7");
	cr_assert_eq(opens(MEMBER ITEMS, "payload=%7B%22list%22:[{%22id%22:%228%22,%22n%22:1}]}"), 1);
	next_is("8");
	cr_assert_eq(opens(MEMBER TOP, "payload=%5B%5D"), 0);
	refuses(MEMBER MAPPED, "payload=%7B", FAULT_MALFORMED);
	refuses(MEMBER MAPPED, "payload", FAULT_MALFORMED);
	refuses(MEMBER MAPPED, "pay=%7B%7D", FAULT_INPUT);
	cr_expect_not_null(strstr(fault.text, "no field \"payload\""), "%s", fault.text);
	refuses(MEMBER MAPPED, "payload=%7B%7D&payload=%7B%7D", FAULT_MALFORMED);
}

static void has_code(const char *members, const char *body, const char *code)
{
	cr_assert_eq(opens(members, body), -1, "%.60s is taken", body);
	cr_expect_str_eq(payload_code(&sources.list[0], body, strlen(body), &fault), code, "%.60s", body);
}

Test(payload, has_a_code_for_each_fault)
{
	has_code(MEMBER MAPPED, "pay=%7B%7D", "form_member");
	has_code(MEMBER ITEMS, "pay=%7B%7D", "form_member");
	has_code(MEMBER ITEMS, "payload=%7B%7D", "items");
	has_code(MEMBER TOP, "payload=%7B%7D", "items");
	has_code(ITEMS, "{}", "items");
	has_code(MEMBER MAPPED, "payload=%7B", "malformed");
	has_code(MEMBER MAPPED, "payload=%zz", "malformed");
	has_code(FORM, "id=1&id=2", "malformed");
	has_code(MAPPED, "", "malformed");
}

Test(payload, refuses_what_is_no_strict_form)
{
	refuses(FORM, "id=1&n=1&id=2", FAULT_MALFORMED);
	refuses(FORM, "id=1&%69d=1", FAULT_MALFORMED);
	refuses(FORM, "id=%ff&n=1", FAULT_MALFORMED);
	refuses(FORM, "id=%", FAULT_MALFORMED);
	refuses(FORM, "id=%zz", FAULT_MALFORMED);
	refuses(FORM, "id=a%00b", FAULT_MALFORMED);
	refuses(MEMBER MAPPED, "payload=%7B%7D&x=%00", FAULT_MALFORMED);
}

Test(payload, bounds_the_items_of_a_body)
{
	static char body[3 * MAPPING_ITEMS_MAX + 100] = "{\"list\":[{}";
	for (int i = 1; i < MAPPING_ITEMS_MAX; i++)
		snprintf(body + 3 * i + 8, 8, ",{}");
	size_t len = strlen(body);
	snprintf(body + len, sizeof body - len, "]}");
	cr_expect_eq(opens(ITEMS, body), MAPPING_ITEMS_MAX);
	snprintf(body + len, sizeof body - len, ",{}]}");
	refuses(ITEMS, body, FAULT_INPUT);
}
