/* test_signatures.c - webhooks that their source did not send: one answer for all, and the cause in the log. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/logs.h"
#include "support/scrape.h"
#include "support/signed_webhook.h"

#define LOGGED_MS 5000 /* one refusal a second is logged */

TestSuite(signatures, .timeout = 120);

#define STORED "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"

/* Byte for byte the same but for the request's id, so that nobody learns what was wrong. */
static void expect_auth_failure(struct answer *a, const char *what)
{
	char id[128], challenge[64], expected[512];

	expect_problem(a, 401, what);
	answer_header(a, "X-Request-Id", id, sizeof(id));
	cr_assert(answer_header(a, "WWW-Authenticate", challenge, sizeof(challenge)), "%s: %s", what, a->head);
	cr_assert_str_eq(challenge, "Signature");
	snprintf(expected, sizeof(expected),
		"{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
		"\"detail\":\"the webhook is not signed as this source signs\",\"instance\":\"%s\"}",
		id);
	cr_assert_str_eq(a->body, expected, "%s: %s", what, a->body);
}

/* Sends it until it is one of those that are logged, with this cause. */
static void is_refused(const struct signed_webhook *l, const char *what, const char *cause)
{
	long long deadline = now_ms() + LOGGED_MS;
	char id[128], line[4096], member[64];
	struct answer a;

	for (;;) {
		signed_webhook_post(l, &a);
		expect_auth_failure(&a, what);
		answer_header(&a, "X-Request-Id", id, sizeof(id));
		answer_finish(&a);
		if (logs_find("pool", id, "webhook authentication failed", line, sizeof(line)))
			break;
		cr_assert(now_ms() < deadline, "%s: %s: not in the log", signed_webhook_source(l->from), what);
		pause_a_little();
	}
	snprintf(member, sizeof(member), "\"cause\":\"%s\"", cause);
	cr_assert_not_null(strstr(line, member), "%s: %s: %s", signed_webhook_source(l->from), what, line);
	snprintf(member, sizeof(member), "\"source\":\"%s\"", signed_webhook_source(l->from));
	cr_assert_not_null(strstr(line, member), "%s", line);
	cr_assert_not(signed_webhook_betrays(line, strlen(line)));
	for (int n = 0; n < l->count; n++)
		cr_assert_eq(database_number_of(STORED, l->ids[n]), 0, "%s: %s", signed_webhook_source(l->from), what);
}

/* The same request, but rightly signed: so it was refused for nothing else. */
static void is_taken(struct signed_webhook *l, int key, const char *what)
{
	struct answer a;

	signed_webhook_sign(l, key, (int64_t)time(NULL));
	signed_webhook_post(l, &a);
	cr_assert_eq(a.status, 202, "%s: %s: %d %s", signed_webhook_source(l->from), what, a.status, a.body);
	answer_finish(&a);
}

static void refuses_what_others_signed(enum processor from)
{
	static struct signed_webhook l;

	signed_webhook_write(&l, from);
	signed_webhook_sign(&l, KEY_FOREIGN, (int64_t)time(NULL));
	is_refused(&l, "another secret", "wrong");
	signed_webhook_sign(&l, KEY_EXPIRED, (int64_t)time(NULL));
	is_refused(&l, "a secret past its not_after", "expired");
	is_taken(&l, KEY_SECOND, "the second secret");
}

static void refuses_what_was_changed(enum processor from, const char *old, const char *new)
{
	static struct signed_webhook l;

	signed_webhook_write(&l, from);
	signed_webhook_replace(&l, old, new);
	is_refused(&l, "a changed amount", "wrong");
	is_taken(&l, KEY_FIRST, "the changed amount, signed");
}

static void refuses_another_header(enum processor from, const char *malformed)
{
	static struct signed_webhook l;

	signed_webhook_write(&l, from);
	sent_set(&l.sent, signed_webhook_header(from), malformed);
	is_refused(&l, malformed, "malformed");
	sent_set(&l.sent, signed_webhook_header(from), NULL);
	is_refused(&l, "no signature", "missing");
	l.sent.count = 0;
	is_refused(&l, "no header at all", "missing");
}

/* As of another time: too long ago and too far ahead, by as much as the log says. */
static void refuses_another_time(enum processor from, int tolerance_s)
{
	static struct signed_webhook l;
	int64_t now_s = (int64_t)time(NULL);

	signed_webhook_write(&l, from);
	signed_webhook_sign(&l, KEY_FIRST, now_s - tolerance_s - 20);
	is_refused(&l, "too old", "old");
	signed_webhook_sign(&l, KEY_FIRST, now_s + tolerance_s + 60);
	is_refused(&l, "of the future", "future");
	is_taken(&l, KEY_FIRST, "in time");
}

Test(signatures, of_standard_webhooks)
{
	refuses_what_others_signed(BANK);
	refuses_what_was_changed(BANK, "149.90", "949.90");
	refuses_another_header(BANK, "v1,no base64!");
	refuses_another_time(BANK, 300);
}

Test(signatures, of_stripe)
{
	refuses_what_others_signed(STRIPE);
	refuses_what_was_changed(STRIPE, "109900", "100000");
	refuses_another_header(STRIPE, "t=soon,v1=00");
	refuses_another_time(STRIPE, 300);
}

Test(signatures, of_a_hash_in_a_header)
{
	refuses_what_others_signed(CLEARING);
	refuses_what_was_changed(CLEARING, "12.5", "12.6");
	refuses_another_header(CLEARING, "sha512:no hex");
	refuses_another_time(CLEARING, 60);
}

/* Its signatures stand in the body, one for each item. */
Test(signatures, of_adyen)
{
	static struct signed_webhook l;

	refuses_what_others_signed(ADYEN);
	signed_webhook_write(&l, ADYEN);
	signed_webhook_replace(&l, "1500000", "1500001");
	is_refused(&l, "a changed second item", "wrong");
	signed_webhook_write(&l, ADYEN);
	signed_webhook_replace(&l, "hmacSignature", "hmacSignatur2");
	is_refused(&l, "no signature", "missing");
}

/* Each is counted, whether it is logged or not. */
Test(signatures, refused_are_counted)
{
	static struct signed_webhook l;
	double before = scrape_now("payhook_webhooks_total{outcome=\"unsigned\"}");
	struct answer a;

	signed_webhook_write(&l, STRIPE);
	signed_webhook_sign(&l, KEY_FOREIGN, (int64_t)time(NULL));
	for (int n = 0; n < 20; n++) {
		signed_webhook_post(&l, &a);
		expect_auth_failure(&a, "another secret");
		answer_finish(&a);
	}
	double counted = scrape_now("payhook_webhooks_total{outcome=\"unsigned\"}") - before;
	cr_assert_eq(counted, 20, "%g", counted);
}

/* What is refused by its type or its size is not calculated over. */
Test(signatures, are_looked_at_after_type_and_size)
{
	static char large[70000];
	struct answer a;

	memset(large, ' ', sizeof(large) - 1);
	call_send(&(struct call){.target = "/v1/webhooks/bank", .type = "text/plain", .body = "{}"}, &a);
	expect_problem_once(&a, 415, "text");
	call_send(&(struct call){.target = "/v1/webhooks/bank", .type = "application/json", .body = large}, &a);
	expect_problem_once(&a, 413, "too large");
	call_send(&(struct call){.target = "/v1/webhooks/bank", .type = "application/json", .body = "{}"}, &a);
	expect_auth_failure(&a, "unsigned");
	answer_finish(&a);
}
