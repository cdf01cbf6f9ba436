/* test_limits.c - SOURCE_RATE_LIMIT and CONNECTION_LIMIT, and the client's address behind a load balancer
 * (REAL_IP_FROM). */

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/logs.h"
#include "support/raw.h"

#define BALANCER "127.0.0.9"
#define SECOND_BALANCER "127.0.0.10"
#define STRANGER "127.0.0.8"
#define READER "192.0.2.77"
#define SOURCE_RATE 30
#define CONNECTIONS 5

const char *const instance_settings[] = {"SOURCE_RATE_LIMIT=30", "CONNECTION_LIMIT=5",
	"REAL_IP_FROM=" BALANCER " " SECOND_BALANCER, "METRICS_ALLOW=" READER, "PROCESSOR_DELAY_MS=100",
	"WORKER_GRACE_MS=200", "E2E_UNRELATED=planted-0b5e3c", NULL};

#define ANSWER_MS 5000
#define POSTS 200

/* Posts a webhook from one of many addresses. */
static int post_to(const char *target, int number)
{
	char id[64], body[WEBHOOK_MAX], from[32];
	struct answer a;

	snprintf(from, sizeof(from), "127.0.1.%d", 1 + number % 200);
	webhook_simple(fresh_id("limited", id), body);
	call_send(&(struct call){.target = target, .type = "application/json", .body = body, .from = from}, &a);
	if (a.status == 429) {
		expect_retry_after(&a, "429");
		expect_problem(&a, 429, "429");
	}
	int status = a.status;
	answer_finish(&a);
	return status;
}

/* Waits until the bucket of a source is empty again. */
static void wait_for_calm(void)
{
	long long deadline = now_ms() + 2500;

	while (now_ms() < deadline)
		pause_a_little();
}

/* The limit holds for all senders together. */
static void expect_limit(const char *target, int passed_status)
{
	int passed = 0, refused = 0;
	long long began = now_ms();

	for (int n = 0; n < POSTS; n++) {
		int status = post_to(target, n);
		passed += status == passed_status;
		refused += status == 429;
	}
	double seconds = (double)(now_ms() - began) / 1000;
	cr_assert_eq(passed + refused, POSTS, "%s: %d passed, %d refused", target, passed, refused);
	cr_assert(passed >= 1 && refused > 0, "%s: %d passed, %d refused", target, passed, refused);
	cr_assert(passed <= SOURCE_RATE * (seconds + 1) + 1, "%s: %d passed in %.1f s", target, passed, seconds);
}

/* Right after the limit was met no more passes than the time since allows; a bucket of its own would let a second's worth
 * pass at once. */
static void expect_used_up(const char *target)
{
	long long began = now_ms();

	for (int passed = 0; post_to(target, passed) != 429; passed++)
		cr_assert(passed < 2 + SOURCE_RATE * (now_ms() - began) / 1000, "%s: %d passed in %lld ms", target,
			passed + 1, now_ms() - began);
}

Test(limits, a_source_has_one_rate_for_all_senders)
{
	wait_for_calm();
	expect_limit(WEBHOOKS, 202);
}

/* Spellings of the path that payhook takes for the same source count together; other spellings are limited as well. */
Test(limits, another_spelling_of_the_path_is_no_way_around_it)
{
	wait_for_calm();
	expect_limit("/v1/webhooks/%74ransactions", 202);
	expect_used_up(WEBHOOKS);
	wait_for_calm();
	expect_limit("/v1//webhooks/x/../y/%2e/z", 404);
}

Test(limits, another_source_and_reading_are_not_held_up)
{
	struct answer a;

	wait_for_calm();
	for (int n = 0; n < POSTS; n++)
		post_to("/v1/webhooks/nobody", n);
	expect_used_up("/v1/webhooks/nobody");
	cr_expect_eq(post_to(WEBHOOKS, 0), 202);
	call_send(&(struct call){.target = "/v1/transactions/nobody", .from = "127.0.2.1"}, &a);
	cr_expect_eq(a.status, 404, "%s", a.body);
	answer_finish(&a);
}

/* A request counts as in progress once its headers are complete. */
static void begin_a_post(struct raw *r, const char *from)
{
	raw_open_from(r, from);
	cr_assert(raw_send_text(r, "POST " WEBHOOKS " HTTP/1.1\r\nHost: payhook\r\nContent-Type: application/json\r\n"
				   "Content-Length: 100\r\n\r\n{"));
}

/* The status of a GET from this address, with this X-Forwarded-For header if not NULL. */
static int get_from(const char *target, const char *from, const char *header)
{
	struct answer a;

	call_send(&(struct call){.target = target, .from = from, .header = header}, &a);
	if (a.status == 429) {
		expect_retry_after(&a, "429");
		expect_problem(&a, 429, "429");
	}
	int status = a.status;
	answer_finish(&a);
	return status;
}

static int wait_get_from(const char *from, const char *header, int status)
{
	long long deadline = calm_ms() + ANSWER_MS;
	int got;

	while ((got = get_from("/livez", from, header)) != status && calm_ms() < deadline)
		pause_a_little();
	return got;
}

/* A further request from the address is rejected while these are in progress.  If nginx rejected one of these because
 * it processed the further one first, that one is started again. */
static void expect_full(struct raw under_way[CONNECTIONS], const char *from, const char *header)
{
	long long deadline = calm_ms() + ANSWER_MS;
	struct answer a;

	while (get_from("/livez", from, header) != 429) {
		cr_assert(calm_ms() < deadline, "%s is let in beside %d under way", from, CONNECTIONS);
		for (int n = 0; n < CONNECTIONS; n++) {
			if (!raw_answer(&under_way[n], &a, 1))
				continue;
			cr_assert_eq(a.status, 429, "%d %s", a.status, a.body);
			answer_finish(&a);
			raw_close(&under_way[n]);
			begin_a_post(&under_way[n], from);
		}
	}
}

Test(limits, an_address_has_so_many_requests_under_way)
{
	static struct raw under_way[CONNECTIONS];

	wait_for_calm();
	for (int n = 0; n < CONNECTIONS; n++)
		begin_a_post(&under_way[n], "127.0.3.1");
	expect_full(under_way, "127.0.3.1", NULL);
	cr_expect_eq(get_from("/livez", "127.0.3.2", NULL), 200, "another address");
	for (int n = 0; n < CONNECTIONS; n++)
		raw_close(&under_way[n]);
	cr_expect_eq(wait_get_from("127.0.3.1", NULL, 200), 200, "it is let in again");
}

/* Behind a load balancer, the connections of each client are counted, not those of the balancer. */
Test(limits, a_balancer_s_senders_are_counted_each_for_itself)
{
	static struct raw under_way[CONNECTIONS];

	wait_for_calm();
	for (int n = 0; n < CONNECTIONS; n++)
		begin_a_post(&under_way[n], BALANCER);
	expect_full(under_way, BALANCER, "X-Forwarded-For: 127.0.0.9");
	cr_expect_eq(get_from("/livez", BALANCER, "X-Forwarded-For: 192.0.2.1"), 200);
	for (int n = 0; n < CONNECTIONS; n++)
		raw_close(&under_way[n]);
}

/* Only one address may read the metrics, so the status shows which address nginx assumes. */
Test(real_ip, is_what_a_known_balancer_forwards)
{
	static const struct {
		const char *from, *header;
		int status;
	} cases[] = {
		{BALANCER, NULL, 403},
		{BALANCER, "X-Forwarded-For: " READER, 200},
		{SECOND_BALANCER, "X-Forwarded-For: " READER, 200},
		{BALANCER, "X-Forwarded-For: 203.0.113.5", 403},
		/* The address is the last one that no known balancer has written; anybody may have written those before
		 * it. */
		{BALANCER, "X-Forwarded-For: " READER ", 203.0.113.5", 403},
		{BALANCER, "X-Forwarded-For: " READER ", 203.0.113.5, " SECOND_BALANCER, 403},
		{BALANCER, "X-Forwarded-For: 203.0.113.5, " READER ", " SECOND_BALANCER, 200},
		{BALANCER, "X-Forwarded-For: " READER "\r\nX-Forwarded-For: 203.0.113.5", 403},
		{BALANCER, "X-Forwarded-For: 203.0.113.5\r\nX-Forwarded-For: " READER, 200},
		{BALANCER, "X-Forwarded-For: nonsense", 403},
		{BALANCER, "X-Real-IP: " READER, 403},
		{BALANCER, "Forwarded: for=" READER, 403},
		{STRANGER, "X-Forwarded-For: " READER, 403},
		{STRANGER, "X-Forwarded-For: " READER ", " BALANCER, 403},
		{STRANGER, "X-Forwarded-For: 127.0.0.1", 403},
		{STRANGER, "X-Real-IP: " READER, 403},
	};

	for (size_t n = 0; n < COUNT_OF(cases); n++) {
		int status = get_from("/metrics", cases[n].from, cases[n].header);
		cr_expect_eq(status, cases[n].status, "%s %s: %d", cases[n].from,
			cases[n].header != NULL ? cases[n].header : "", status);
	}
}

Test(real_ip, is_the_address_that_is_logged)
{
	char id[64], target[128], line[2048];

	snprintf(target, sizeof(target), "/%s", fresh_id("logged", id));
	get_from(target, BALANCER, "X-Forwarded-For: 203.0.113.99");
	logs_wait("access", target, "\"address\":\"203.0.113.99\"", line, sizeof(line));
	snprintf(target, sizeof(target), "/%s", fresh_id("logged", id));
	get_from(target, STRANGER, "X-Forwarded-For: 203.0.113.99");
	logs_wait("access", target, "\"address\":\"" STRANGER "\"", line, sizeof(line));
}
