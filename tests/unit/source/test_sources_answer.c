/* test_sources_answer.c - "answer" of a source: what is read, and what is refused. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources s;
static char complaints[4000];

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

static bool reads(const char *answer)
{
	static char text[4000];
	struct sources_outside outside = {.file = "f", .extras = &extras, .report = complain};
	complaints[0] = '\0';
	sources_finish(&s);
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\"%s%s}]}",
		*answer ? ",\"answer\":" : "", answer);
	cr_assert_lt(len, (int)sizeof text);
	return sources_read(text, (size_t)len, &outside, &s);
}

static void takes(const char *answer, int status, const char *body, const char *type)
{
	cr_assert(reads(answer), "%s: %s", answer, complaints);
	const struct source_answer *a = &s.list[0].answer;
	cr_expect_eq(a->status, status, "%s", answer);
	cr_expect_eq(a->has_body, body != NULL, "%s", answer);
	if (!body)
		return;
	cr_expect_str_eq(a->body, body);
	cr_expect_str_eq(a->type, type);
}

static void refuses(const char *answer, const char *why)
{
	char wanted[600];
	cr_assert_not(reads(answer), "%s was taken", answer);
	snprintf(wanted, sizeof wanted, "f:1: /sources/0/answer%s", why);
	cr_expect_str_eq(complaints, wanted);
	cr_expect_eq(s.count, 0);
}

Test(sources_answer, is_a_status_or_an_object)
{
	takes("", 0, NULL, NULL);
	takes("200", 200, NULL, NULL);
	takes("202", 202, NULL, NULL);
	takes("204", 204, NULL, NULL);
	takes("{}", 202, NULL, NULL);
	takes("{\"status\":200}", 200, NULL, NULL);
	takes("{\"body\":\"[accepted]\"}", 202, "[accepted]", "text/plain");
	takes("{\"status\":200,\"body\":\"\"}", 200, "", "text/plain");
	takes("{\"status\":204,\"body\":\"\"}", 204, "", "text/plain");
	takes("{\"status\":200,\"body\":\"<a>\\r\\n\\t\xc3\xa9</a>\",\"type\":\"application/xml; charset=utf-8; x=1\"}",
		200, "<a>\r\n\t\xc3\xa9</a>", "application/xml; charset=utf-8; x=1");
}

Test(sources_answer, has_a_status_that_providers_take_for_received)
{
	refuses("201", ": 201: 200, 202 or 204 is wanted, since providers send again after anything else");
	refuses("500", ": 500: 200, 202 or 204 is wanted, since providers send again after anything else");
	refuses("{\"status\":301}",
		"/status: 301: 200, 202 or 204 is wanted, since providers send again after anything else");
	refuses("{\"status\":\"200\"}", "/status: 200, 202 or 204 is wanted");
	refuses("\"OK\"", ": 200, 202 or 204 is wanted, or an object such as {\"status\": 200, \"body\": \"OK\"}");
	refuses("null", ": 200, 202 or 204 is wanted, or an object such as {\"status\": 200, \"body\": \"OK\"}");
	refuses("200.0", ": 200.0: a whole number from 0 to 999 is wanted");
	refuses("{\"code\":200}", ": there is no member \"code\" here");
}

Test(sources_answer, has_a_body_within_its_bound)
{
	char longest[ANSWER_BODY_MAX + 2], text[ANSWER_BODY_MAX + 100];
	memset(longest, 'a', sizeof longest);
	longest[ANSWER_BODY_MAX] = '\0';
	snprintf(text, sizeof text, "{\"body\":\"%s\"}", longest);
	takes(text, 202, longest, "text/plain");
	snprintf(text, sizeof text, "{\"body\":\"%sa\"}", longest);
	refuses(text, "/body: is longer than 1023 bytes");
	refuses("{\"body\":true}", "/body: a string is wanted, and this is a boolean");
	refuses("{\"status\":204,\"body\":\"x\"}", "/body: has no meaning beside the status 204, which has no body");
}

/* The type is the only text that becomes a header. */
Test(sources_answer, cannot_add_a_header)
{
	static const char *const none[] = {"text", "/plain", "text/", "text/plain;", "text/plain; charset",
		"text/plain;=x", "text/plain; charset=", "text/plain charset=x", "text/plain, text/html", "te xt/plain",
		"text/plain; a=\\u00e9"};
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		char answer[200];
		snprintf(answer, sizeof answer, "{\"body\":\"\",\"type\":\"%s\"}", none[i]);
		cr_expect_not(reads(answer), "%s was taken", none[i]);
		cr_expect_not_null(strstr(complaints, "is no media type, as text/plain and application/json are"),
			"%s: %s", none[i], complaints);
	}
	refuses("{\"body\":\"\",\"type\":\"text/plain\\r\\nX-Y: z\"}", "/type: holds a control character");
	refuses("{\"body\":\"\",\"type\":\"text/plain\\nX-Y:z\"}", "/type: holds a control character");
	refuses("{\"type\":\"text/plain\"}", "/type: has no meaning without body");
}
