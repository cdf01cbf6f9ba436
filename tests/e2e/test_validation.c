/* test_validation.c - webhooks with validation errors: each gets its own status and explanation, and nothing is
 * stored. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"

#define BODY_MOST (64 * 1024)

#define PARTIES "\"source_account\":\"a\",\"destination_account\":\"b\""
#define REST PARTIES ",\"amount\":1,\"currency\":\"USD\"}"

static void refuses(int status, const char *type, const char *body, size_t len, const char *what)
{
	struct answer a;

	call_send(&(struct call){.target = WEBHOOKS, .type = type, .body = body, .len = len}, &a);
	expect_problem_once(&a, status, what);
}

Test(validation_errors, a_body_of_another_type_is_refused)
{
	static const char *const types[] = {NULL, "text/plain", "text/json", "application/x-www-form-urlencoded",
		"application/jsonp", "application/+json", "application/json; charset=iso-8859-1", "application", "json",
		"multipart/form-data; boundary=application/json"};
	char body[WEBHOOK_MAX];

	webhook_simple("of-another-type", body);
	for (size_t n = 0; n < COUNT_OF(types); n++)
		refuses(415, types[n], body, 0, types[n] == NULL ? "no type" : types[n]);
	cr_assert_eq(call_get_status("/v1/transactions/of-another-type"), 404);
}

Test(validation_errors, a_charset_of_utf_8_is_no_other_type)
{
	static const char *const types[] = {"application/json", "application/json; charset=utf-8",
		"application/json;charset=UTF-8", "Application/JSON", "application/json; charset=\"utf-8\"",
		"application/json; charset=UTF8", "application/vnd.api+json",
		"application/cloudevents+json; charset=utf8"};

	for (size_t n = 0; n < COUNT_OF(types); n++) {
		struct answer a;
		char body[WEBHOOK_MAX], id[64];
		webhook_simple(fresh_id("charset", id), body);
		call_send(&(struct call){.target = WEBHOOKS, .type = types[n], .body = body}, &a);
		cr_assert_eq(a.status, 202, "%s: %d %s", types[n], a.status, a.body);
		answer_finish(&a);
	}
}

/* A webhook of exactly this length: an unknown member fills it up. */
static char *webhook_of(const char *id, size_t len)
{
	char head[WEBHOOK_MAX];
	char *body = malloc(len + 1);
	int head_len = snprintf(head, sizeof(head),
		"{\"transaction_id\":\"%s\"," PARTIES ",\"amount\":1,\"currency\":\"USD\",\"note\":\"", id);

	cr_assert_not_null(body);
	memset(body, 'n', len);
	memcpy(body, head, (size_t)head_len);
	memcpy(body + len - 2, "\"}", 3);
	return body;
}

Test(validation_errors, a_body_of_64_kib_is_accepted_and_one_byte_more_is_not)
{
	for (int chunked = 0; chunked < 2; chunked++) {
		char id[64];
		struct answer a;
		struct call c = {.target = WEBHOOKS, .type = "application/json", .chunked = chunked == 1};
		char *fits = webhook_of(fresh_id("fits", id), BODY_MOST);
		c.body = fits;
		call_send(&c, &a);
		cr_assert_eq(
			a.status, 202, "64 KiB%s: %d %s%s", chunked ? " chunked" : "", a.status, a.body, a.trouble);
		answer_finish(&a);
		free(fits);
		char *too_long = webhook_of(fresh_id("too-long", id), BODY_MOST + 1);
		c.body = too_long;
		call_send(&c, &a);
		expect_problem_once(&a, 413, chunked ? "64 KiB and a byte, chunked" : "64 KiB and a byte");
		free(too_long);
		cr_assert_eq(
			database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id),
			0);
	}
}

Test(validation_errors, a_body_of_megabytes_is_refused_in_both_forms)
{
	struct answer a;
	char *body = webhook_of("megabytes", 8 * 1024 * 1024);
	struct call c = {.target = WEBHOOKS, .type = "application/json", .body = body};

	call_send(&c, &a);
	expect_problem_once(&a, 413, "8 MiB");
	c.chunked = true;
	call_send(&c, &a);
	expect_problem_once(&a, 413, "8 MiB, chunked");
	free(body);
}

Test(validation_errors, what_is_not_strict_json_is_malformed)
{
	static const char *const bodies[] = {"", " ", "{", "}", "null", "[]", "\"text\"", "15",
		"{\"transaction_id\":\"a\"", "{'transaction_id':\"a\"," REST, "{transaction_id:\"a\"," REST,
		"{\"transaction_id\":\"a\",,\"x\":1," REST, "{\"transaction_id\":\"a\",\"x\":01," REST,
		"{\"transaction_id\":\"a\",\"x\":.5," REST, "{\"transaction_id\":\"a\",\"x\":1.," REST,
		"{\"transaction_id\":\"a\",\"x\":NaN," REST, "{\"transaction_id\":\"a\",\"x\":Infinity," REST,
		"{\"transaction_id\":\"a\",\"x\":True," REST, "{\"transaction_id\":\"a\",\"x\":\"\t\"," REST,
		"{\"transaction_id\":\"a\\x41\"," REST, "{\"transaction_id\":\"a\",/* no */" REST,
		"{\"transaction_id\":\"a\"," REST "x", "{\"transaction_id\":\"a\"," REST "{}",
		"{\"transaction_id\":\"a\",\"x\":1,}"};

	for (size_t n = 1; n < COUNT_OF(bodies); n++)
		refuses(400, "application/json", bodies[n], 0, bodies[n]);
	/* For a body of no bytes curl sends Content-Length: 0. */
	struct answer a;
	call_send(&(struct call){.method = "POST", .target = WEBHOOKS, .type = "application/json"}, &a);
	expect_problem_once(&a, 400, "no body");
}

Test(validation_errors, bytes_that_are_not_text_are_malformed)
{
	static const char *const bodies[] = {"\xef\xbb\xbf{\"transaction_id\":\"a\"," REST,
		"{\"transaction_id\":\"\xff\"," REST, "{\"transaction_id\":\"\xc0\xaf\"," REST,
		"{\"transaction_id\":\"\xed\xa0\x80\"," REST, "{\"transaction_id\":\"\xf4\x90\x80\x80\"," REST,
		"{\"transaction_id\":\"\xe2\x82\"," REST, "{\"transaction_id\":\"\\ud80\"," REST,
		"{\"transaction_id\":\"\\ud800\\udc0\"," REST, "{\"transaction_id\":\"a\",\"\xff\":1," REST};
	static const char with_nul[] = "{\"transaction_id\":\"a\0b\"," REST;
	static const char nul_after[] = "{\"transaction_id\":\"a\"," REST "\0";

	for (size_t n = 0; n < COUNT_OF(bodies); n++)
		refuses(400, "application/json", bodies[n], 0, bodies[n]);
	refuses(400, "application/json", with_nul, sizeof(with_nul) - 1, "a NUL in a string");
	refuses(400, "application/json", nul_after, sizeof(nul_after) - 1, "a NUL after the object");
}

Test(validation_errors, a_member_named_twice_is_malformed)
{
	refuses(400, "application/json", "{\"transaction_id\":\"a\",\"transaction_id\":\"a\"," REST, 0, "twice");
	refuses(400, "application/json", "{\"transaction_id\":\"a\",\"transaction\\u005fid\":\"b\"," REST, 0,
		"twice, escaped");
	refuses(400, "application/json", "{\"transaction_id\":\"a\",\"x\":{\"y\":1,\"y\":2}," REST, 0, "twice, deeper");
}

Test(validation_errors, more_than_32_levels_are_malformed)
{
	char body[WEBHOOK_MAX], id[64], deep[80];

	/* The object itself is the first level. */
	for (int levels = 31; levels <= 32; levels++) {
		memset(deep, '[', (size_t)levels);
		memset(deep + levels, ']', (size_t)levels);
		deep[2 * levels] = '\0';
		snprintf(body, sizeof(body), "{\"transaction_id\":\"%s\",\"x\":%s," REST, fresh_id("deep", id), deep);
		if (levels == 31)
			expect_accepted(body);
		else
			refuses(400, "application/json", body, 0, "33 levels");
	}
}

/* Posts a body and expects exactly these errors: "/pointer code", in this order, ended by NULL. */
static void finds_errors(const char *body, const char *const expected[])
{
	struct answer a;
	json_object *errors, *o;
	size_t count = 0;
	char line[128];

	call_post(body, &a);
	expect_problem(&a, 422, body);
	o = answer_json(&a);
	cr_assert(json_object_object_get_ex(o, "errors", &errors), "%s", a.body);
	while (expected[count] != NULL)
		count++;
	cr_assert_eq(json_object_array_length(errors), count, "%s: %s", body, a.body);
	for (size_t n = 0; n < count; n++) {
		json_object *e = json_object_array_get_idx(errors, n);
		snprintf(line, sizeof(line), "%s %s", expect_text(e, "pointer"), expect_text(e, "code"));
		cr_assert_str_eq(line, expected[n], "%s: %s", body, a.body);
		cr_assert(strlen(expect_text(e, "detail")) > 0, "%s", a.body);
	}
	json_object_put(o);
	answer_finish(&a);
}

#define FINDS(body, ...) finds_errors(body, (const char *const[]){__VA_ARGS__, NULL})

Test(validation_errors, all_that_is_wrong_with_the_members_is_reported_at_once)
{
	FINDS("{}", "/transaction_id missing", "/source_account missing", "/destination_account missing",
		"/amount missing", "/currency missing");
	FINDS("{\"transaction_id\":7,\"source_account\":\"\",\"destination_account\":null,\"amount\":-1,\"currency\":\"XXX\"}",
		"/transaction_id wrong_type", "/source_account empty", "/destination_account wrong_type",
		"/amount negative", "/currency unknown_currency");
}

static void finds_amount(const char *amount, const char *currency, const char *expected)
{
	char body[WEBHOOK_MAX];

	FINDS(webhook("bad-amount", amount, currency, body), expected);
}

Test(validation_errors, a_bad_amount_is_reported)
{
	finds_amount("1.001", "USD", "/amount too_many_decimals");
	finds_amount("0.1", "JPY", "/amount too_many_decimals");
	finds_amount("1.000000001", "USD", "/amount too_many_decimals");
	finds_amount("1e-9", "USD", "/amount too_many_decimals");
	finds_amount("1000000000000000000", "USD", "/amount too_many_digits");
	finds_amount("-1", "USD", "/amount negative");
	finds_amount("-0", "USD", "/amount negative");
	finds_amount("1e18", "USD", "/amount too_many_digits");
	finds_amount("\"1e-3\"", "USD", "/amount too_many_decimals");
	finds_amount("\"\"", "USD", "/amount empty");
	finds_amount("\"+1\"", "USD", "/amount not_a_decimal");
	finds_amount("\" 1\"", "USD", "/amount not_a_decimal");
	finds_amount("\"01\"", "USD", "/amount not_a_decimal");
	finds_amount("\"1.\"", "USD", "/amount not_a_decimal");
	finds_amount("\"1,5\"", "USD", "/amount not_a_decimal");
	finds_amount("true", "USD", "/amount wrong_type");
	finds_amount("null", "USD", "/amount wrong_type");
	finds_amount("[1]", "USD", "/amount wrong_type");
}

Test(validation_errors, a_bad_text_or_currency_is_reported)
{
	char body[WEBHOOK_MAX], long_id[257];

	memset(long_id, 'i', 256);
	long_id[256] = '\0';
	FINDS(webhook_simple(long_id, body), "/transaction_id too_long");
	FINDS(webhook_simple("", body), "/transaction_id empty");
	FINDS(webhook_simple("a\\nb", body), "/transaction_id control_character");
	FINDS(webhook_simple("a\\u0085b", body), "/transaction_id control_character");
	FINDS(webhook_simple("a\\u0000b", body), "/transaction_id control_character");
	FINDS(webhook_simple("\\ud800", body), "/transaction_id unpaired_surrogate");
	FINDS(webhook_simple("\\udc00\\ud800", body), "/transaction_id unpaired_surrogate");
	FINDS(webhook("c", "1", "USD\\u0000", body), "/currency unknown_currency");
	FINDS(webhook("c", "1", "EURO", body), "/currency unknown_currency");
	FINDS(webhook("c", "1", "", body), "/currency empty");
	FINDS(webhook("c", "1", "XTS", body), "/currency unknown_currency");
	FINDS(webhook("c", "1", "DEM", body), "/currency unknown_currency");
	FINDS(webhook("c", "1", "US\\u0044X", body), "/currency unknown_currency");
}

Test(validation_errors, nothing_that_was_refused_is_stored)
{
	struct answer a;
	char body[WEBHOOK_MAX], id[64], target[128];

	call_post(webhook(fresh_id("refused", id), "1.001", "USD", body), &a);
	expect_problem_once(&a, 422, "too many decimals");
	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	cr_assert_eq(call_get_status(target), 404);
	/* The id is still unused. */
	expect_accepted(webhook_simple(id, body));
}
