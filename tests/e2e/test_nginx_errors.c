/* test_nginx_errors.c - errors that nginx answers itself have the same form as those of payhook. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/logs.h"
#include "support/raw.h"

#define ANSWER_MS 5000

static struct raw connection;

/* Sends bytes on a new connection and expects a problem, after which nginx closes the connection. */
static void refuses_bytes(const char *bytes, int status)
{
	struct answer a;

	raw_open(&connection);
	cr_assert(raw_send_text(&connection, bytes));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer to %s", bytes);
	expect_problem_once(&a, status, bytes);
	raw_close(&connection);
}

Test(nginx_errors, what_is_no_http_is_a_bad_request)
{
	refuses_bytes("GARBAGE\r\n\r\n", 400);
	refuses_bytes("\x16\x03\x01\x02\x01\x01\x01\r\n\r\n", 400);
	refuses_bytes("GET / HTTP/1.1\r\n\r\n", 400);
	refuses_bytes("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
	refuses_bytes("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
	refuses_bytes("POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400);
	refuses_bytes("POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400);
	refuses_bytes("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

Test(nginx_errors, two_lengths_of_one_body_are_a_bad_request)
{
	refuses_bytes("POST " WEBHOOKS
		      " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		400);
	refuses_bytes("POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400);
}

Test(nginx_errors, a_broken_chunk_is_a_bad_request)
{
	refuses_bytes("POST " WEBHOOKS
		      " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
		      "zz\r\n{}\r\n0\r\n\r\n",
		400);
}

/* error_page makes a GET of a request that nginx refuses; the log is about the request that came. */
Test(nginx_errors, a_refused_request_is_logged_with_the_method_it_came_with)
{
	static const char *const methods[] = {"POST", "PUT", "GET"};
	char request[256], request_id[64], method[32], line[4096];
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(methods); n++) {
		snprintf(request, sizeof(request),
			"%s " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n", methods[n]);
		raw_open(&connection);
		cr_assert(raw_send_text(&connection, request));
		cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer to %s", request);
		cr_assert_eq(a.status, 413, "%s: %d", methods[n], a.status);
		answer_header(&a, "X-Request-Id", request_id, sizeof(request_id));
		answer_finish(&a);
		raw_close(&connection);
		snprintf(method, sizeof(method), "\"method\":\"%s\"", methods[n]);
		logs_wait("access", request_id, method, line, sizeof(line));
	}
}

/* Neither what is no method nor what would break a line gets into the log. */
Test(nginx_errors, what_is_no_method_is_logged_as_none)
{
	char line[4096], request_id[64];
	struct answer a;

	raw_open(&connection);
	cr_assert(raw_send_text(&connection, "\x16\x03\x01\x02 / HTTP/1.1\r\n\r\n"));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	answer_header(&a, "X-Request-Id", request_id, sizeof(request_id));
	expect_problem_once(&a, 400, "no method");
	raw_close(&connection);
	logs_wait("access", request_id, "\"method\":\"\"", line, sizeof(line));
}

Test(nginx_errors, methods_nobody_has_are_refused)
{
	struct answer a;

	call_send(&(struct call){.method = "TRACE", .target = "/"}, &a);
	expect_problem_once(&a, 405, "TRACE");
	refuses_bytes("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", 400);
	refuses_bytes("get / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

Test(nginx_errors, a_target_that_is_too_long_is_reported)
{
	char *target = malloc(70000);
	struct answer a;

	cr_assert_not_null(target);
	memset(target, 'u', 70000);
	target[0] = '/';
	target[69999] = '\0';
	call_send(&(struct call){.target = target}, &a);
	expect_problem_once(&a, 414, "a target of 70 kB");
	free(target);
}

Test(nginx_errors, headers_that_are_too_long_are_reported)
{
	char *header = malloc(70000);
	struct answer a;

	cr_assert_not_null(header);
	memset(header, 'h', 70000);
	memcpy(header, "X-Long: ", 8);
	header[69999] = '\0';
	call_send(&(struct call){.target = "/", .header = header}, &a);
	expect_problem_once(&a, 431, "a header of 70 kB");
	free(header);
}

Test(nginx_errors, an_answer_does_not_repeat_what_the_sender_wrote)
{
	struct answer a;

	call_get("/%3Cscript%3E\"quote", &a);
	cr_assert_null(strstr(a.body, "script"));
	expect_problem_once(&a, 404, "a path with a quote");
	call_get("/%zz\"quote", &a);
	cr_assert_null(strstr(a.body, "quote"));
	expect_problem_once(&a, 400, "a bad path with a quote");
}

Test(nginx_errors, transfer_codings_and_versions_that_are_not_spoken_are_reported)
{
	refuses_bytes("POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
	refuses_bytes("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
}

Test(nginx_errors, http_1_0_is_served)
{
	struct answer a;

	raw_open(&connection);
	cr_assert(raw_send_text(&connection, "GET /livez HTTP/1.0\r\n\r\n"));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 200, "%d %s", a.status, a.body);
	cr_assert(raw_wait_end(&connection, ANSWER_MS));
	answer_finish(&a);
	raw_close(&connection);
}
