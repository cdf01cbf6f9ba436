/* test_http_message.c - parsing a captured HTTP request in place, and refusing an ambiguous one. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_message.h"

static char *copy;
static struct http_message m;

static bool reads(const char *text, size_t len, struct fault *f)
{
	free(copy);
	copy = malloc(len + 1);
	memcpy(copy, text, len);
	bool read = http_message_read(copy, len, &m, f);
	cr_expect(read || f->kind == FAULT_MALFORMED);
	return read;
}

static void takes(const char *text)
{
	struct fault f;
	cr_assert(reads(text, strlen(text), &f), "%s: %s", text, f.text);
}

static void refuses_bytes(const char *text, size_t len, const char *why)
{
	struct fault f;
	m = (struct http_message){.count = -1};
	cr_assert_not(reads(text, len, &f), "%s", text);
	cr_expect_str_eq(f.text, why);
	cr_expect_eq(m.count, -1);
}

static void refuses(const char *text, const char *why)
{
	refuses_bytes(text, strlen(text), why);
}

#define LINE "POST /v1/webhooks/x?a=b HTTP/1.1\r\n"

Test(http_message, reads_request_line_headers_and_body)
{
	takes(LINE "Host: us.example\r\nX-Sig:  v1=ab \t\r\nEmpty:\r\n\r\n{\"a\":1}\r\n");
	cr_expect_str_eq(m.method, "POST");
	cr_expect_str_eq(m.target, "/v1/webhooks/x?a=b");
	cr_expect_eq(m.count, 3);
	cr_expect_str_eq(http_message_header(&m, "host"), "us.example");
	cr_expect_str_eq(http_message_header(&m, "x-sig"), "v1=ab");
	cr_expect_str_eq(http_message_header(&m, "empty"), "");
	cr_expect_null(http_message_header(&m, "X-Sig"));
	cr_expect_null(http_message_header(&m, "x"));
	cr_expect_eq(m.len, 9);
	cr_expect_arr_eq(m.body, "{\"a\":1}\r\n", 9);
}

Test(http_message, takes_line_feeds_for_line_ends_and_leaves_the_body_alone)
{
	takes("POST / HTTP/1.1\nA: b\n\n\r\n\nbody: x\r\n\n");
	cr_expect_str_eq(http_message_header(&m, "a"), "b");
	cr_expect_eq(m.len, 13);
	cr_expect_arr_eq(m.body, "\r\n\nbody: x\r\n\n", 13);
	takes("POST / HTTP/2\n\n");
	cr_expect_eq(m.count, 0);
	cr_expect_eq(m.len, 0);
}

Test(http_message, gives_the_first_of_a_header_that_is_there_twice)
{
	takes(LINE "A: 1\r\na: 2\r\nB: x:y\r\n\r\n");
	cr_expect_str_eq(http_message_header(&m, "a"), "1");
	cr_expect_str_eq(http_message_header(&m, "b"), "x:y");
}

Test(http_message, refuses_what_is_no_request)
{
	static const char no_line[] = "line 1 is no request line, as \"POST /v1/webhooks/stripe HTTP/1.1\" is one";
	static const char no_end[] = "the text ends before the empty line that should stand behind the headers";
	char why[200];
	refuses("HTTP/1.1 200 OK\r\n\r\n", no_line);
	refuses("{\"a\":1}\n", no_line);
	refuses("\r\n" LINE "\r\n", no_line);
	refuses("POST  / HTTP/1.1\r\n\r\n", no_line);
	refuses("POST / HTTP/1.1 \r\n\r\n", no_line);
	refuses("POST /\ta HTTP/1.1\r\n\r\n", no_line);
	refuses("POST / http/1.1\r\n\r\n", no_line);
	refuses("\xef\xbb\xbfPOST / HTTP/1.1\r\n\r\n", no_line);
	snprintf(why, sizeof why, "line 1: %s", no_end);
	refuses("", why);
	refuses("POST / HTTP/1.1", why);
	snprintf(why, sizeof why, "line 3: %s", no_end);
	refuses(LINE "A: b\r\n", why);
	refuses(LINE "A: b\r\nC", why);
}

Test(http_message, refuses_headers_that_could_be_read_in_two_ways)
{
	refuses(LINE "A: b\r\n c\r\n\r\n",
		"line 3 begins with a space: a header that goes on over lines is to be put into one");
	refuses(LINE "A : b\r\n\r\n", "line 2 is no header: a name and a colon are wanted");
	refuses(LINE ": b\r\n\r\n", "line 2 is no header: a name and a colon are wanted");
	refuses(LINE "secret\r\n\r\n", "line 2 is no header: a name and a colon are wanted");
	refuses(LINE "A: b\rC: d\r\n\r\n", "line 2 holds a control character");
	refuses(LINE "A: \x7f\r\n\r\n", "line 2 holds a control character");
	refuses_bytes(LINE "A: \0b\r\n\r\n", sizeof LINE + 8, "line 2 holds a control character");
	refuses(LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"it has the header Transfer-Encoding: the body is wanted as it is without, and not that header");
}

Test(http_message, bounds_head_and_headers)
{
	char text[HTTP_HEAD_MAX + 100];
	size_t len = (size_t)snprintf(text, sizeof text, LINE);
	for (int i = 0; i <= HTTP_HEADERS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "A: b\r\n");
	snprintf(text + len, sizeof text - len, "\r\n");
	refuses(text, "line 102: there are more than 100 headers");
	snprintf(text + len - 6, sizeof text - len + 6, "\r\n");
	takes(text);
	cr_expect_eq(m.count, HTTP_HEADERS_MAX);
	len = (size_t)snprintf(text, sizeof text, LINE "A: ");
	memset(text + len, 'x', sizeof text - len);
	memcpy(text + HTTP_HEAD_MAX - 4, "\r\n\r\nbody", 8);
	struct fault f;
	cr_expect(reads(text, HTTP_HEAD_MAX + 4, &f), "%s", f.text);
	cr_expect_eq(m.len, 4);
	memcpy(text + HTTP_HEAD_MAX - 4, "x\r\n\r\nbody", 9);
	refuses_bytes(text, HTTP_HEAD_MAX + 5, "line 3: the head is longer than 32768 bytes");
}
