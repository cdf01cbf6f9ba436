/* test_pipelines.c - several requests sent at once on one connection (pipelining). */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/background_sender.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"

#define ANSWER_MS 10000
#define CLOSE_MS 1000
#define MANY 100

static struct raw connection;
static char all[128 * 1024];

static void begin(void)
{
	all[0] = '\0';
	background_sender_begin();
	raw_open(&connection);
}

static void add(const char *request_line, const char *body)
{
	size_t used = strlen(all);

	cr_assert(used + strlen(body) + 256 < sizeof(all));
	snprintf(all + used, sizeof(all) - used,
		"%s HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		request_line, strlen(body), body);
}

static void expect_next(int number, int status, const char *printed)
{
	struct answer a;

	cr_assert(raw_answer(&connection, &a, ANSWER_MS), "no answer %d", number);
	cr_assert_eq(a.status, status, "answer %d: %d %s", number, a.status, a.body);
	cr_assert_not_null(strstr(a.body, printed), "answer %d: %s", number, a.body);
	answer_finish(&a);
}

static void end(void)
{
	raw_close(&connection);
	background_sender_end();
}

Test(pipelines, answers_come_in_the_order_of_the_requests)
{
	char body[WEBHOOK_MAX], id[64], target[128];

	begin();
	add("POST " WEBHOOKS, webhook_simple(fresh_id("piped", id), body));
	add("GET /nowhere", "");
	add("GET /livez", "");
	add("PUT " WEBHOOKS, "{}");
	add("POST " WEBHOOKS, "{}");
	snprintf(target, sizeof(target), "GET /v1/transactions/%s", id);
	add(target, "");
	add("POST " WEBHOOKS, webhook(id, "1500.00", "USD", body));
	cr_assert(raw_send_text(&connection, all));
	expect_next(0, 202, "Accepted");
	expect_next(1, 404, "nothing at this path");
	expect_next(2, 200, "alive");
	expect_next(3, 405, "method");
	expect_next(4, 422, "missing");
	expect_next(5, 200, id);
	expect_next(6, 202, "Accepted");
	end();
}

Test(pipelines, a_hundred_webhooks_at_once_are_all_stored)
{
	char body[WEBHOOK_MAX], id[96], prefix[64];

	begin();
	fresh_id("hundred", prefix);
	for (int n = 0; n < MANY; n++) {
		snprintf(id, sizeof(id), "%s-%d", prefix, n);
		add("POST " WEBHOOKS, webhook_simple(id, body));
	}
	cr_assert(raw_send_text(&connection, all));
	for (int n = 0; n < MANY; n++)
		expect_next(n, 202, "Accepted");
	cr_assert_eq(database_number_of(
			     "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, $1 || '-')",
			     prefix),
		MANY);
	end();
}

/* A request that nginx cannot parse ends the connection: where the next request begins is unknown. */
Test(pipelines, nothing_behind_a_broken_request_is_taken)
{
	static const char *const broken[] = {
		"BROKEN\r\n\r\n",
		"POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"POST " WEBHOOKS " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
	};
	char body[WEBHOOK_MAX], before[64], behind[64];

	for (size_t n = 0; n < COUNT_OF(broken); n++) {
		begin();
		for (int i = 0; i < MANY / 2; i++)
			add("GET /livez", "");
		add("POST " WEBHOOKS, webhook_simple(fresh_id("before", before), body));
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s", broken[n]);
		for (int i = 0; i < MANY / 2; i++)
			add("POST " WEBHOOKS, webhook_simple(fresh_id("hidden", behind), body));
		cr_assert(raw_send_text(&connection, all));
		for (int i = 0; i < MANY / 2; i++)
			expect_next(i, 200, "alive");
		expect_next(MANY / 2, 202, "Accepted");
		expect_next(MANY / 2 + 1, 400, "well-formed");
		cr_assert(raw_wait_end(&connection, CLOSE_MS), "%s: not closed", broken[n]);
		cr_assert_eq(connection.len, 0, "%s: %s", broken[n], connection.bytes);
		end();
		cr_assert_eq(database_number("SELECT count(*) FROM payhook.transactions"
					     " WHERE starts_with(transaction_id, 'hidden')"),
			0);
	}
}

/* "Connection: close" marks the last request. */
Test(pipelines, nothing_behind_connection_close_is_taken)
{
	char body[WEBHOOK_MAX], id[64];

	begin();
	snprintf(all, sizeof(all), "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	add("POST " WEBHOOKS, webhook_simple(fresh_id("closed", id), body));
	cr_assert(raw_send_text(&connection, all));
	expect_next(0, 200, "alive");
	cr_assert(raw_wait_end(&connection, CLOSE_MS));
	cr_assert_eq(connection.len, 0, "%s", connection.bytes);
	end();
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 0);
}
