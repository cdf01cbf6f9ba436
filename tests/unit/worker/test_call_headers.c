/* test_call_headers.c - the operator's headers of each call: what is one, and what is refused. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "call_headers.h"

static struct call_headers h;
static struct fault f;

/* Stands for the files: "token" has a secret with a newline, "two" two lines, "marked" a byte order mark, "none" is missing. */
static bool test_secret(void *ctx, const char *path, struct buf *ret, struct fault *why)
{
	(void)ctx;
	if (strcmp(path, "none") == 0)
		return fault_set(why, FAULT_INPUT, "it cannot be opened: No such file or directory");
	if (strcmp(path, "token") == 0)
		buf_add_text(ret, "  hunter2\n");
	if (strcmp(path, "two") == 0)
		buf_add_text(ret, "hunter2\r\nX-Evil: 1\n");
	if (strcmp(path, "marked") == 0)
		buf_add_text(ret, "\xef\xbb\xbfhunter2\n");
	for (int i = 0; strcmp(path, "long") == 0 && i < CALL_HEADERS_SECRET_MAX + 1; i++)
		buf_add_text(ret, "x");
	return file_check_mark(ret->data, ret->len, why); /* as file_read() does */
}

static void finish(void)
{
	call_headers_finish(&h);
}

TestSuite(call_headers, .fini = finish);

static bool reads(const char *text)
{
	call_headers_finish(&h);
	return call_headers_read(text, strlen(text), test_secret, NULL, &h, &f);
}

static const char *line(int i)
{
	return h.text.data + h.at[i];
}

static void refuses(const char *text, const char *why)
{
	struct call_headers before = {.count = 7};
	bool good = call_headers_read(text, strlen(text), test_secret, NULL, &before, &f);
	cr_expect_not(good, "%s", text);
	cr_expect_eq(before.count, 7, "the result was left alone");
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
	cr_expect_null(strstr(f.text, "hunter2"), "a value is quoted: %s", f.text);
}

Test(call_headers, takes_a_line_as_name_and_value)
{
	cr_assert(reads("# for the bank\n\nX-Tenant:north \r\nx-region: eu, west\n"), "%s", f.text);
	cr_assert_eq(h.count, 2);
	cr_expect_str_eq(line(0), "X-Tenant: north");
	cr_expect_str_eq(line(1), "x-region: eu, west");
	cr_expect(call_headers_have(&h, "x-tenant: other"));
	cr_expect(call_headers_have(&h, "X-REGION;"));
	cr_expect_not(call_headers_have(&h, "x-ten: 1"));
}

Test(call_headers, puts_the_content_of_a_file_into_a_value)
{
	cr_assert(reads("Authorization: Bearer {file:token}\nX-Two: {file:token}-{file:token}{x}"), "%s", f.text);
	cr_expect_str_eq(line(0), "Authorization: Bearer hunter2");
	cr_expect_str_eq(line(1), "X-Two: hunter2-hunter2{x}");
}

Test(call_headers, has_none_of_an_empty_file)
{
	cr_assert(reads(""));
	cr_expect_eq(h.count, 0);
	cr_assert(reads("\n# nothing\n"));
	cr_expect_eq(h.count, 0);
}

Test(call_headers, lets_no_value_begin_a_line_of_its_own)
{
	refuses("X-A: {file:two}", "line 1: the file of a value is empty, or has more than one line");
	refuses("X-A: a\rX-Evil: 1", "line 1: the value is empty or has a control character");
	refuses("X-A: \x7f", "control character");
	const char nul[] = "X-A: a\0b";
	cr_expect_not(call_headers_read(nul, sizeof nul - 1, test_secret, NULL, &h, &f));
}

Test(call_headers, refuses_what_is_payhook_s_or_the_connection_s)
{
	static const char *const NAMES[] = {"Content-Length", "content-encoding", "Transfer-Encoding", "HOST",
		"Idempotency-Key", "Content-Type", "Connection", "Expect", "TE", "Trailer", "Upgrade", "X-Request-Id",
		"traceparent", "Proxy-Authorization", "X-Payhook-Source", "webhook-signature", "User-Agent"};
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		char text[100];
		snprintf(text, sizeof text, "X-A: 1\n%s: hunter2\n", NAMES[i]);
		refuses(text, "line 2: ");
		cr_expect_not_null(strstr(f.text, NAMES[i]), "%s", f.text);
	}
}

Test(call_headers, names_the_line_of_what_is_wrong)
{
	refuses("X-A: 1\n\nhunter2\n", "line 3: \"Name: value\" is wanted");
	refuses("Bearer hunter2: x\n", "line 1: it does not begin with the name of a header");
	refuses("X-A: 1\nx-a: hunter2", "line 2: this header stands there twice");
	refuses("X-A:", "line 1: the value is empty");
	refuses(": hunter2", "line 1: it does not begin with the name");
	refuses("X-A: {file:none}", "line 1: the file of a value: it cannot be opened: No such file");
	refuses("X-A: {file:empty}", "line 1: the file of a value is empty");
	refuses("X-A: {file:marked}", "line 1: the file of a value: it begins with a byte order mark");
	refuses("X-A: {file:}", "wants the path of a file");
	refuses("X-A: {file:token", "closing brace");
	refuses("X-A: {file:long}", "more than 16384 bytes");
}

Test(call_headers, bounds_their_number)
{
	char text[40 * 16];
	int at = 0;
	for (int i = 0; i <= CALL_HEADERS_MAX; i++)
		at += snprintf(text + at, sizeof text - (size_t)at, "X-%d: 1\n", i);
	refuses(text, "line 33: more than 32 headers");
}
