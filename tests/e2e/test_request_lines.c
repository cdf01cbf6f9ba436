/* test_request_lines.c - methods, HTTP versions and other protocols on the plain port. */

#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/instance.h"
#include "support/raw.h"
#include "support/wire.h"

#define ANSWER_MS 5000
#define HOST "Host: payhook\r\n\r\n"

Test(request_lines, a_method_is_upper_case_and_one_that_the_path_has)
{
	static const struct wire_case cases[] = {
		{"lower case", "get /livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"mixed case", "Get /livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"digits", "GET1 /livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"TRACE", "TRACE / HTTP/1.1\r\n" HOST, 405, CLOSED},
		{"TRACE with a body", "TRACE / HTTP/1.1\r\nContent-Length: 2\r\n" HOST "{}", 405, CLOSED},
		{"OPTIONS", "OPTIONS /livez HTTP/1.1\r\n" HOST, 405, KEPT},
		{"PATCH", "PATCH @HOOK@ HTTP/1.1\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@", 405, KEPT},
		{"PUT", "PUT @HOOK@ HTTP/1.1\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@", 405, KEPT},
		{"PROPFIND", "PROPFIND /livez HTTP/1.1\r\n" HOST, 405, KEPT},
		{"one that nobody has", "BREW /livez HTTP/1.1\r\n" HOST, 405, KEPT},
		{"one with a dash", "M-SEARCH /livez HTTP/1.1\r\n" HOST, 405, KEPT},
		{"one that begins like another", "POSTS @HOOK@ HTTP/1.1\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@",
			405, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(request_lines, spaces_separate_and_nothing_else)
{
	static const struct wire_case cases[] = {
		{"tabs", "GET\t/livez\tHTTP/1.1\r\n" HOST, 400, CLOSED},
		{"a tab before the version", "GET /livez\tHTTP/1.1\r\n" HOST, 400, CLOSED},
		{"a vertical tab", "GET\v/livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"a space before all", " GET /livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"a NUL before all", "@NUL@GET /livez HTTP/1.1\r\n" HOST, 400, CLOSED},
		{"two spaces", "GET  /livez  HTTP/1.1\r\n" HOST, 200, KEPT},
		{"a space behind all", "GET /livez HTTP/1.1 \r\n" HOST, 200, KEPT},
		{"empty lines before all", "\r\n\r\nGET /livez HTTP/1.1\r\n" HOST, 200, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(request_lines, versions_of_http_1_are_served_and_no_others)
{
	static const struct wire_case cases[] = {
		{"1.0", "GET /livez HTTP/1.0\r\n" HOST, 200, CLOSED},
		{"1.0, kept", "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n" HOST, 200, KEPT},
		{"1.0, a webhook", "POST @HOOK@ HTTP/1.0\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@", 202, CLOSED},
		{"1.9", "GET /livez HTTP/1.9\r\n" HOST, 200, KEPT},
		{"2.0", "GET /livez HTTP/2.0\r\n" HOST, 505, CLOSED},
		{"9.9", "GET /livez HTTP/9.9\r\n" HOST, 505, CLOSED},
		{"0.9", "GET /livez HTTP/0.9\r\n" HOST, 400, CLOSED},
		{"01.1", "GET /livez HTTP/01.1\r\n" HOST, 400, CLOSED},
		{"1.", "GET /livez HTTP/1.\r\n" HOST, 400, CLOSED},
		{"lower case", "GET /livez http/1.1\r\n" HOST, 400, CLOSED},
		{"another protocol", "GET /livez ICY/1.1\r\n" HOST, 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(request_lines, other_protocols_are_answered_in_http)
{
	static const struct wire_case cases[] = {
		{"HTTP/2 without an agreement",
			"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n@NUL@@NUL@@NUL@\004@NUL@@NUL@@NUL@@NUL@@NUL@", 400, CLOSED},
		{"TLS", "\026\003\001@NUL@\304\001@NUL@@NUL@\300\003\003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 400, CLOSED},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", 400, CLOSED},
		{"a balancer's PROXY line", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /livez HTTP/1.1\r\n" HOST, 400,
			CLOSED},
		{"FastCGI", "\001\001@NUL@\001@NUL@\010@NUL@@NUL@@NUL@\001\001@NUL@@NUL@@NUL@@NUL@@NUL@", 400, CLOSED},
		/* An upgrade is requested and not granted: the answer is HTTP/1.1. */
		{"an upgrade to HTTP/2",
			"GET /livez HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
			"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" HOST,
			200, KEPT},
		{"an upgrade to WebSocket", "GET /livez HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" HOST,
			200, KEPT},
		{0},
	};

	wire_expect(cases);
}

/* An answer of HTTP/0.9 has neither status nor headers: it is the body alone and ends with the connection. */
static void expect_bare(const char *request, const char *beginning)
{
	static struct raw connection;

	raw_open(&connection);
	cr_assert(raw_send_text(&connection, request));
	cr_assert(raw_wait_end(&connection, ANSWER_MS), "%s: not closed", request);
	cr_assert(connection.len >= strlen(beginning) && memcmp(connection.bytes, beginning, strlen(beginning)) == 0,
		"%s: %.*s", request, (int)connection.len, connection.bytes);
	raw_close(&connection);
}

Test(request_lines, http_0_9_gets_a_body_and_can_post_nothing)
{
	expect_bare("GET /livez\r\n", "{\"status\":\"alive\"}");
	expect_bare("GET /livez\nX HTTP/1.1\r\nHost: payhook\r\n\r\n", "{\"status\":\"alive\"}");
	expect_bare("POST " WEBHOOKS "\r\n", "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400");
	expect_bare("POST " WEBHOOKS "\r\nContent-Length: 2\r\n\r\n{}",
		"{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400");
}

Test(request_lines, a_sender_that_waits_for_100_continue_gets_it)
{
	static struct raw connection;
	struct answer a;

	raw_open(&connection);
	cr_assert(raw_send_text(&connection, "POST " WEBHOOKS " HTTP/1.1\r\nContent-Type: application/json\r\n"
					     "Content-Length: 2\r\nExpect: 100-continue\r\n" HOST));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 100, "%d %s", a.status, a.body);
	answer_finish(&a);
	cr_assert(raw_send_text(&connection, "{}"));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 422, "%d %s", a.status, a.body);
	answer_finish(&a);
	raw_close(&connection);
}
