/* test_processor_original.c - the requests of the http processor with PROCESSOR_BODY=original. */

#include <criterion/criterion.h>
#include <string.h>

#include "support/caller.h"

static struct caller c;

static void open_all(void)
{
	caller_open(&c);
	c.settings.processor_body = PROCESSOR_BODY_ORIGINAL;
}

static void close_all(void)
{
	caller_close(&c);
}

TestSuite(processor_original, .init = open_all, .fini = close_all);

static const char BODY[] = "{\"a\":\"\xff\x00\"}\r\n";

static struct made kept(const char *headers)
{
	struct made m = made_of("stripe", "evt 1");
	m.job.content_type = "application/json; charset=utf-8";
	m.job.headers = headers;
	m.job.body = BODY;
	m.job.body_len = sizeof BODY - 1;
	return m;
}

static const struct http_heard *call_with(const char *headers)
{
	struct made m = kept(headers);
	caller_call(&c, &m);
	cr_assert_eq(m.result, CALL_DONE, "%s", m.why);
	return http_server_heard(c.server, http_server_calls(c.server) - 1);
}

static void has(const struct http_heard *h, const char *name, const char *value)
{
	const char *found = http_heard_value(h, name);
	cr_assert_not_null(found, "%s is missing in %s", name, h->head);
	cr_expect_str_eq(found, value);
}

Test(processor_original, sends_the_bytes_that_came)
{
	const struct http_heard *h = call_with("{}");
	cr_expect_eq(h->body_len, sizeof BODY - 1);
	cr_expect_eq(memcmp(h->body, BODY, sizeof BODY - 1), 0);
	has(h, "Content-Type", "application/json; charset=utf-8");
}

Test(processor_original, sends_the_provider_s_headers)
{
	const struct http_heard *h = call_with("{\"stripe-signature\": \"t=1,v1=ab\", \"x-event-id\": \"evt_\\u00fc\","
					       " \"x-empty\": \"\"}");
	has(h, "Stripe-Signature", "t=1,v1=ab");
	has(h, "X-Event-Id", "evt_\xc3\xbc");
	cr_expect_not_null(strstr(h->head, "\r\nx-empty:\r\n"), "%s", h->head);
}

Test(processor_original, names_the_transaction_in_headers_of_its_own)
{
	struct made m = kept("{}");
	m.job.source_account = "K\xc3\xb6ln/100%";
	m.job.destination_account = NULL;
	m.job.kind = "captured";
	m.job.payment_id = "pi 1";
	m.job.occurred_at = "2026-02-19T11:59:58.000000Z";
	m.job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	caller_call(&c, &m);
	const struct http_heard *h = http_server_heard(c.server, 0);
	has(h, "X-Payhook-Transaction-Id", "evt%201");
	has(h, "X-Payhook-Source", "stripe");
	has(h, "X-Payhook-Source-Account", "K%C3%B6ln/100%25");
	has(h, "X-Payhook-Amount", "1500.10");
	has(h, "X-Payhook-Currency", "EUR");
	has(h, "X-Payhook-Kind", "captured");
	has(h, "X-Payhook-Payment-Id", "pi%201");
	has(h, "X-Payhook-Occurred-At", "2026-02-19T11:59:58.000000Z");
	has(h, "X-Payhook-Created-At", "2026-02-19T12:00:00.123456Z");
	cr_expect_null(http_heard_value(h, "X-Payhook-Destination-Account"));
	has(h, "Idempotency-Key", "stripe/evt%201");
	has(h, "X-Request-Id", m.request_id);
	has(h, "User-Agent", "payhook/" PAYHOOK_VERSION);
	cr_expect_not_null(http_heard_value(h, "traceparent"));
}

/* Each occurs once, with the value that payhook gives it, or not at all. */
Test(processor_original, lets_no_kept_header_take_the_place_of_another)
{
	const struct http_heard *h = call_with(
		"{\"host\": \"evil\", \"content-length\": \"1\", \"transfer-encoding\": \"chunked\", \"connection\": \"evil\","
		" \"expect\": \"evil\", \"te\": \"evil\", \"upgrade\": \"evil\", \"proxy-authorization\": \"evil\","
		" \"content-type\": \"evil\", \"idempotency-key\": \"evil\", \"x-request-id\": \"evil\","
		" \"traceparent\": \"evil\", \"user-agent\": \"evil\", \"x-payhook-source\": \"evil\", \"cookie\": \"evil\","
		" \"authorization\": \"evil\", \"X-Upper\": \"evil\", \"x evil\": \"1\", \"x:evil\": \"1\", \"\": \"evil\","
		" \"x-number\": 7, \"x-lines\": \"1\\r\\nx-evil: 1\", \"x-line\": \"1\\nx-evil: 1\", \"x-good\": \"1\"}");
	cr_expect_null(strcasestr(h->head, "evil"), "%s", h->head);
	cr_expect_null(strcasestr(h->head, "x-number"), "%s", h->head);
	has(h, "X-Good", "1");
	cr_expect_eq(h->body_len, sizeof BODY - 1);
}

/* curl would add the type of a form. */
Test(processor_original, sends_no_type_that_the_webhook_did_not_have)
{
	struct made m = kept("{}");
	m.job.content_type = "";
	caller_call(&c, &m);
	cr_expect_null(http_heard_value(http_server_heard(c.server, 0), "Content-Type"));
}

static void ends_without_a_call(struct made *m, const char *why)
{
	caller_call(&c, m);
	cr_expect_eq(m->result, CALL_ABSENT);
	cr_expect_not_null(strstr(m->why, why), "%s", m->why);
	cr_expect_eq(http_server_calls(c.server), 0);
}

Test(processor_original, sends_nothing_in_place_of_a_request_that_is_not_kept)
{
	struct made m = made_of("stripe", "evt_1");
	ends_without_a_call(&m, "its request is not kept");
}

Test(processor_original, sends_nothing_for_a_transaction_that_is_gone)
{
	struct made m = kept("{}");
	m.job.created_at = NULL;
	ends_without_a_call(&m, "the transaction is not in the database any more");
}

Test(processor_original, sends_nothing_with_headers_that_it_cannot_read)
{
	struct made m = kept("{\"x\": ");
	ends_without_a_call(&m, "the headers that are kept with its request cannot be sent");
}

/* It would never fit: to try it again and again would keep the job for ever. */
Test(processor_original, sends_nothing_with_headers_without_end)
{
	static char headers[200000];
	snprintf(headers, sizeof headers, "{\"x\": \"%0*d\"}", (int)sizeof headers - 100, 0);
	struct made m = kept(headers);
	ends_without_a_call(&m, "the headers that are kept with its request cannot be sent");
}

/* The lists of header lines belong to a transfer, which serves one call after the other. */
Test(processor_original, keeps_no_header_of_the_call_before)
{
	call_with("{\"x-first\": \"1\", \"x-second\": \"2\"}");
	const struct http_heard *h = call_with("{\"x-third\": \"3\"}");
	cr_expect_null(http_heard_value(h, "X-First"));
	has(h, "X-Third", "3");
}
