/* test_rate_limit.c - RATE_LIMIT, the limit of requests per address. */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/expect.h"
#include "support/fcgi_forgery.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/raw.h"

const char *const instance_settings[] = {"RATE_LIMIT=5", "PROCESSOR_DELAY_MS=100", NULL};

#define POSTS 100

static void post_from(const char *address, struct answer *ret)
{
	char id[64], body[WEBHOOK_MAX];

	webhook_simple(fresh_id("limited", id), body);
	call_send(&(struct call){.target = WEBHOOKS, .type = "application/json", .body = body, .from = address}, ret);
}

Test(rate_limit, a_sender_in_a_hurry_gets_retry_after)
{
	int accepted = 0, refused = 0;
	long long began = now_ms();

	for (int n = 0; n < POSTS; n++) {
		struct answer a;
		post_from("127.0.0.1", &a);
		accepted += a.status == 202;
		refused += a.status == 429;
		if (a.status == 429) {
			expect_retry_after(&a, "429");
			expect_problem(&a, 429, "429");
		}
		answer_finish(&a);
	}
	double seconds = (double)(now_ms() - began) / 1000;
	cr_assert_eq(accepted + refused, POSTS);
	cr_assert(accepted >= 1 && refused > 0, "%d accepted, %d refused", accepted, refused);
	/* A burst of the limit's own size passes, so twice the limit is possible. */
	cr_assert(accepted <= 5 * seconds + 11, "%d accepted in %.1f s", accepted, seconds);
}

Test(rate_limit, another_address_is_not_held_up)
{
	struct answer a;

	for (int n = 0; n < 40; n++) {
		post_from("127.0.0.2", &a);
		answer_finish(&a);
	}
	post_from("127.0.0.3", &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
}

/* nginx reads and discards a body that it rejects (test_smuggling.c tests the other early answers). */
Test(rate_limit, a_body_that_is_refused_is_not_read_as_records)
{
	static char body[20000];
	static struct raw connection;
	int refused = 0;
	char id[64];

	raw_open_from(&connection, "127.0.0.4");
	for (int n = 0; n < FORGERIES * FORGED_SHIFTS; n++) {
		struct answer a;
		char head[256];
		fcgi_forgery_body(
			body, sizeof(body), n / FORGERIES, (enum forgery)(n % FORGERIES), fresh_id("forged", id));
		snprintf(head, sizeof(head),
			"POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
			"Content-Length: %zu\r\n\r\n",
			sizeof(body));
		cr_assert(raw_send_text(&connection, head) && raw_send(&connection, body, sizeof(body)));
		cr_assert(raw_answer(&connection, &a, CALL_TIMEOUT_MS), "no answer %d", n);
		cr_assert(a.status == 429 || a.status == 400, "%d %s", a.status, a.body);
		refused += a.status == 429;
		answer_finish(&a);
	}
	raw_close(&connection);
	cr_assert(refused > FORGERIES, "%d refused", refused);
	struct answer a;
	post_from("127.0.0.5", &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	cr_assert_eq(database_number(
			     "SELECT count(*) FROM payhook.transactions WHERE starts_with(transaction_id, 'forged')"),
		0);
}
