/* test_paths.c - transaction ids in paths, and paths and methods that do not exist. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"

/* Writes every byte as %XX. */
static const char *encode_all(const char *id, char *ret)
{
	size_t len = strlen(id);

	for (size_t n = 0; n < len; n++)
		snprintf(ret + 3 * n, 4, "%%%02X", (unsigned char)id[n]);
	return ret;
}

/* Stores a transaction under an id that is given as JSON, and finds it under each of the two paths. */
static void finds(const char *in_json, const char *id, const char *in_path)
{
	static char target[2][1024];
	char body[WEBHOOK_MAX];

	expect_accepted(webhook_simple(in_json, body));
	int at = snprintf(target[0], sizeof(target[0]), "/v1/transactions/");
	encode_all(id, target[0] + at);
	snprintf(target[1], sizeof(target[1]), "/v1/transactions/%s", in_path);
	for (int n = 0; n < 2; n++) {
		struct answer a;
		call_get(target[n], &a);
		cr_assert_eq(a.status, 200, "%s: %d %s", target[n], a.status, a.body);
		json_object *o = answer_json(&a);
		cr_assert_str_eq(expect_text(o, "transaction_id"), id);
		json_object_put(o);
		answer_finish(&a);
	}
}

Test(paths, an_id_may_hold_any_character)
{
	finds("a/b", "a/b", "a%2Fb");
	finds("/", "/", "%2f");
	finds("100%", "100%", "100%25");
	finds("%2F", "%2F", "%252F");
	finds("caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac", "caf%C3%A9%20%e2%82%ac");
	finds("\xf0\x9f\x92\xb8", "\xf0\x9f\x92\xb8", "\xf0\x9f\x92\xb8");
	finds("say \\\"hi\\\"", "say \"hi\"", "say%20%22hi%22");
	finds("back\\\\slash", "back\\slash", "back%5Cslash");
	finds("one+two", "one+two", "one+two");
	finds("what?", "what?", "what%3F");
	finds("a#b", "a#b", "a%23b");
	finds("it's; DROP TABLE", "it's; DROP TABLE", "it's%3B%20DROP%20TABLE");
	finds("{\\\"a\\\",b\\\\,NULL}", "{\"a\",b\\,NULL}", "%7B%22a%22,b%5C,NULL%7D");
	finds("\\u0041\\u00e9\\ud83d\\ude00", "A\xc3\xa9\xf0\x9f\x98\x80", "A%C3%A9%F0%9F%98%80");
	finds(" ", " ", "%20");
	finds("a//b", "a//b", "a%2F%2Fb");
}

Test(paths, ids_differ_in_every_byte)
{
	char body[WEBHOOK_MAX];

	expect_accepted(webhook_simple("Case-Matters", body));
	cr_assert_eq(call_get_status("/v1/transactions/case-matters"), 404);
	cr_assert_eq(call_get_status("/v1/transactions/Case-Matters%20"), 404);
	cr_assert_eq(call_get_status("/v1/transactions/Case-Matters"), 200);
}

Test(paths, an_id_has_255_bytes_at_most)
{
	char id[257], target[512];
	struct answer a;

	memset(id, 'i', sizeof(id));
	id[255] = '\0';
	finds(id, id, id);
	id[255] = 'i';
	id[256] = '\0';
	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	call_get(target, &a);
	expect_problem_once(&a, 404, "256 bytes");
}

Test(paths, what_nobody_sent_is_not_found)
{
	static const char *const targets[] = {"/v1/transactions/nobody-sent-this", "/v1/transactions/",
		"/v1/transactions", "/v1/transactions/a%0Ab", "/v1/transactions/a%C2%80b", "/v1", "/v1/",
		"/v1/payments/nobody-sent-this", "/v1/payments/", "/v1/payments", "/v1/payments/a%0Ab",
		"/v1/payments/a%C2%80b", "/v1/payments/a?source=Upper", "/v1/payments/a/b", "/v2/webhooks/transactions",
		"/livez/", "/Livez", "/index.html", "/v1/webhooks", "/v1/webhooks/transactions/x", "/.problem",
		"/favicon.ico"};

	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		struct answer a;
		call_get(targets[n], &a);
		expect_problem_once(&a, 404, targets[n]);
	}
	struct answer a;
	call_send(&(struct call){.target = "/unknown", .type = "application/json", .body = "{}"}, &a);
	expect_problem_once(&a, 404, "POST /unknown");
}

Test(paths, a_path_with_broken_encoding_is_refused)
{
	static const char *const targets[] = {"/v1/transactions/%zz", "/v1/transactions/%", "/v1/transactions/a%2",
		"/v1/transactions/%2/", "/%zz", "/v1/transactions/%00", "/v1/payments/%zz", "/v1/payments/%00",
		"/v1/payments/a?source=s&source=s"};

	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		struct answer a;
		call_get(targets[n], &a);
		expect_problem_once(&a, 400, targets[n]);
	}
}

Test(paths, a_path_that_climbs_above_the_root_is_refused)
{
	static const char *const targets[] = {"/..", "/../", "/../livez", "/v1/../../livez", "/%2e%2e/livez",
		"/%2E./livez", "/v1/%2e%2e/%2e%2e/livez"};

	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		struct answer a;
		call_get(targets[n], &a);
		expect_problem_once(&a, 400, targets[n]);
	}
}

static void refuses_method(const char *target, const char *method, const char *allow)
{
	struct answer a;
	char what[128], allowed[64];
	bool has_body = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;

	snprintf(what, sizeof(what), "%s %s", method, target);
	call_send(
		&(struct call){
			.method = method, .target = target, .type = "application/json", .body = has_body ? "{}" : NULL},
		&a);
	answer_header(&a, "Allow", allowed, sizeof(allowed));
	cr_assert_str_eq(allowed, allow, "%s: %d, Allow: %s", what, a.status, allowed);
	expect_problem_once(&a, 405, what);
}

Test(paths, a_wrong_method_gets_the_allowed_ones)
{
	static const char *const changing[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"};
	static const char *const readable[] = {
		"/", "/livez", "/readyz", "/v1/transactions/some-id", "/v1/payments/some-id"};

	for (size_t n = 0; n < COUNT_OF(changing); n++)
		for (size_t target = 0; target < COUNT_OF(readable); target++)
			refuses_method(readable[target], changing[n], "GET, HEAD");
	refuses_method(WEBHOOKS, "GET", "POST");
	refuses_method(WEBHOOKS "?x", "GET", "POST");
	for (size_t n = 1; n < COUNT_OF(changing); n++)
		refuses_method(WEBHOOKS, changing[n], "POST");
}

Test(paths, a_head_of_the_webhook_route_is_a_wrong_method)
{
	struct answer a;
	char allowed[32];

	call_send(&(struct call){.method = "HEAD", .target = WEBHOOKS}, &a);
	cr_assert_eq(a.status, 405, "%d %s", a.status, a.trouble);
	answer_header(&a, "Allow", allowed, sizeof(allowed));
	cr_assert_str_eq(allowed, "POST");
	answer_finish(&a);
}
