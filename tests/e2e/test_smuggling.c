/* test_smuggling.c - a body that nobody asked for never becomes a request.
 *
 * nginx keeps its connections to the pool and has sent the whole body by the time a responder answers.  Were a body left
 * unread there, libfcgi would read on in it and take the sender's bytes for FastCGI records, in which a sender can name
 * any parameter.  So bodies are sent that are such records, to routes which need no body for their answer. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base.h"
#include "database.h"
#include "expect.h"
#include "instance.h"
#include "raw.h"

#define BODY_LEN 20000 /* libfcgi reads 8 KiB at a time: what it has read is lost, what lies behind is the danger */
#define ANSWER_MS 5000
#define SHIFTS 16 /* bytes of a record that is skipped */

enum record { BEGIN_REQUEST = 1, PARAMS = 4, STDIN = 5 };

static struct raw connection;
static char body[BODY_LEN];

static size_t add_record(char *at, enum record type, int request, const char *content, size_t len)
{
	const char head[8] = {1, (char)type, 0, (char)request, (char)(len >> 8), (char)(len & 255), 0, 0};

	memcpy(at, head, 8);
	memcpy(at + 8, content, len);
	return 8 + len;
}

static size_t add_param(char *at, const char *name, const char *value)
{
	at[0] = (char)strlen(name);
	at[1] = (char)strlen(value);
	memcpy(at + 2, name, strlen(name));
	memcpy(at + 2 + strlen(name), value, strlen(value));
	return 2 + strlen(name) + strlen(value);
}

/* A whole request that stores a transaction under this id. */
static size_t forge(char *at, const char *id)
{
	char params[1024], webhook_body[WEBHOOK_MAX], length[16];
	size_t len = 0, params_len = 0;

	webhook_simple(id, webhook_body);
	snprintf(length, sizeof(length), "%zu", strlen(webhook_body));
	params_len += add_param(params + params_len, "REQUEST_METHOD", "POST");
	params_len += add_param(params + params_len, "REQUEST_URI", WEBHOOKS);
	params_len += add_param(params + params_len, "CONTENT_TYPE", "application/json");
	params_len += add_param(params + params_len, "CONTENT_LENGTH", length);
	params_len += add_param(params + params_len, "PAYHOOK_REQUEST_ID", "forged");
	/* A responder's role, and keep the connection. */
	len += add_record(at + len, BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 8);
	len += add_record(at + len, PARAMS, 1, params, params_len);
	len += add_record(at + len, PARAMS, 1, "", 0);
	len += add_record(at + len, STDIN, 1, webhook_body, strlen(webhook_body));
	len += add_record(at + len, STDIN, 1, "", 0);
	return len;
}

/* A forged request at the end, led by records that belong to no request and are skipped: so it is found wherever
 * reading goes on, if that falls on the edge of a record.  One shift in SHIFTS does.  (A record to skip must have
 * content, else libfcgi skips the next one's.) */
static void fill_body(int shift, const char *id)
{
	char forged[4096];
	size_t forged_len = forge(forged, id);
	size_t at = (size_t)shift;

	memset(body, ' ', BODY_LEN);
	while (at + SHIFTS + forged_len <= BODY_LEN)
		at += add_record(body + at, STDIN, 2, "skipped.", 8);
	memcpy(body + at, forged, forged_len);
}

static void send_and_expect(const char *request_line, const char *headers, size_t body_len, int status)
{
	char head[512];
	struct answer a;

	snprintf(head, sizeof(head), "%s HTTP/1.1\r\nHost: payhook\r\nContent-Length: %zu\r\n%s\r\n", request_line,
		body_len, headers);
	cr_assert(raw_send_text(&connection, head) && raw_send(&connection, body, body_len), "%s", request_line);
	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer to %s", request_line);
	cr_assert_eq(a.status, status, "%s: %d\n%s%s", request_line, a.status, a.head, a.body);
	cr_assert_null(strstr(a.head, "forged"), "%s", a.head);
	answer_finish(&a);
}

/* Requests with answers of their own, on connections that the bodies before may have poisoned. */
static void all_is_in_order(void)
{
	for (int n = 0; n < 8; n++) {
		send_and_expect("GET /livez", "", 0, 200);
		send_and_expect("GET /nowhere", "", 0, 404);
		send_and_expect("GET /", "", 0, 200);
	}
}

static void nothing_was_forged(void)
{
	struct answer a;

	cr_assert(raw_send_text(&connection, "GET /livez HTTP/1.1\r\nHost: payhook\r\nConnection: close\r\n\r\n"));
	cr_assert(raw_answer(&connection, &a, ANSWER_MS));
	cr_assert_eq(a.status, 200);
	answer_finish(&a);
	cr_assert(raw_wait_end(&connection, ANSWER_MS));
	cr_assert_eq(connection.len, 0, "bytes after the last answer: %.*s", (int)connection.len, connection.bytes);
	raw_close(&connection);
	/* A webhook of ours goes in behind any forged one, on each lane. */
	char ours[WEBHOOK_MAX], id[64];
	for (int n = 0; n < 8; n++)
		expect_accepted(webhook_simple(fresh_id("behind", id), ours));
	const char *forged = "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, 'forged')";
	cr_assert_eq(database_number(forged), 0);
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transaction_conflicts"), 0);
}

static void smuggle(const char *request_line, const char *headers, int status)
{
	char id[64];

	raw_open(&connection);
	for (int shift = 0; shift < SHIFTS; shift++) {
		fill_body(shift, fresh_id("forged", id));
		for (int n = 0; n < 4; n++)
			send_and_expect(request_line, headers, BODY_LEN, status);
		all_is_in_order();
	}
	nothing_was_forged();
}

Test(smuggling, a_body_for_an_unknown_path_is_not_read_as_records)
{
	smuggle("POST /nowhere", "Content-Type: application/json\r\n", 404);
}

Test(smuggling, a_body_for_a_wrong_method_is_not_read_as_records)
{
	smuggle("PUT " WEBHOOKS, "Content-Type: application/json\r\n", 405);
	smuggle("POST /livez", "", 405);
	smuggle("DELETE /v1/transactions/some-id", "", 405);
}

Test(smuggling, a_body_with_a_get_is_not_read_as_records)
{
	smuggle("GET /livez", "", 200);
	smuggle("GET /v1/transactions/nobody-sent-this", "", 404);
}

Test(smuggling, a_body_of_another_type_is_not_read_as_records)
{
	smuggle("POST " WEBHOOKS, "Content-Type: application/octet-stream\r\n", 415);
	smuggle("POST " WEBHOOKS, "", 415);
}

Test(smuggling, a_body_that_is_no_json_is_not_read_as_records)
{
	smuggle("POST " WEBHOOKS, "Content-Type: application/json\r\n", 400);
}

Test(smuggling, a_body_that_is_too_long_is_not_read_as_records)
{
	static char long_body[70000];
	struct answer a;
	char id[64];
	size_t at = 0;

	for (int n = 0; n < 4; n++) {
		fresh_id("forged", id);
		memset(long_body, ' ', sizeof(long_body));
		for (at = 0; at + 4096 < sizeof(long_body);)
			at += forge(long_body + at, id);
		raw_open(&connection);
		raw_send_text(&connection, "POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Length: 70000\r\n"
					   "Content-Type: application/json\r\n\r\n");
		raw_send(&connection, long_body, sizeof(long_body));
		cr_assert(raw_answer(&connection, &a, ANSWER_MS));
		expect_problem_once(&a, 413, "70,000 bytes");
		raw_close(&connection);
	}
	raw_open(&connection);
	all_is_in_order();
	nothing_was_forged();
}
