/* test_processor_oauth.c - the token of the http processor: fetched once, renewed, and replaced after a 401. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/caller.h"

#define TOKEN(name, life)                                                                \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" \
	"{\"access_token\":\"" name "\",\"token_type\":\"Bearer\",\"expires_in\":" life "}"
#define REFUSED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"

static struct caller c;
static struct http_server *tokens;

static void open_all(void)
{
	caller_open(&c);
	tokens = http_server_open(c.base);
	snprintf(c.settings.processor_token_url, sizeof c.settings.processor_token_url, "http://127.0.0.1:%d/token",
		http_server_port(tokens));
	snprintf(c.settings.processor_client_id, sizeof c.settings.processor_client_id, "pay:hook");
	snprintf(c.settings.processor_client_secret, sizeof c.settings.processor_client_secret, "s3cr3t ");
}

static void close_all(void)
{
	PROCESSOR_HTTP.destroy(c.processor);
	c.processor = NULL;
	http_server_close(tokens);
	caller_close(&c);
}

TestSuite(processor_oauth, .init = open_all, .fini = close_all);

static void gives(int count, const char *bytes)
{
	http_server_answer(tokens, count, (struct http_answer){.bytes = bytes, .close = true});
}

static struct made call(void)
{
	struct made m = made_of("transactions", "tx_1");
	caller_call(&c, &m);
	return m;
}

static void ends(struct made m, enum call_result result, const char *why)
{
	cr_expect_eq(m.result, result, "%s: %d", m.why, (int)m.result);
	cr_expect_not_null(strstr(m.why, why), "\"%s\" lacks \"%s\"", m.why, why);
}

static void had(int number, const char *authorization)
{
	const char *found = http_heard_value(http_server_heard(c.server, number), "Authorization");
	cr_assert_not_null(found);
	cr_expect_str_eq(found, authorization);
}

Test(processor_oauth, fetches_one_token_for_many_calls)
{
	struct made made[20];
	snprintf(c.settings.processor_token_scope, sizeof c.settings.processor_token_scope, "pay read&x");
	gives(1, TOKEN("t1", "3600"));
	for (size_t i = 0; i < COUNT_OF(made); i++) {
		made[i] = made_of("transactions", "tx_1");
		caller_start(&c, &made[i]);
	}
	caller_until_ended(&c, COUNT_OF(made));
	for (int i = 0; i < (int)COUNT_OF(made); i++) {
		ends(made[i], CALL_DONE, "");
		had(i, "Bearer t1");
	}
	cr_expect_eq(http_server_calls(tokens), 1);
	const struct http_heard *h = http_server_heard(tokens, 0);
	cr_expect_eq(strncmp(h->head, "POST /token HTTP/1.1\r\n", 22), 0, "%s", h->head);
	cr_expect_str_eq(h->body, "grant_type=client_credentials&scope=pay%20read%26x");
	/* "pay%3Ahook:s3cr3t%20", since RFC 6749, 2.3.1 has both encoded first. */
	cr_expect_str_eq(http_heard_value(h, "Authorization"), "Basic cGF5JTNBaG9vazpzM2NyM3QlMjA=");
	cr_expect_str_eq(http_heard_value(h, "Content-Type"), "application/x-www-form-urlencoded");
}

Test(processor_oauth, waits_while_there_is_no_token)
{
	struct made m = made_of("transactions", "tx_1");
	gives(1, TOKEN("t1", "3600"));
	http_server_hold(tokens);
	caller_start(&c, &m);
	cr_expect(PROCESSOR_HTTP.is_waiting(c.processor));
	caller_until_calls_of(&c, tokens, 1);
	http_server_release(tokens);
	caller_until_ended(&c, 1);
	ends(m, CALL_DONE, "");
	cr_expect_not(PROCESSOR_HTTP.is_waiting(c.processor));
}

Test(processor_oauth, renews_a_token_before_its_life_ends)
{
	gives(1, TOKEN("t1", "2"));
	gives(1, TOKEN("t2", "3600"));
	ends(call(), CALL_DONE, "");
	caller_until_calls_of(&c, tokens, 2);
	caller_for(&c, 100);
	ends(call(), CALL_DONE, "");
	had(0, "Bearer t1");
	had(1, "Bearer t2");
	cr_expect_eq(http_server_calls(tokens), 2);
}

Test(processor_oauth, fetches_a_new_token_once_after_a_401)
{
	gives(1, TOKEN("t1", "3600"));
	gives(1, TOKEN("t2", "3600"));
	gives(5, TOKEN("t3", "3600"));
	http_server_answer(c.server, 2, (struct http_answer){.bytes = REFUSED});
	ends(call(), CALL_AGAIN, "HTTP 401 from the processor: the next call has a new token");
	ends(call(), CALL_AGAIN, "HTTP 401 from the processor, to a new token too");
	ends(call(), CALL_DONE, "");
	had(0, "Bearer t1");
	had(1, "Bearer t2");
	had(2, "Bearer t2");
	cr_expect_eq(http_server_calls(tokens), 2);
	/* The token has been shown to be good, so a refusal is of another cause. */
	http_server_answer(c.server, 1, (struct http_answer){.bytes = REFUSED});
	ends(call(), CALL_AGAIN, "the next call has a new token");
	ends(call(), CALL_DONE, "");
	had(4, "Bearer t3");
}

/* As of a gateway that is overloaded: else each 503 between two refusals would be a request for a token. */
Test(processor_oauth, takes_a_503_for_no_sign_that_a_token_is_good)
{
	gives(1, TOKEN("t1", "3600"));
	gives(5, TOKEN("t2", "3600"));
	http_server_answer(c.server, 1, (struct http_answer){.bytes = REFUSED});
	http_server_answer(c.server, 1,
		(struct http_answer){.bytes = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"});
	http_server_answer(c.server, 1, (struct http_answer){.bytes = REFUSED});
	ends(call(), CALL_AGAIN, "the next call has a new token");
	ends(call(), CALL_AGAIN, "HTTP 503");
	ends(call(), CALL_AGAIN, "HTTP 401 from the processor, to a new token too");
	caller_for(&c, 100);
	cr_expect_eq(http_server_calls(tokens), 2);
}

Test(processor_oauth, fails_for_now_whatever_the_token_server_answers)
{
	static const struct {
		const char *bytes, *why;
	} CASES[] = {
		{"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\nhunter2",
			"no token: HTTP 500 from PROCESSOR_TOKEN_URL"},
		{"HTTP/1.1 401 No\r\nConnection: close\r\n\r\n{\"error\":\"invalid_client\"}", "no token: HTTP 401"},
		{"HTTP/1.1 302 There\r\nLocation: /\r\nConnection: close\r\n\r\n", "no token: HTTP 302"},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hunter2", "the answer is no JSON object"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "the answer is no JSON object"},
		{TOKEN("hunter2\\r\\nX-Evil: 1", "60"), "other characters than visible ASCII"},
		{"", "no token, and no answer from PROCESSOR_TOKEN_URL"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		gives(1, CASES[i].bytes);
		struct made m = call();
		ends(m, CALL_AGAIN, CASES[i].why);
		cr_expect_null(strstr(m.why, "hunter2"), "%s", m.why);
		PROCESSOR_HTTP.destroy(c.processor);
		c.processor = NULL;
	}
	cr_expect_eq(http_server_calls(c.server), 0);
}

Test(processor_oauth, reads_no_answer_without_an_end)
{
	http_server_answer(tokens, 1,
		(struct http_answer){
			.bytes = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .filler = 200000, .close = true});
	ends(call(), CALL_AGAIN, "no token: the answer is longer than 65536 bytes");
}

Test(processor_oauth, asks_once_a_second_while_there_is_no_token)
{
	gives(1, "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n");
	gives(1, TOKEN("t1", "3600"));
	for (int i = 0; i < 5; i++)
		ends(call(), CALL_AGAIN, "no token: HTTP 500");
	cr_expect_eq(http_server_calls(tokens), 1);
	caller_for(&c, 1100);
	ends(call(), CALL_DONE, "");
	had(0, "Bearer t1");
}

Test(processor_oauth, cancels_a_call_that_waits_for_its_token)
{
	http_server_hold(tokens);
	struct made one = made_of("transactions", "tx_1"), other = made_of("transactions", "tx_2");
	caller_start(&c, &one);
	caller_start(&c, &other);
	caller_until_calls_of(&c, tokens, 1);
	cr_expect_not(caller_cancel(&c, &one), "the processor has not received it");
	gives(1, TOKEN("t1", "3600"));
	cr_expect_eq(c.ended, 0);
	PROCESSOR_HTTP.destroy(c.processor);
	c.processor = NULL;
	cr_expect_eq(http_server_calls(c.server), 0);
}
