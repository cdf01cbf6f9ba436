/* test_sources.c - what becomes of webhooks that processors send in their own words. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/scrape.h"
#include "support/signed_webhook.h"

static char file_setting[96];

/* One responder, whose log is told once a second what it refuses. */
const char *const instance_settings[] = {file_setting, SIGNED_WEBHOOK_VARIABLE "=key 0 of 32 bytes, not a secret!",
	"RESPONDERS=1", "PROCESSOR_DELAY_MS=0", "LOG_LEVEL=debug", NULL};

/* The instance's sources have to be there before it; this runs in each test's process too, which finds it by now. */
__attribute__((constructor)) static void furnish(void)
{
	static char folder[] = "/tmp/payhook-e2e-sources-XXXXXX";

	if (getenv("E2E_FOLDER") != NULL || mkdtemp(folder) == NULL)
		return;
	chmod(folder, 0755);
	signed_webhook_furnish(folder, NULL);
	snprintf(file_setting, sizeof(file_setting), "SOURCES_FILE=%s/sources.json", folder);
	setenv("E2E_SOURCES", folder, 1);
}

__attribute__((destructor)) static void clear(void)
{
	if (file_setting[0] != '\0')
		signed_webhook_clear(getenv("E2E_SOURCES"));
}

#define STORED "SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1"

static void accept(const struct signed_webhook *l, const char *what)
{
	struct answer a;

	signed_webhook_post(l, &a);
	cr_assert_eq(
		a.status, 202, "%s: %s: %d %s%s", signed_webhook_source(l->from), what, a.status, a.body, a.trouble);
	cr_assert_str_eq(a.body, "{\"message\":\"Accepted\"}");
	answer_finish(&a);
}

static void look_up(const char *id, const char *source, struct answer *ret)
{
	char target[192];

	snprintf(target, sizeof(target), "/v1/transactions/%s?source=%s", id, source);
	call_get(target, ret);
}

static void is_processed(const char *id, const char *source, const char *reported)
{
	struct answer a;
	long long deadline = now_ms() + 10000;

	for (;;) {
		look_up(id, source, &a);
		cr_assert_eq(a.status, 200, "%s of %s: %d %s", id, source, a.status, a.body);
		cr_assert_not_null(strstr(a.body, reported), "%s instead of %s", a.body, reported);
		if (strstr(a.body, "\"status\":\"PROCESSED\"") != NULL)
			break;
		cr_assert(now_ms() < deadline, "still %s", a.body);
		answer_finish(&a);
		pause_a_little();
	}
	answer_finish(&a);
}

Test(sources, what_a_provider_signed_is_processed_with_its_content)
{
	static struct signed_webhook l;

	for (int from = 0; from < PROCESSORS; from++) {
		signed_webhook_write(&l, (enum processor)from);
		accept(&l, "signed");
		for (int n = 0; n < l.count; n++) {
			is_processed(l.ids[n], signed_webhook_source(l.from), signed_webhook_expected(l.from, n));
			/* Not the built-in source's. */
			char target[128];
			snprintf(target, sizeof(target), "/v1/transactions/%s", l.ids[n]);
			cr_assert_eq(call_get_status(target), 404, "%s", l.ids[n]);
		}
	}
}

Test(sources, a_request_that_comes_again_changes_nothing)
{
	static struct signed_webhook l;

	for (int from = 0; from < PROCESSORS; from++) {
		signed_webhook_write(&l, (enum processor)from);
		accept(&l, "first");
		is_processed(l.ids[0], signed_webhook_source(l.from), signed_webhook_expected(l.from, 0));
		accept(&l, "again");
		for (int n = 0; n < l.count; n++)
			cr_assert_eq(database_number_of(STORED, l.ids[n]), 1);
		cr_assert_eq(database_number_of(
				     "SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1",
				     l.ids[0]),
			0);
	}
}

Test(sources, what_the_filter_leaves_out_is_answered_and_not_stored)
{
	static const struct {
		enum processor from;
		const char *old, *new;
	} others[] = {{BANK, "payment.settled", "payment.pending"},
		{STRIPE, "payment_intent.succeeded", "payment_intent.created"},
		{ADYEN, "\"success\":\"true\"", "\"success\":\"false\""}, {CLEARING, "BOOKED", "PENDING"}};
	static struct signed_webhook l;

	for (size_t n = 0; n < COUNT_OF(others); n++) {
		struct answer a;
		signed_webhook_write(&l, others[n].from);
		signed_webhook_replace(&l, others[n].old, others[n].new);
		signed_webhook_sign(&l, KEY_FIRST, (int64_t)time(NULL));
		signed_webhook_post(&l, &a);
		cr_assert_eq(a.status, 200, "%s: %d %s", signed_webhook_source(l.from), a.status, a.body);
		cr_assert_str_eq(a.body, "{\"message\":\"Ignored\"}");
		answer_finish(&a);
		cr_assert_eq(database_number_of(STORED, l.ids[0]), 0);
	}
	cr_assert_geq(scrape_now("payhook_webhooks_total{outcome=\"ignored\"}"), 4);
}

/* Of several items one is wrong: the answer points into the processor's own payload, and none is stored. */
Test(sources, a_bad_item_is_pointed_at_and_none_is_stored)
{
	static struct signed_webhook l;
	struct answer a;

	signed_webhook_write(&l, CLEARING);
	signed_webhook_replace(&l, "\"0.455\"", "\"0.4555\"");
	signed_webhook_sign(&l, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&l, &a);
	cr_assert_not_null(strstr(a.body, "\"pointer\":\"/transfers/2/amount\""), "%s", a.body);
	expect_problem_once(&a, 422, "a fourth decimal of KWD");
	cr_assert_eq(database_number_of(STORED, l.ids[0]), 0);
	signed_webhook_write(&l, BANK);
	signed_webhook_replace(&l, "\"payer\"", "\"paier\"");
	signed_webhook_sign(&l, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&l, &a);
	cr_assert_not_null(strstr(a.body, "\"pointer\":\"/data/payer/account\""), "%s", a.body);
	expect_problem_once(&a, 422, "no payer");
	signed_webhook_write(&l, CLEARING);
	signed_webhook_replace(&l, "\"transfers\"", "\"transfer\"");
	signed_webhook_sign(&l, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&l, &a);
	expect_problem_once(&a, 422, "no items");
}

/* Signed, but no JSON that we take: it is the signature that is looked at first. */
Test(sources, what_is_signed_has_to_be_strict_json_all_the_same)
{
	static struct signed_webhook l;
	struct answer a;

	signed_webhook_write(&l, BANK);
	signed_webhook_replace(&l, "\"data\":{", "\"data\":{,");
	signed_webhook_post(&l, &a);
	expect_problem_once(&a, 401, "broken, and not what was signed");
	signed_webhook_sign(&l, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&l, &a);
	expect_problem_once(&a, 400, "broken, and signed");
}

Test(sources, several_items_of_which_some_are_known_are_accepted_once_each)
{
	static struct signed_webhook first, second;

	signed_webhook_write(&first, CLEARING);
	accept(&first, "two items");
	signed_webhook_write(&second, CLEARING);
	/* The first of the one is the first of the other. */
	signed_webhook_replace(&second, second.ids[0] + strlen("clearing-"), first.ids[0] + strlen("clearing-"));
	signed_webhook_sign(&second, KEY_FIRST, (int64_t)time(NULL));
	accept(&second, "one of them known");
	cr_assert_eq(database_number_of(STORED, first.ids[0]), 1);
	cr_assert_eq(database_number_of(STORED, second.ids[1]), 1);
	is_processed(second.ids[1], "clearing", signed_webhook_expected(CLEARING, 1));
}

Test(sources, one_id_of_two_sources_is_two_transactions)
{
	static struct signed_webhook l;
	char body[WEBHOOK_MAX];

	signed_webhook_write(&l, BANK);
	accept(&l, "the bank's");
	expect_accepted(webhook_simple(l.ids[0], body));
	cr_assert_eq(database_number_of(STORED, l.ids[0]), 2);
	is_processed(l.ids[0], "bank", signed_webhook_expected(BANK, 0));
	is_processed(l.ids[0], "transactions", "\"source_account\":\"acc_user_789\"");
	is_processed(l.ids[0], "%62ank", signed_webhook_expected(BANK, 0));
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transaction_conflicts"), 0);
}

Test(sources, what_is_no_source_is_not_there)
{
	static const char *const targets[] = {
		"/v1/webhooks/nobody", "/v1/webhooks/Bank", "/v1/webhooks/bank%20", "/v1/webhooks/b%61nks"};
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		call_send(&(struct call){.target = targets[n], .type = "application/json", .body = "{}"}, &a);
		expect_problem_once(&a, 404, targets[n]);
	}
	look_up("some", "nobody", &a);
	expect_problem_once(&a, 404, "a source that could be");
	look_up("some", "No%20Body", &a);
	expect_problem_once(&a, 404, "a source that cannot be");
	look_up("some", "bank&source=stripe", &a);
	expect_problem_once(&a, 400, "two sources");
	look_up("some", "bank%", &a);
	expect_problem_once(&a, 400, "a broken escape");
	call_get("/v1/webhooks/bank", &a);
	expect_problem_once(&a, 405, "GET");
}

Test(sources, readyz_names_the_sources_that_are_open)
{
	struct answer a;

	call_get("/readyz", &a);
	cr_assert_str_eq(a.body, "{\"status\":\"ready\",\"open_sources\":[\"transactions\"]}");
	answer_finish(&a);
}

Test(sources, what_cannot_be_stored_now_is_503_and_may_be_sent_again)
{
	static struct signed_webhook l;
	struct answer a;

	mend_and_wait();
	signed_webhook_write(&l, BANK);
	break_freeze("postgres");
	signed_webhook_post(&l, &a);
	expect_retry_after(&a, "PostgreSQL is frozen");
	expect_problem_once(&a, 503, "PostgreSQL is frozen");
	mend_and_wait();
	accept(&l, "sent again");
}
