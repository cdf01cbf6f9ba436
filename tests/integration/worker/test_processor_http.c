/* test_processor_http.c - the requests of the http processor, and the results it derives from responses. */

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "http_call.h"
#include "support/caller.h"

static struct caller c;

static void open_all(void)
{
	caller_open(&c);
}

static void close_all(void)
{
	caller_close(&c);
}

TestSuite(processor_http, .init = open_all, .fini = close_all);

static const struct http_heard *heard(int number)
{
	return http_server_heard(c.server, number);
}

/* Makes a call that gets this answer. */
static struct made call(struct http_answer answer)
{
	struct made m = made_of("transactions", "tx_1");
	http_server_answer(c.server, 1, answer);
	caller_call(&c, &m);
	return m;
}

static struct made answered(const char *bytes)
{
	return call((struct http_answer){.bytes = bytes, .close = true});
}

static void ends(struct made m, enum call_result result, const char *why)
{
	cr_expect_eq(m.result, result, "%s: %d", m.why, (int)m.result);
	cr_expect_not_null(strstr(m.why, why), "\"%s\" lacks \"%s\"", m.why, why);
}

/* ---- the request ---- */

Test(processor_http, posts_the_transaction_as_json_with_the_digits_of_its_amount)
{
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_DONE);
	cr_expect_eq(strncmp(heard(0)->head, "POST /pay HTTP/1.1\r\n", 20), 0, "%s", heard(0)->head);
	cr_expect_str_eq(heard(0)->body,
		"{\"transaction_id\":\"tx_1\",\"source_account\":\"acc_1\","
		"\"destination_account\":\"acc_2\",\"amount\":1500.10,\"currency\":\"EUR\","
		"\"created_at\":\"2026-02-19T12:00:00.123456Z\",\"source\":\"transactions\","
		"\"kind\":null,\"payment_id\":null,\"occurred_at\":null,\"amount_text\":\"1500.10\"}");
}

Test(processor_http, names_the_event_of_a_payment_and_has_null_for_what_it_lacks)
{
	struct made m = made_of("stripe", "evt_1");
	m.job.source_account = m.job.destination_account = m.job.amount = m.job.currency = NULL;
	m.job.kind = "refunded";
	m.job.payment_id = "pi_1";
	m.job.occurred_at = "2026-02-19T11:59:58.000000Z";
	caller_call(&c, &m);
	cr_expect_eq(m.result, CALL_DONE);
	cr_expect_str_eq(heard(0)->body, "{\"transaction_id\":\"evt_1\",\"source_account\":null,"
					 "\"destination_account\":null,\"amount\":null,\"currency\":null,"
					 "\"created_at\":\"2026-02-19T12:00:00.123456Z\",\"source\":\"stripe\","
					 "\"kind\":\"refunded\",\"payment_id\":\"pi_1\","
					 "\"occurred_at\":\"2026-02-19T11:59:58.000000Z\",\"amount_text\":null}");
}

Test(processor_http, keeps_amounts_that_no_double_holds)
{
	const char *amounts[] = {"0", "0.00000001", "999999999999999999.99999999", "100.00000000"};
	for (int i = 0; i < (int)COUNT_OF(amounts); i++) {
		char wanted[64];
		struct made m = made_of("transactions", "tx_1");
		m.job.amount = amounts[i];
		caller_call(&c, &m);
		snprintf(wanted, sizeof wanted, ",\"amount\":%s,", amounts[i]);
		cr_expect_not_null(strstr(heard(i)->body, wanted), "%s", heard(i)->body);
	}
}

Test(processor_http, names_the_caller_and_the_transaction)
{
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_str_eq(http_heard_value(heard(0), "Content-Type"), "application/json");
	cr_expect_str_eq(http_heard_value(heard(0), "User-Agent"), "payhook/" PAYHOOK_VERSION);
	cr_expect_str_eq(http_heard_value(heard(0), "Idempotency-Key"), "tx_1");
	cr_expect_null(http_heard_value(heard(0), "Expect"), "the body would wait for a 100");
}

Test(processor_http, gives_each_call_an_id_of_its_own_under_the_same_key)
{
	struct made first = made_of("transactions", "tx_1"), second = first;
	caller_call(&c, &first);
	caller_call(&c, &second);
	cr_expect_str_eq(http_heard_value(heard(0), "X-Request-Id"), first.request_id);
	cr_expect_str_eq(http_heard_value(heard(1), "X-Request-Id"), second.request_id);
	cr_expect_str_neq(first.request_id, second.request_id);
	cr_expect_eq(strspn(first.request_id, "0123456789abcdef"), 32);
	cr_expect_eq(strlen(first.request_id), 32);
	cr_expect_str_eq(http_heard_value(heard(1), "Idempotency-Key"), "tx_1");
}

Test(processor_http, goes_on_with_the_trace_under_a_span_of_each_call_s_own)
{
	char wanted[64];
	struct made first = made_of("transactions", "tx_1");
	first.job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	struct made second = first;
	caller_call(&c, &first);
	caller_call(&c, &second);
	const struct made *calls[] = {&first, &second};
	for (int i = 0; i < 2; i++) {
		snprintf(wanted, sizeof wanted, "00-4bf92f3577b34da6a3ce929d0e0e4736-%.16s-01", calls[i]->request_id);
		cr_expect_str_eq(http_heard_value(heard(i), "traceparent"), wanted);
	}
}

Test(processor_http, keeps_the_flags_of_a_trace)
{
	struct made m = made_of("transactions", "tx_1");
	m.job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02";
	caller_call(&c, &m);
	const char *parsed = http_heard_value(heard(0), "traceparent");
	cr_assert_not_null(parsed);
	cr_expect_str_eq(parsed + strlen(parsed) - 3, "-02");
}

Test(processor_http, sends_no_trace_where_there_is_none)
{
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	m.ended = false;
	m.job.traceparent = "by hand\r\nX-Evil: 1";
	caller_call(&c, &m);
	for (int i = 0; i < 2; i++) {
		cr_expect_null(http_heard_value(heard(i), "traceparent"));
		cr_expect_null(http_heard_value(heard(i), "X-Evil"));
		cr_expect_str_eq(http_heard_value(heard(i), "Content-Type"), "application/json");
	}
}

Test(processor_http, carries_ids_of_any_characters)
{
	struct made m = made_of("transactions", " \"K\xc3\xb6ln\" \\ 100% ");
	caller_call(&c, &m);
	cr_expect_str_eq(http_heard_value(heard(0), "Idempotency-Key"), "%20\"K%C3%B6ln\"%20\\%20100%25%20");
	cr_expect_eq(strncmp(heard(0)->body, "{\"transaction_id\":\" \\\"K\xc3\xb6ln\\\" \\\\ 100% \",", 40), 0, "%s",
		heard(0)->body);
}

Test(processor_http, names_the_source_in_the_key_unless_it_is_the_built_in_one)
{
	struct made m = made_of("stripe", "tx_1");
	caller_call(&c, &m);
	cr_expect_str_eq(http_heard_value(heard(0), "Idempotency-Key"), "stripe/tx_1");
}

/* ---- statuses ---- */

static struct made with_status(int status)
{
	static char bytes[100];
	snprintf(bytes, sizeof bytes, "HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n", status);
	return answered(bytes);
}

Test(processor_http, is_done_at_any_2xx)
{
	const int statuses[] = {200, 201, 202, 226, 299};
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		ends(with_status(statuses[i]), CALL_DONE, "");
	ends(answered("HTTP/1.1 204 No Content\r\n\r\n"), CALL_DONE, "");
}

Test(processor_http, tries_again_what_may_succeed_later)
{
	const int statuses[] = {408, 425, 429, 500, 501, 502, 503, 504, 511, 599};
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		char why[64];
		struct made m = with_status(statuses[i]);
		snprintf(why, sizeof why, "HTTP %d from the processor", statuses[i]);
		cr_expect_eq(m.result, CALL_AGAIN, "%s", m.why);
		cr_expect_str_eq(m.why, why);
		cr_expect_eq(m.pause_ms, -1, "it did not ask for a pause");
	}
}

Test(processor_http, gives_up_at_other_client_errors)
{
	const int statuses[] = {400, 401, 402, 403, 404, 405, 410, 422, 451, 499};
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		ends(with_status(statuses[i]), CALL_GIVE_UP, "from the processor");
}

Test(processor_http, asks_again_after_a_409_since_an_earlier_call_may_be_under_way)
{
	struct made m = with_status(409);
	ends(m, CALL_UNDER_WAY, "HTTP 409 from the processor: an earlier call with this Idempotency-Key");
	cr_expect_eq(m.pause_ms, RESPONSE_UNDER_WAY_MS);
	m = answered("HTTP/1.1 409 Conflict\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	ends(m, CALL_UNDER_WAY, "HTTP 409");
	cr_expect_eq(m.pause_ms, 7000);
}

Test(processor_http, sends_one_request_for_a_call_though_the_kept_connection_is_closed)
{
	struct made first = made_of("transactions", "tx_1"), second = first, third = first;
	http_server_answer(c.server, 1, (struct http_answer){0});
	http_server_answer(c.server, 6, (struct http_answer){.bytes = "", .close = true});
	caller_call(&c, &first);
	caller_call(&c, &second);
	ends(first, CALL_DONE, "");
	ends(second, CALL_AGAIN, "no answer from the processor: the connection was closed before it answered");
	cr_expect_eq(http_server_calls(c.server), 2, "%d requests for two calls", http_server_calls(c.server));
	caller_call(&c, &third);
	ends(third, CALL_AGAIN, "no answer from the processor");
	cr_expect_eq(http_server_calls(c.server), 3);
}

Test(processor_http, does_not_follow_a_redirect)
{
	const int statuses[] = {300, 301, 302, 303, 304, 307, 308};
	for (int i = 0; i < (int)COUNT_OF(statuses); i++) {
		char bytes[200];
		snprintf(bytes, sizeof bytes,
			"HTTP/1.1 %d Elsewhere\r\nLocation: http://127.0.0.1:%d/there\r\n"
			"Content-Length: 0\r\n\r\n",
			statuses[i], http_server_port(c.server));
		ends(answered(bytes), CALL_GIVE_UP, "redirects are not followed");
		cr_expect_eq(http_server_calls(c.server), i + 1);
	}
}

Test(processor_http, takes_the_answer_and_not_what_comes_before_it)
{
	struct made m = answered("HTTP/1.1 100 Continue\r\n\r\n"
				 "HTTP/1.1 103 Early Hints\r\nRetry-After: 7\r\n\r\n"
				 "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	ends(m, CALL_AGAIN, "HTTP 503");
	cr_expect_eq(m.pause_ms, -1);
}

Test(processor_http, understands_older_and_chunked_answers)
{
	ends(answered("HTTP/1.0 200 OK\r\n\r\nsome body"), CALL_DONE, "");
	ends(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"), CALL_DONE, "");
}

Test(processor_http, quotes_no_word_of_a_body_or_a_phrase)
{
	struct made m = answered("HTTP/1.1 400 secret\r\nX-Secret: secret\r\nContent-Length: 6\r\n\r\nsecret");
	cr_expect_str_eq(m.why, "HTTP 400 from the processor");
}

/* ---- Retry-After ---- */

static int64_t pause_of(const char *status_and_lines)
{
	static char bytes[400];
	snprintf(bytes, sizeof bytes, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status_and_lines);
	return answered(bytes).pause_ms;
}

Test(processor_http, waits_the_seconds_it_is_asked_to)
{
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: 120"), 120000);
	cr_expect_eq(pause_of("429 Slow\r\nretry-after:\t5 "), 5000);
	cr_expect_eq(pause_of("503 Busy\r\nRETRY-AFTER: 0"), 0);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: 999999999999"), 86400000);
}

Test(processor_http, waits_until_the_date_it_is_asked_to)
{
	char line[100];
	time_t when = time(NULL) + 100;
	struct tm tm;
	gmtime_r(&when, &tm);
	strftime(line, sizeof line, "503 Busy\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT", &tm);
	int64_t pause_ms = pause_of(line);
	cr_expect(pause_ms > 90000 && pause_ms <= 100000, "%lld", (long long)pause_ms);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT"), 0);
}

Test(processor_http, hears_no_request_to_wait_in_anything_else)
{
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: soon"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: -5"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After:"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nX-Retry-After: 5"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After-All: 5"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: "
			      "00000000000000000000000000000000000000000000000000000000000000000000000005"),
		-1);
	struct made m = answered("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nRetry-After: 5\r\n\r\n");
	cr_expect_eq(m.pause_ms, -1, "behind the body");
}

Test(processor_http, forgets_what_the_last_call_was_asked)
{
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: 5"), 5000);
	cr_expect_eq(pause_of("503 Busy"), -1);
	cr_expect_eq(pause_of("503 Busy\r\nRetry-After: 5"), 5000);
	http_server_hang_up(c.server);
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	cr_expect_eq(m.pause_ms, -1);
}

/* ---- broken answers ---- */

Test(processor_http, tries_again_after_half_an_answer)
{
	ends(answered("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), CALL_AGAIN,
		"HTTP 200 from the processor, but");
	ends(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf"), CALL_AGAIN,
		"no whole answer");
	ends(answered("HTTP/1.1 404 Not"), CALL_AGAIN, "no ");
	ends(answered("HTTP/1.1 20"), CALL_AGAIN, "no answer from the processor: ");
}

Test(processor_http, tries_again_after_no_answer)
{
	ends(answered(""), CALL_AGAIN, "no answer from the processor: Empty reply from server");
	http_server_hang_up(c.server);
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	ends(m, CALL_AGAIN, "no answer from the processor: ");
}

Test(processor_http, tries_again_after_garbage)
{
	const char *garbage[] = {"220 smtp.example ESMTP\r\n", "\x16\x03\x01\x02\x01\xff\xfe\r\n\r\n", "{\"ok\":true}",
		"<html>200 OK</html>\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 abc OK\r\n\r\n"};
	for (size_t i = 0; i < COUNT_OF(garbage); i++) {
		struct made m = answered(garbage[i]);
		cr_expect_eq(m.result, CALL_AGAIN, "%s: %d %s", garbage[i], (int)m.result, m.why);
	}
}

Test(processor_http, goes_by_the_status_when_a_body_does_not_end)
{
	struct http_answer good = {.bytes = "HTTP/1.1 201 Created\r\n\r\n", .filler = 20 << 20};
	struct http_answer bad = {.bytes = "HTTP/1.1 503 Busy\r\nRetry-After: 9\r\n\r\n", .filler = 20 << 20};
	ends(call(good), CALL_DONE, "");
	struct made m = call(bad);
	cr_expect_str_eq(m.why, "HTTP 503 from the processor");
	cr_expect_eq(m.pause_ms, 9000);
	cr_expect_lt(m.ended_ms - m.began_ms, c.settings.processor_timeout_ms / 2);
	caller_for(&c, 20);
	cr_expect_eq(http_server_open_connections(c.server), 0, "what is not read to its end is closed");
}

Test(processor_http, reads_a_body_of_the_longest_kind_and_keeps_the_connection)
{
	ends(call((struct http_answer){.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n", .filler = 65536}),
		CALL_DONE, "");
	ends(call((struct http_answer){0}), CALL_DONE, "");
	cr_expect_eq(http_server_connections(c.server), 1);
}

/* More bytes may follow, but the processor does not wait for them. */
static void endless(const char *bytes)
{
	struct made m = call((struct http_answer){.bytes = bytes});
	ends(m, CALL_AGAIN, "its head is too long");
	cr_expect_lt(m.ended_ms - m.began_ms, c.settings.processor_timeout_ms / 2);
}

Test(processor_http, reads_no_endless_head)
{
	static char bytes[70000] = "HTTP/1.1 200 OK\r\n";
	for (size_t len = strlen(bytes); len + 100 < sizeof bytes; len += 100)
		snprintf(bytes + len, sizeof bytes - len, "X: %095d\r\n", 0);
	endless(bytes);
}

Test(processor_http, waits_for_no_endless_row_of_promises)
{
	static char bytes[70000];
	for (size_t len = 0; len + 26 < sizeof bytes; len += 25)
		snprintf(bytes + len, sizeof bytes - len, "HTTP/1.1 100 Continue\r\n\r\n");
	endless(bytes);
}
