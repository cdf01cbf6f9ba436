/* test_smuggling.c - the unread body of an answered request is never interpreted as a request.
 *
 * nginx keeps its connections to the pool open, and has sent the whole body by the time a responder answers.  If the
 * responder left the body unread, libfcgi would continue to read there and take the sender's bytes for FastCGI
 * records, with which a sender could set any parameter.  These tests send bodies that consist of such records to every
 * route that answers without needing the body.
 *
 * The early answers do not include 422: a record begins with the byte 1, which cannot occur in JSON. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/fcgi_forgery.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"
#include "support/scrape.h"

#define BODY_MOST (64 * 1024)
#define BODY_USUAL 20000 /* libfcgi reads 8 KiB at a time and discards them: the danger is in what follows */
#define ANSWER_MS 5000

#define JSON "Content-Type: application/json\r\n"

/* Sizes around those that libfcgi and the responder read at a time. */
static const size_t sizes[] = {
	1, 8, 4088, 4095, 4096, 4097, 8184, 8191, 8192, 8193, 12288, 16384, 32768, 32776, 65528, BODY_MOST};

static struct raw connection;
static char body[BODY_MOST];
static long sent; /* requests that a responder has answered */

/* The sum of payhook_http_requests_total. */
static double count_requests(void)
{
	struct scrape s;
	double sum = 0;

	scrape_take(&s, 0);
	for (const char *line = strstr(s.text, "\npayhook_http_requests_total{"); line != NULL;
		line = strstr(line + 1, "\npayhook_http_requests_total{"))
		sum += strtod(strstr(line, "\"} ") + 3, NULL);
	scrape_finish(&s);
	return sum;
}

static void send_body(const char *request_line, const char *headers, size_t len, bool chunked)
{
	char head[1024];

	snprintf(head, sizeof(head),
		chunked ? "%s HTTP/1.1\r\nHost: payhook\r\n%sTransfer-Encoding: chunked\r\n\r\n%zx\r\n"
			: "%s HTTP/1.1\r\nHost: payhook\r\n%sContent-Length: %zu\r\n\r\n",
		request_line, headers, len);
	cr_assert(raw_send_text(&connection, head) && raw_send(&connection, body, len), "%s", request_line);
	if (chunked)
		cr_assert(raw_send_text(&connection, "\r\n0\r\n\r\n"));
}

static void expect_own(const char *request_line, int status)
{
	struct answer a;

	connection.is_head = strncmp(request_line, "HEAD ", 5) == 0;
	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer to %s", request_line);
	cr_assert_eq(a.status, status, "%s: %d\n%s%s", request_line, a.status, a.head, a.body);
	cr_assert_null(strstr(a.head, "forged"), "%s", a.head);
	cr_assert_null(strstr(a.body, "forged"), "%s", a.body);
	answer_finish(&a);
	connection.is_head = false;
	sent++;
}

static void send_and_expect(const char *request_line, const char *headers, size_t len, bool chunked, int status)
{
	send_body(request_line, headers, len, chunked);
	expect_own(request_line, status);
}

/* Requests with distinguishable answers, on connections that the earlier bodies may have poisoned. */
static void all_is_in_order(void)
{
	for (int n = 0; n < 4; n++) {
		send_and_expect("GET /livez", "", 0, false, 200);
		send_and_expect("GET /nowhere", "", 0, false, 404);
		send_and_expect("GET /", "", 0, false, 200);
	}
}

/* Valid webhooks follow any forged ones on each connection to the database, so those would be stored by now. */
static void nothing_was_forged(void)
{
	char ours[WEBHOOK_MAX], id[64];

	for (int n = 0; n < 8; n++, sent++)
		expect_accepted(webhook_simple(fresh_id("behind", id), ours));
	cr_assert_eq(
		database_number("SELECT count(*) FROM payhook.transactions WHERE transaction_id ~ '^(forged|skipped)'"),
		0);
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transaction_conflicts"), 0);
}

/* Sends each kind of forgery at each shift, and each size at each shift; every second one is chunked. */
static void send_forgeries(const char *request_line, const char *headers, int status)
{
	char id[64];

	for (int shift = 0; shift < FORGED_SHIFTS; shift++) {
		for (int kind = 0; kind < FORGERIES; kind++) {
			fcgi_forgery_body(body, BODY_USUAL, shift, (enum forgery)kind, fresh_id("forged", id));
			send_and_expect(request_line, headers, BODY_USUAL, (kind + shift) % 2 == 1, status);
		}
		all_is_in_order();
		for (size_t n = 0; n < COUNT_OF(sizes); n++) {
			size_t len = sizes[n];
			fcgi_forgery_body(body, len, shift % (int)len, FORGED_PLAINLY, fresh_id("forged", id));
			send_and_expect(request_line, headers, len, ((int)n + shift) % 2 == 1, status);
		}
		all_is_in_order();
	}
}

/* Sends all forgeries from this address; 127.0.0.1 may read everything. */
static void smuggle_from(const char *address, const char *request_line, const char *headers, int status, bool by_nginx)
{
	double before = count_requests();
	long own;

	background_sender_begin();
	sent = 0;
	raw_open_from(&connection, address);
	send_forgeries(request_line, headers, status);
	own = by_nginx ? FORGED_SHIFTS * ((long)FORGERIES + (long)COUNT_OF(sizes)) : 0;
	nothing_was_forged();
	cr_assert(!connection.has_ended && connection.len == 0, "%s: bytes after the last answer: %.*s", request_line,
		(int)connection.len, connection.bytes);
	raw_close(&connection);
	background_sender_end();
	/* The first scrape is counted only after it has been answered. */
	double expected = (double)(sent - own + background_sender_posts() + 1);
	double counted = count_requests() - before;
	cr_assert(counted == expected, "%s: %.0f requests counted, %.0f sent", request_line, counted, expected);
}

static void smuggle(const char *request_line, const char *headers, int status)
{
	smuggle_from("127.0.0.1", request_line, headers, status, false);
}

Test(smuggling, a_body_for_an_unknown_path_is_not_read_as_records)
{
	smuggle("POST /nowhere", JSON, 404);
	smuggle("POST /v1/webhooks/nobody-configured-this", JSON, 404);
}

Test(smuggling, a_body_for_a_wrong_method_is_not_read_as_records)
{
	smuggle("PUT " WEBHOOKS, JSON, 405);
	smuggle("POST /livez", "", 405);
	smuggle("DELETE /v1/transactions/some-id", "", 405);
}

Test(smuggling, a_body_with_a_get_is_not_read_as_records)
{
	smuggle("GET /livez", "", 200);
	smuggle("GET /v1/transactions/nobody-sent-this", "", 404);
	smuggle("HEAD /livez", "", 200);
	smuggle("HEAD /v1/transactions/nobody-sent-this", "", 404);
}

Test(smuggling, a_body_of_another_type_is_not_read_as_records)
{
	smuggle("POST " WEBHOOKS, "Content-Type: application/octet-stream\r\n", 415);
	smuggle("POST " WEBHOOKS, "", 415);
}

Test(smuggling, a_body_that_is_no_json_is_not_read_as_records)
{
	smuggle("POST " WEBHOOKS, JSON, 400);
}

/* A wrong, a missing and a malformed signature are each answered before anything has parsed the body. */
Test(smuggling, a_body_that_is_not_signed_is_not_read_as_records)
{
	smuggle("POST /v1/webhooks/signed", JSON, 401);
	smuggle("POST /v1/webhooks/signed", JSON "X-Hub-Signature-256: sha256=zz\r\n", 401);
	smuggle("POST /v1/webhooks/signed",
		JSON "X-Hub-Signature-256: sha256="
		     "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd\r\n",
		401);
}

/* nginx itself reads and discards these bodies. */
Test(smuggling, a_body_that_nginx_refuses_is_not_read_as_records)
{
	smuggle_from("127.0.0.2", "GET /metrics", "", 403, true);
	smuggle_from("127.0.0.1", "POST /.problem", JSON, 404, true);
}

Test(smuggling, a_body_that_is_too_long_is_not_read_as_records)
{
	static char long_body[70000];
	struct answer a;
	char id[64];

	background_sender_begin();
	for (int n = 0; n < 4; n++) {
		fresh_id("forged", id);
		memset(long_body, ' ', sizeof(long_body));
		for (size_t at = 0; at + FORGED_MOST < sizeof(long_body);)
			at += fcgi_forgery(long_body + at, FORGED_PLAINLY, id);
		raw_open(&connection);
		raw_send_text(&connection,
			"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Length: 70000\r\n" JSON "\r\n");
		raw_send(&connection, long_body, sizeof(long_body));
		cr_assert(raw_answer(&connection, &a, ANSWER_MS));
		expect_problem_once(&a, 413, "70,000 bytes");
		raw_close(&connection);
	}
	raw_open(&connection);
	all_is_in_order();
	raw_close(&connection);
	nothing_was_forged();
	background_sender_end();
}
