/* test_sources.c - webhooks of several providers, each in its own format: signed, filtered, mapped, stored and
 * processed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/calm.h"
#include "support/expect.h"
#include "support/faults.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/scrape.h"
#include "support/signed_webhook.h"

static char file_setting[96];

/* With one responder, its log reports an authentication failure at most once a second. */
const char *const instance_settings[] = {file_setting, SIGNED_WEBHOOK_VARIABLE "=key 4 of 32 bytes, not a secret!",
	"RESPONDERS=1", "PROCESSOR_DELAY_MS=0", "LOG_LEVEL=debug", "BODY_LIMIT=1048576", NULL};

/* SOURCES_FILE must exist before the instance is started.  This constructor also runs in the process of each test,
 * where the file exists already. */
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

static void accept(const struct signed_webhook *w, const char *what)
{
	struct answer a;

	signed_webhook_post(w, &a);
	cr_assert_eq(
		a.status, 202, "%s: %s: %d %s%s", signed_webhook_source(w->from), what, a.status, a.body, a.trouble);
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
	long long deadline = calm_ms() + 10000;

	for (;;) {
		look_up(id, source, &a);
		cr_assert_eq(a.status, 200, "%s of %s: %d %s", id, source, a.status, a.body);
		cr_assert_not_null(strstr(a.body, reported), "%s instead of %s", a.body, reported);
		if (strstr(a.body, "\"status\":\"PROCESSED\"") != NULL)
			break;
		cr_assert(calm_ms() < deadline, "still %s", a.body);
		answer_finish(&a);
		pause_a_little();
	}
	answer_finish(&a);
}

Test(sources, what_a_provider_signed_is_processed_with_its_content)
{
	static struct signed_webhook w;

	for (int from = 0; from < PROVIDERS; from++) {
		signed_webhook_write(&w, (enum provider)from);
		accept(&w, "signed");
		for (int n = 0; n < w.count; n++) {
			is_processed(w.ids[n], signed_webhook_source(w.from), signed_webhook_expected(w.from, n));
			/* The built-in source has no such transaction. */
			char target[128];
			snprintf(target, sizeof(target), "/v1/transactions/%s", w.ids[n]);
			cr_assert_eq(call_get_status(target), 404, "%s", w.ids[n]);
		}
	}
}

/* The signature is kept, so that the request can be verified again, and the key that came beside it is not. */
Test(sources, what_was_verified_is_kept_as_it_came)
{
	static const char KEPT[] =
		" FROM payhook.transactions t JOIN payhook.payloads p ON p.payload_id = t.payload_id"
		" AND p.received_at = t.payload_at AND p.source = t.source WHERE t.transaction_id = $1";
	static struct signed_webhook w;
	char query[512], header[64];

	for (int from = 0; from < PROVIDERS; from++) {
		signed_webhook_write(&w, (enum provider)from);
		sent_set(&w.sent, "authorization", "Bearer secret");
		accept(&w, "signed");
		for (int n = 0; n < w.count; n++) {
			snprintf(query, sizeof(query), "SELECT convert_from(p.body, 'UTF8')%s", KEPT);
			cr_expect_str_eq(database_text_of(query, w.ids[n]), w.body);
			snprintf(query, sizeof(query), "SELECT count(*)%s AND p.content_type = 'application/json'",
				KEPT);
			cr_expect_eq(database_number_of(query, w.ids[n]), 1);
			snprintf(query, sizeof(query), "SELECT count(*)%s AND p.headers::text LIKE '%%secret%%'", KEPT);
			cr_expect_eq(database_number_of(query, w.ids[n]), 0);
			if (signed_webhook_header(w.from) == NULL)
				continue;
			snprintf(header, sizeof(header), "%s", signed_webhook_header(w.from));
			snprintf(query, sizeof(query), "SELECT count(*)%s AND p.headers ? lower('%s')", KEPT, header);
			cr_expect_eq(database_number_of(query, w.ids[n]), 1, "%s", header);
		}
	}
}

/* BODY_LIMIT is that of nginx and of the responder. */
Test(sources, a_body_of_the_limit_is_kept_and_one_of_a_byte_more_is_refused)
{
	enum { LIMIT = 1024 * 1024 };
	static char body[LIMIT + 1];
	char id[64], text[WEBHOOK_MAX];
	struct answer a;

	webhook_simple(fresh_id("large", id), text);
	memset(body, ' ', sizeof(body));
	memcpy(body, text, strlen(text));
	struct call call = {.target = WEBHOOKS, .type = "application/json", .body = body, .len = LIMIT + 1};
	call_send(&call, &a);
	expect_problem_once(&a, 413, "a byte more");
	call.chunked = true;
	call_send(&call, &a);
	expect_problem_once(&a, 413, "a byte more in chunks");
	call.len = LIMIT;
	call_send(&call, &a);
	cr_expect_eq(a.status, 202, "%d %s%s", a.status, a.body, a.trouble);
	answer_finish(&a);
	cr_expect_eq(
		database_number_of("SELECT octet_length(p.body) FROM payhook.payloads p JOIN payhook.transactions t"
				   " USING (payload_id) WHERE t.transaction_id = $1",
			id),
		LIMIT);
}

Test(sources, a_request_that_comes_again_changes_nothing)
{
	static struct signed_webhook w;

	for (int from = 0; from < PROVIDERS; from++) {
		signed_webhook_write(&w, (enum provider)from);
		accept(&w, "first");
		is_processed(w.ids[0], signed_webhook_source(w.from), signed_webhook_expected(w.from, 0));
		accept(&w, "again");
		for (int n = 0; n < w.count; n++)
			cr_assert_eq(database_number_of(STORED, w.ids[n]), 1);
		cr_assert_eq(database_number_of(
				     "SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1",
				     w.ids[0]),
			0);
	}
}

Test(sources, what_the_filter_leaves_out_is_answered_and_not_stored)
{
	static const struct {
		enum provider from;
		const char *old, *new;
	} others[] = {{BANK, "payment.settled", "payment.pending"},
		{STRIPE, "payment_intent.succeeded", "payment_intent.created"},
		{ADYEN, "\"success\":\"true\"", "\"success\":\"false\""}, {CLEARING, "BOOKED", "PENDING"}};
	static struct signed_webhook w;

	for (size_t n = 0; n < COUNT_OF(others); n++) {
		struct answer a;
		signed_webhook_write(&w, others[n].from);
		signed_webhook_replace(&w, others[n].old, others[n].new);
		signed_webhook_sign(&w, KEY_FIRST, (int64_t)time(NULL));
		signed_webhook_post(&w, &a);
		cr_assert_eq(a.status, 200, "%s: %d %s", signed_webhook_source(w.from), a.status, a.body);
		cr_assert_str_eq(a.body, "{\"message\":\"Ignored\"}");
		answer_finish(&a);
		cr_assert_eq(database_number_of(STORED, w.ids[0]), 0);
		/* "keep_ignored": true */
		cr_expect_eq(database_number_of("SELECT count(*) FROM payhook.payloads"
						" WHERE convert_from(body, 'UTF8') = $1 AND source = 'clearing'",
				     w.body),
			w.from == CLEARING);
	}
	cr_assert_geq(scrape_now("payhook_webhooks_total{outcome=\"ignored\"}"), 4);
}

/* One of several items is wrong: the answer points into the provider's own payload, and none is stored. */
Test(sources, a_bad_item_is_pointed_at_and_none_is_stored)
{
	static struct signed_webhook w;
	struct answer a;

	signed_webhook_write(&w, CLEARING);
	signed_webhook_replace(&w, "\"0.455\"", "\"0.4555\"");
	signed_webhook_sign(&w, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&w, &a);
	cr_assert_not_null(strstr(a.body, "\"pointer\":\"/transfers/2/amount\""), "%s", a.body);
	expect_problem_once(&a, 422, "a fourth decimal of KWD");
	cr_assert_eq(database_number_of(STORED, w.ids[0]), 0);
	signed_webhook_write(&w, BANK);
	signed_webhook_replace(&w, "\"payer\"", "\"paier\"");
	signed_webhook_sign(&w, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&w, &a);
	cr_assert_not_null(strstr(a.body, "\"pointer\":\"/data/payer/account\""), "%s", a.body);
	expect_problem_once(&a, 422, "no payer");
	signed_webhook_write(&w, CLEARING);
	signed_webhook_replace(&w, "\"transfers\"", "\"transfer\"");
	signed_webhook_sign(&w, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&w, &a);
	expect_problem_once(&a, 422, "no items");
}

/* Makes the second of two items one with the id of the first, and signs the webhook. */
static void give_both_items_one_id(struct signed_webhook *w)
{
	size_t prefix = strlen("clearing-");
	signed_webhook_replace(w, w->ids[1] + prefix, w->ids[0] + prefix);
	signed_webhook_sign(w, KEY_FIRST, (int64_t)time(NULL));
}

/* Only one could be stored, and nobody knows which of them is right. */
Test(sources, two_contents_of_one_id_in_a_body_are_422_and_none_is_stored)
{
	static struct signed_webhook w;
	struct answer a;

	signed_webhook_write(&w, CLEARING);
	give_both_items_one_id(&w);
	signed_webhook_post(&w, &a);
	cr_assert_not_null(strstr(a.body, "different content"), "%s", a.body);
	cr_assert_not_null(strstr(a.body, w.ids[0]), "%s", a.body);
	expect_problem_once(&a, 422, "two contents");
	cr_assert_eq(database_number_of(STORED, w.ids[0]), 0);
}

/* The body is signed but not valid JSON: the signature is checked first. */
Test(sources, what_is_signed_has_to_be_strict_json_all_the_same)
{
	static struct signed_webhook w;
	struct answer a;

	signed_webhook_write(&w, BANK);
	signed_webhook_replace(&w, "\"data\":{", "\"data\":{,");
	signed_webhook_post(&w, &a);
	expect_problem_once(&a, 401, "broken, and not what was signed");
	signed_webhook_sign(&w, KEY_FIRST, (int64_t)time(NULL));
	signed_webhook_post(&w, &a);
	expect_problem_once(&a, 400, "broken, and signed");
}

Test(sources, several_items_of_which_some_are_known_are_accepted_once_each)
{
	static struct signed_webhook first, second;

	signed_webhook_write(&first, CLEARING);
	accept(&first, "two items");
	signed_webhook_write(&second, CLEARING);
	/* The first item of the second webhook gets the id of the first item of the first one. */
	signed_webhook_replace(&second, second.ids[0] + strlen("clearing-"), first.ids[0] + strlen("clearing-"));
	signed_webhook_sign(&second, KEY_FIRST, (int64_t)time(NULL));
	accept(&second, "one of them known");
	cr_assert_eq(database_number_of(STORED, first.ids[0]), 1);
	cr_assert_eq(database_number_of(STORED, second.ids[1]), 1);
	is_processed(second.ids[1], "clearing", signed_webhook_expected(CLEARING, 1));
}

Test(sources, one_id_of_two_sources_is_two_transactions)
{
	static struct signed_webhook w;
	char body[WEBHOOK_MAX];

	signed_webhook_write(&w, BANK);
	accept(&w, "the bank's");
	expect_accepted(webhook_simple(w.ids[0], body));
	cr_assert_eq(database_number_of(STORED, w.ids[0]), 2);
	is_processed(w.ids[0], "bank", signed_webhook_expected(BANK, 0));
	is_processed(w.ids[0], "transactions", "\"source_account\":\"acc_user_789\"");
	is_processed(w.ids[0], "%62ank", signed_webhook_expected(BANK, 0));
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
	cr_assert_str_eq(
		a.body, "{\"status\":\"ready\",\"open_sources\":[\"transactions\"],\"open_source_from\":\"all\"}");
	answer_finish(&a);
}

Test(sources, what_cannot_be_stored_now_is_503_and_may_be_sent_again)
{
	static struct signed_webhook w;
	struct answer a;

	mend_and_wait();
	signed_webhook_write(&w, BANK);
	break_freeze("postgres");
	signed_webhook_post(&w, &a);
	expect_retry_after(&a, "PostgreSQL is frozen");
	expect_problem_once(&a, 503, "PostgreSQL is frozen");
	mend_and_wait();
	accept(&w, "sent again");
}
