/* test_http_call.c - the requests to an HTTP processor, and the meaning of its responses. */

#include <criterion/criterion.h>
#include <string.h>

#include "http_call.h"

static struct buf b;

static void http_call_init(void)
{
	b = BUF_INIT(HTTP_CALL_BODY_MAX);
}

static void http_call_fini(void)
{
	buf_finish(&b);
}

TestSuite(http_call, .init = http_call_init, .fini = http_call_fini);

static void has_key(const char *source, const char *transaction_id, const char *wanted)
{
	struct job j = {.source = source, .transaction_id = transaction_id};
	buf_reset(&b, HTTP_CALL_BODY_MAX + 1);
	http_call_key(&b, &j);
	cr_expect(buf_ok(&b));
	cr_expect_str_eq(b.data, wanted);
}

Test(http_call, uses_an_id_of_visible_ascii_as_the_key)
{
	has_key("transactions", "tx_1", "tx_1");
	has_key("transactions", "!\"#$&'()*+,-.:;<=>?@[\\]^_`{|}~", "!\"#$&'()*+,-.:;<=>?@[\\]^_`{|}~");
}

Test(http_call, encodes_what_cannot_stand_in_a_head_line)
{
	has_key("transactions", " a b ", "%20a%20b%20");
	has_key("transactions", "\xe2\x82\xac", "%E2%82%AC");
	has_key("transactions", "\r\n\x7f", "%0D%0A%7F");
}

Test(http_call, gives_no_two_transactions_one_key)
{
	has_key("transactions", "%20", "%2520");
	has_key("transactions", " ", "%20");
	has_key("a", "b", "a/b");
	has_key("transactions", "a/b", "a%2Fb");
	has_key("a", "b/c", "a/b%2Fc");
	has_key("a/b", "c", "a%2Fb/c");
	has_key("a b", "c", "a%20b/c");
}

static const char *longest(void)
{
	static char text[256];
	memset(text, '\x01', 255);
	return text;
}

Test(http_call, has_room_for_the_longest_transaction)
{
	char slashes[256];
	memset(slashes, '/', 255);
	slashes[255] = '\0';
	struct job j = {.source = slashes, .transaction_id = slashes};
	struct buf key = BUF_INIT(HTTP_CALL_KEY_MAX);
	http_call_key(&key, &j);
	cr_expect(buf_ok(&key));
	cr_expect_eq(key.len, 3 * 255 * 2 + 1);
	buf_finish(&key);
	j = (struct job){.transaction_id = longest(),
		.source = "the-name-of-a-source-may-have-64-bytes-and-this-one-has-them-all",
		.kind = "capture_failed",
		.payment_id = longest(),
		.occurred_at = "2026-02-19T12:00:00.123456Z",
		.source_account = longest(),
		.destination_account = longest(),
		.amount = "-999999999999999999.99999999",
		.currency = "ABCDEFGHIJ",
		.created_at = "2026-02-19T12:00:00.123456Z"};
	http_call_body(&b, &j);
	cr_expect(buf_ok(&b));
}

Test(http_call, an_amount_below_zero_is_the_number_and_the_text_that_came)
{
	struct job j = {.transaction_id = "t",
		.source = "paypal",
		.amount = "-1500.10",
		.currency = "EUR",
		.created_at = "2026-02-19T12:00:00.123456Z"};
	http_call_body(&b, &j);
	cr_assert(buf_ok(&b));
	cr_expect(strstr(b.data, ",\"amount\":-1500.10,\"currency\":\"EUR\","), "%s", b.data);
	cr_expect(strstr(b.data, ",\"amount_text\":\"-1500.10\"}"), "%s", b.data);
}

/* ---- responses ---- */

static char why[RESPONSE_WHY_MAX];

static struct call_outcome outcome_of(const char *const *lines, int status, const char *error)
{
	struct response a = {0};
	for (; *lines; lines++)
		cr_expect(response_line(&a, *lines, strlen(*lines)));
	return response_outcome(&a, status, error, 784111777, why);
}

Test(http_call, has_a_result_for_every_status)
{
	const char *const none[] = {NULL};
	for (int status = 0; status < 1000; status++) {
		enum call_result wanted = status / 100 == 2 ? CALL_DONE : CALL_AGAIN;
		if ((status / 100 == 3 || status / 100 == 4) && status != 408 && status != 425 && status != 429)
			wanted = status == 409 ? CALL_UNDER_WAY : CALL_GIVE_UP;
		cr_expect_eq(outcome_of(none, status, NULL).result, wanted, "%d", status);
		cr_expect_eq(outcome_of(none, status, "cut").result, CALL_AGAIN, "%d", status);
	}
}

Test(http_call, reports_the_status_and_what_went_wrong)
{
	const char *const none[] = {NULL};
	outcome_of(none, 503, NULL);
	cr_expect_str_eq(why, "HTTP 503 from the processor");
	outcome_of(none, 307, NULL);
	cr_expect_str_eq(why, "HTTP 307 from the processor: redirects are not followed");
	outcome_of(none, 409, NULL);
	cr_expect_str_eq(
		why, "HTTP 409 from the processor: an earlier call with this Idempotency-Key may be under way");
	outcome_of(none, 200, "cut");
	cr_expect_str_eq(why, "HTTP 200 from the processor, but no whole answer: cut");
	outcome_of(none, 0, "refused");
	cr_expect_str_eq(why, "no answer from the processor: refused");
	outcome_of(none, 0, "bad \x01\xff\n name");
	cr_expect_str_eq(why, "no answer from the processor: bad ??? name");
}

Test(http_call, reads_retry_after_of_the_answer_only)
{
	const char *const plain[] = {"HTTP/1.1 503 Busy\r\n", "Retry-After: 5\r\n", "\r\n", NULL};
	const char *const early[] = {
		"HTTP/1.1 103 Hints\r\n", "Retry-After: 5\r\n", "\r\n", "HTTP/1.1 503 Busy\r\n", "\r\n", NULL};
	const char *const trailer[] = {"HTTP/2 503 \r\n", "\r\n", "retry-after: 5\r\n", NULL};
	const char *const bare[] = {"HTTP/1.1 503 Busy\n", "retry-after:\t 5 \t\n", "\n", "Retry-After: 6\n", NULL};
	const char *const date[] = {"HTTP/1.1 503 Busy\r\n", "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT\r\n", NULL};
	const char *const empty[] = {"HTTP/1.1 503 Busy\r\n", "Retry-After:", NULL};
	cr_expect_eq(outcome_of(plain, 503, NULL).pause_ms, 5000);
	cr_expect_eq(outcome_of(plain, 503, "cut").pause_ms, 5000);
	cr_expect_eq(outcome_of(plain, 200, NULL).pause_ms, -1);
	cr_expect_eq(outcome_of(early, 503, NULL).pause_ms, -1);
	cr_expect_eq(outcome_of(trailer, 503, NULL).pause_ms, -1);
	cr_expect_eq(outcome_of(bare, 503, NULL).pause_ms, 5000);
	cr_expect_eq(outcome_of(date, 503, NULL).pause_ms, 1000);
	cr_expect_eq(outcome_of(empty, 503, NULL).pause_ms, -1);
}

Test(http_call, stops_reading_where_a_bound_is)
{
	struct response a = {0};
	cr_expect(response_body(&a, RESPONSE_BODY_MAX));
	cr_expect_not(response_body(&a, 1));
	cr_expect_eq(response_outcome(&a, 201, "we stopped", 0, why).result, CALL_DONE);
	static char line[RESPONSE_HEAD_MAX];
	a = (struct response){0};
	cr_expect(response_line(&a, line, sizeof line));
	cr_expect_not(response_line(&a, "\r\n", 2));
	cr_expect_eq(response_outcome(&a, 201, "we stopped", 0, why).result, CALL_AGAIN);
}
