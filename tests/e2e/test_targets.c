/* test_targets.c - the request target: absolute URIs, escapes, and bytes that are not allowed in a path. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/wire.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: payhook\r\n\r\n"
#define POST(target) "POST " target " HTTP/1.1\r\n@HEAD@Content-Length: @LEN@\r\n\r\n@BODY@"
#define NOBODY "/v1/transactions/nobody-sent-this"

Test(targets, an_absolute_uri_is_its_path)
{
	static const struct wire_case cases[] = {
		{"a webhook to another host", POST("http://other@HOOK@"), 202, KEPT},
		{"a transaction of another host", GET("http://other" NOBODY), 404, KEPT},
		{"another host", GET("http://other/livez"), 200, KEPT},
		{"https", GET("https://other/livez"), 200, KEPT},
		{"another scheme", GET("ftp://other/livez"), 200, KEPT},
		{"an address", GET("http://[::1]/livez"), 200, KEPT},
		{"a port that nobody has", GET("http://other:99999/livez"), 200, KEPT},
		{"no path", GET("http://other"), 200, KEPT},
		{"a user and a password", GET("http://user:word@other/livez"), 400, CLOSED},
		{"no host", GET("file:///livez"), 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(targets, other_forms_are_refused)
{
	static const struct wire_case cases[] = {
		{"a host and port", GET("other:80"), 400, CLOSED},
		{"an asterisk", GET("*"), 400, CLOSED},
		{"an asterisk with OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400, CLOSED},
		{"CONNECT", "CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n", 400, CLOSED},
		{"CONNECT with a path", "CONNECT / HTTP/1.1\r\nHost: other\r\n\r\n", 405, CLOSED},
		{"no slash", GET("livez"), 400, CLOSED},
		{"a query alone", GET("?x"), 400, CLOSED},
		{"nothing", "GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

/* An escaped slash is part of a segment, an escaped dot is a dot, and nothing is decoded twice. */
Test(targets, an_escape_means_one_byte_once)
{
	static const struct wire_case cases[] = {
		{"letters", GET("/%6c%69vez"), 200, KEPT},
		{"a slash between segments", GET("/v1%2Ftransactions%2Fnobody"), 404, KEPT},
		{"a slash in a webhook's path", POST("/v1%2fwebhooks%2ftransactions"), 404, KEPT},
		{"a slash in an id", GET("/v1/transactions/a%2Fb"), 404, KEPT},
		{"dots", GET("/v1/%2e%2e/livez"), 200, KEPT},
		{"dots to a webhook", POST("/x/%2e%2e@HOOK@"), 202, KEPT},
		{"dots above the root", GET("/%2e%2e/livez"), 400, CLOSED},
		{"dots above the root, plain", GET("/../livez"), 400, CLOSED},
		{"dots with an escaped slash", GET("/v1/..%2flivez"), 404, KEPT},
		{"dots escaped twice", GET("/v1/%252e%252e/livez"), 404, KEPT},
		{"dots and a backslash", GET("/v1/..\\livez"), 404, KEPT},
		{"dots in overlong UTF-8", GET("/v1/%c0%ae%c0%ae/livez"), 404, KEPT},
		{"a second slash", GET("//livez"), 404, KEPT},
		{"out of nothing to a webhook", POST("/v1/webhooks//../transactions"), 404, KEPT},
		{"out of a slash to a webhook", POST("/x%2Fy/..@HOOK@"), 404, KEPT},
		{"a slash behind", GET("/livez/"), 404, KEPT},
		{"capitals", GET("/LIVEZ"), 404, KEPT},
		{"a parameter", GET("/livez;x=1"), 404, KEPT},
		{"half an escape", GET("/livez%"), 400, CLOSED},
		{"a third of an escape", GET("/livez%4"), 400, CLOSED},
		{"an escape of no byte", GET("/livez%zz"), 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

Test(targets, bytes_that_no_path_has_are_refused)
{
	static const struct wire_case cases[] = {
		{"a NUL", GET("/livez@NUL@"), 400, CLOSED},
		{"an escaped NUL", GET("/livez%00"), 400, CLOSED},
		{"an escaped NUL in an id", GET("/v1/transactions/a%00b"), 400, CLOSED},
		{"an escaped NUL in a webhook's path", POST("@HOOK@%00"), 400, CLOSED},
		{"a space", GET("/livez x"), 400, CLOSED},
		{"a tab", GET("/li\tvez"), 400, CLOSED},
		{"a carriage return", GET("/livez\rX"), 400, CLOSED},
		{"a control character", GET("/livez\001"), 400, CLOSED},
		{"a delete", GET("/livez\177"), 400, CLOSED},
		{0},
	};

	wire_expect(cases);
}

/* Such an id cannot be stored, so it is not found. */
Test(targets, an_id_with_bytes_that_none_has_is_not_there)
{
	static const struct wire_case cases[] = {
		{"a line", GET("/v1/transactions/a%0d%0aX-Injected:%20yes"), 404, KEPT},
		{"a line feed", GET("/v1/transactions/a%0ab"), 404, KEPT},
		{"a delete", GET("/v1/transactions/a%7fb"), 404, KEPT},
		{"broken UTF-8", GET("/v1/transactions/\xff\xfe"), 404, KEPT},
		{"overlong UTF-8", GET("/v1/transactions/%c0%af"), 404, KEPT},
		{"a surrogate", GET("/v1/transactions/%ed%a0%80"), 404, KEPT},
		{"a quote and a semicolon", GET("/v1/transactions/'%3B--"), 404, KEPT},
		{0},
	};

	wire_expect(cases);
}

Test(targets, nothing_of_a_target_reaches_the_headers_of_its_answer)
{
	static const char *const targets[] = {"/v1/transactions/a%0d%0aX-Injected:%20yes", "/%0d%0aX-Injected:%20yes",
		"/livez?%0d%0aX-Injected:%20yes", "/%0aX-Injected:yes", NULL};

	for (const char *const *target = targets; *target != NULL; target++) {
		struct answer a;
		char value[16];
		call_get(*target, &a);
		cr_assert(a.status == 404 || a.status == 200, "%s: %d", *target, a.status);
		cr_assert_not(answer_header(&a, "X-Injected", value, sizeof(value)), "%s: %s", *target, a.head);
		answer_finish(&a);
	}
}

static const char *long_target(char *ret, size_t size, size_t len)
{
	int used = snprintf(ret, size, "GET /");

	memset(ret + used, 'u', len - 1);
	snprintf(ret + (size_t)used + len - 1, size - (size_t)used - len + 1, " HTTP/1.1\r\nHost: payhook\r\n\r\n");
	return ret;
}

/* "GET ", " HTTP/1.1" and the line end take 15 bytes of the 8 KiB. */
Test(targets, up_to_8_kib_of_a_request_line_are_taken)
{
	static char text[3][16 * 1024];

	const struct wire_case cases[] = {
		{"8177 bytes", long_target(text[0], sizeof(text[0]), 8177), 404, KEPT},
		{"8178 bytes", long_target(text[1], sizeof(text[1]), 8178), 414, CLOSED},
		{"9000 bytes", long_target(text[2], sizeof(text[2]), 9000), 414, CLOSED},
		{0},
	};
	wire_expect(cases);
}
