/* test_signatures.c - webhooks with a wrong, missing, malformed or outdated signature.  All get the same answer; only
 * the log contains the cause. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/logs.h"
#include "support/scrape.h"
#include "support/signed_webhook.h"

#define LOGGED_MS 15000 /* one authentication failure a second is logged */
#define WRITTEN_MS 300  /* from an answer to its line in the file, if it has one */

TestSuite(signatures, .timeout = 120);

#define STORED "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"

/* The answer is the same byte for byte except for the request id, so a sender does not learn what was wrong. */
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

static bool is_logged(const char *id, char *line, size_t size)
{
	for (long long until = now_ms() + WRITTEN_MS; now_ms() < until; pause_a_little())
		if (logs_find("pool", id, "webhook authentication failed", line, size))
			return true;
	return false;
}

/* Sends the webhook until its failure is one of those that are logged, and checks the cause. */
static void is_refused(const struct signed_webhook *w, const char *what, const char *cause)
{
	long long deadline = calm_ms() + LOGGED_MS;
	char id[128], line[4096], member[64];
	struct answer a;

	for (;;) {
		signed_webhook_post(w, &a);
		expect_auth_failure(&a, what);
		answer_header(&a, "X-Request-Id", id, sizeof(id));
		answer_finish(&a);
		if (is_logged(id, line, sizeof(line)))
			break;
		cr_assert(calm_ms() < deadline, "%s: %s: not in the log", signed_webhook_source(w->from), what);
	}
	snprintf(member, sizeof(member), "\"cause\":\"%s\"", cause);
	cr_assert_not_null(strstr(line, member), "%s: %s: %s", signed_webhook_source(w->from), what, line);
	snprintf(member, sizeof(member), "\"source\":\"%s\"", signed_webhook_source(w->from));
	cr_assert_not_null(strstr(line, member), "%s", line);
	cr_assert_not(signed_webhook_betrays(line, strlen(line)));
	for (int n = 0; n < w->count; n++)
		cr_assert_eq(database_number_of(STORED, w->ids[n]), 0, "%s: %s", signed_webhook_source(w->from), what);
}

/* The same request with a right signature is accepted, so nothing else was wrong with it. */
static void is_taken(struct signed_webhook *w, int key, const char *what)
{
	struct answer a;

	signed_webhook_sign(w, key, (int64_t)time(NULL));
	signed_webhook_post(w, &a);
	cr_assert_eq(a.status, 202, "%s: %s: %d %s", signed_webhook_source(w->from), what, a.status, a.body);
	answer_finish(&a);
}

static void refuses_what_others_signed(enum provider from)
{
	static struct signed_webhook w;

	signed_webhook_write(&w, from);
	signed_webhook_sign(&w, KEY_FOREIGN, (int64_t)time(NULL));
	is_refused(&w, "another secret", "wrong");
	signed_webhook_sign(&w, KEY_EXPIRED, (int64_t)time(NULL));
	is_refused(&w, "a secret past its not_after", "expired");
	is_taken(&w, KEY_SECOND, "the second secret");
}

static void refuses_what_was_changed(enum provider from, const char *old, const char *new)
{
	static struct signed_webhook w;

	signed_webhook_write(&w, from);
	signed_webhook_replace(&w, old, new);
	is_refused(&w, "a changed amount", "wrong");
	is_taken(&w, KEY_FIRST, "the changed amount, signed");
}

static void refuses_another_header(enum provider from, const char *malformed)
{
	static struct signed_webhook w;

	signed_webhook_write(&w, from);
	sent_set(&w.sent, signed_webhook_header(from), malformed);
	is_refused(&w, malformed, "malformed");
	sent_set(&w.sent, signed_webhook_header(from), NULL);
	is_refused(&w, "no signature", "missing");
	w.sent.count = 0;
	is_refused(&w, "no header at all", "missing");
}

/* Signs as of another time: too long ago, and too far in the future. */
static void refuses_another_time(enum provider from, int tolerance_s)
{
	static struct signed_webhook w;
	int64_t now_s = (int64_t)time(NULL);

	signed_webhook_write(&w, from);
	signed_webhook_sign(&w, KEY_FIRST, now_s - tolerance_s - 20);
	is_refused(&w, "too old", "old");
	signed_webhook_sign(&w, KEY_FIRST, now_s + tolerance_s + 60);
	is_refused(&w, "of the future", "future");
	is_taken(&w, KEY_FIRST, "in time");
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

/* The signatures are in the body, one for each item. */
Test(signatures, of_adyen)
{
	static struct signed_webhook w;

	refuses_what_others_signed(ADYEN);
	signed_webhook_write(&w, ADYEN);
	signed_webhook_replace(&w, "1500000", "1500001");
	is_refused(&w, "a changed second item", "wrong");
	signed_webhook_write(&w, ADYEN);
	signed_webhook_replace(&w, "hmacSignature", "hmacSignatur2");
	is_refused(&w, "no signature", "missing");
}

/* Every failure is counted, whether it is logged or not. */
Test(signatures, refused_are_counted)
{
	static struct signed_webhook w;
	double before = scrape_now("payhook_webhooks_total{outcome=\"unsigned\"}");
	struct answer a;

	signed_webhook_write(&w, STRIPE);
	signed_webhook_sign(&w, KEY_FOREIGN, (int64_t)time(NULL));
	for (int n = 0; n < 20; n++) {
		signed_webhook_post(&w, &a);
		expect_auth_failure(&a, "another secret");
		answer_finish(&a);
	}
	double counted = scrape_now("payhook_webhooks_total{outcome=\"unsigned\"}") - before;
	cr_assert_eq(counted, 20, "%g", counted);
}

/* No signature is computed for a request that is rejected for its type or size. */
Test(signatures, are_checked_after_type_and_size)
{
	static char large[1024 * 1024 + 2]; /* one byte more than the instance takes, and NUL */
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
