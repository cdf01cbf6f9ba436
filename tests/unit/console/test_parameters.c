/* test_parameters.c - the parameters of a request to the console, from its path, its query and its body. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parameters.h"

static struct path path;
static struct parameters parameters;
static struct buf body = {.max = 1 << 20};
static const struct endpoint *endpoint;
static struct fault f;

static bool reads(const char *method, const char *target, const char *text)
{
	const char *allow;
	cr_assert(path_read(target, &path, &f));
	endpoint = endpoint_find(method, &path, &allow);
	cr_assert_not_null(endpoint, "%s %s", method, target);
	buf_reset(&body, 0);
	buf_add_text(&body, text);
	memset(&f, 0, sizeof f);
	return parameters_read(endpoint, target, &path, &body, &parameters, &f);
}

static void has(const char *name, const char *value)
{
	const char *found = parameters.value[endpoint_parameter(endpoint, name, strlen(name))];
	if (value)
		cr_expect(found && strcmp(found, value) == 0, "%s: %s", name, found ? found : "absent");
	else
		cr_expect_null(found, "%s: %s", name, found);
}

static void refuses(const char *method, const char *target, const char *text, enum fault_kind kind, const char *why)
{
	cr_assert_not(reads(method, target, text), "%s %s %s", method, target, text);
	cr_expect_eq(f.kind, kind, "%s", f.text);
	cr_expect_not_null(strstr(f.text, why), "%s", f.text);
}

#define LIST "/console/api/v1/transactions"
#define RETRY LIST "/stripe/a%2Fb/retry"
#define PAUSE "/console/api/v1/pause"
#define OPERATIONS "/console/api/v1/operations"

Test(parameters, of_a_path_are_decoded_once)
{
	cr_assert(reads("GET", LIST "/stripe/a%2Fb%2525", ""));
	has("source", "stripe");
	has("id", "a/b%25");
}

Test(parameters, of_a_query_are_those_of_html_forms)
{
	cr_assert(reads("GET", LIST "?error=timed+out%21&from=&&limit=50&account=a%2Bb#status=FAILED", ""));
	has("error", "timed out!");
	has("from", "");
	has("limit", "50");
	has("account", "a+b");
	has("status", NULL);
	has("cursor", NULL);
}

Test(parameters, of_another_name_are_refused)
{
	refuses("GET", LIST "?sorce=stripe", "", FAULT_INPUT, "\"sorce\" is no parameter here");
	refuses("GET", LIST "?=x", "", FAULT_INPUT, "\"\" is no parameter");
	refuses("GET", "/console/api/v1/overview?limit=1", "", FAULT_INPUT, "\"limit\"");
	refuses("POST", RETRY, "{\"even-processed\":true}", FAULT_INPUT, "\"even-processed\"");
	/* The actor is the operator's own name. */
	refuses("POST", RETRY, "{\"actor\":\"x\"}", FAULT_INPUT, "\"actor\"");
	refuses("POST", RETRY, "{\"request_id\":\"x\"}", FAULT_INPUT, "\"request_id\"");
}

Test(parameters, are_there_once)
{
	refuses("GET", LIST "?source=a&source=b", "", FAULT_MALFORMED, "source is there twice");
	refuses("GET", LIST "/stripe/a?id=b", "", FAULT_MALFORMED, "id is there twice");
	refuses("POST", RETRY, "{\"id\":\"b\"}", FAULT_MALFORMED, "id is there twice");
	refuses("POST", RETRY "?reason=x", "{}", FAULT_INPUT, "not in the query");
}

Test(parameters, are_utf8_without_a_broken_escape)
{
	refuses("GET", LIST "?error=%zz", "", FAULT_MALFORMED, "error is broken");
	refuses("GET", LIST "?error=%4", "", FAULT_MALFORMED, "error is broken");
	refuses("GET", LIST "?error=%00", "", FAULT_MALFORMED, "error is broken");
	refuses("GET", LIST "?error=%ff", "", FAULT_INPUT, "error is not UTF-8");
	refuses("GET", LIST "/stripe/%ff", "", FAULT_INPUT, "id is not UTF-8");
}

Test(parameters, of_a_query_have_a_bounded_length)
{
	char target[2 * PARAMETERS_TEXT_MAX];
	int len = snprintf(target, sizeof target, LIST "?error=");
	memset(target + len, 'x', PARAMETERS_TEXT_MAX - 1);
	target[len + PARAMETERS_TEXT_MAX - 1] = '\0';
	cr_expect(reads("GET", target, ""), "%s", f.text);
	snprintf(target + len + PARAMETERS_TEXT_MAX - 1, 16, "%s", "x");
	refuses("GET", target, "", FAULT_TOO_LARGE, "3583 bytes");
	snprintf(target + len + PARAMETERS_TEXT_MAX - 1, 16, "%s", "&cursor=");
	refuses("GET", target, "", FAULT_TOO_LARGE, "3583 bytes");
}

Test(parameters, of_a_body_are_texts_whatever_their_type)
{
	cr_assert(
		reads("POST", OPERATIONS,
			" {\"filter\": {\"error\": \"a\\nb\", \"from\":null} , \"action\":\"re\\u0074ry\",\"rate\":200,"
			"\"dry_run\":true,\"reason\":\"\\ud83d\\ude00\"}"),
		"%s", f.text);
	has("filter", "{\"error\": \"a\\nb\", \"from\":null}");
	has("action", "retry");
	has("rate", "200");
	has("dry_run", "true");
	has("reason", "\xf0\x9f\x98\x80");
}

Test(parameters, of_a_body_may_be_null)
{
	cr_assert(reads("POST", RETRY, "{\"reason\":null,\"even_processed\":false}"));
	has("reason", NULL);
	has("even_processed", "false");
	has("id", "a/b");
}

/* A text that ended at its NUL would be another one: a source without its end, or none, which is all of them. */
Test(parameters, of_a_body_have_no_nul_and_no_half_character)
{
	refuses("POST", PAUSE, "{\"source\":\"\\u0000\"}", FAULT_INPUT, "source has a NUL");
	refuses("POST", PAUSE, "{\"source\":\"stripe\\u0000x\"}", FAULT_INPUT, "source has a NUL");
	refuses("POST", PAUSE, "{\"reason\":\"\\ud800\",\"source\":\"a\"}", FAULT_INPUT, "half of a surrogate pair");
}

Test(parameters, of_a_body_have_their_types)
{
	refuses("POST", RETRY, "{\"even_processed\":\"true\"}", FAULT_INPUT,
		"even_processed: a boolean is wanted, and this is a string");
	refuses("POST", RETRY, "{\"reason\":7}", FAULT_INPUT, "reason: a string is wanted, and this is a number");
	refuses("POST", OPERATIONS, "{\"filter\":[]}", FAULT_INPUT,
		"filter: an object is wanted, and this is an array");
	refuses("POST", OPERATIONS, "{\"rate\":\"1\"}", FAULT_INPUT, "rate: a number is wanted");
}

Test(parameters, of_a_body_are_one_object)
{
	refuses("POST", RETRY, "", FAULT_MALFORMED, "");
	refuses("POST", RETRY, "[]", FAULT_MALFORMED, "");
	refuses("POST", RETRY, "{\"reason\":\"a\",\"reason\":\"b\"}", FAULT_MALFORMED, "");
	cr_expect(reads("POST", RETRY, "{}"));
}
