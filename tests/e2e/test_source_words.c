/* test_source_words.c - what a source's configuration may say besides its scheme and its body: the answer that its provider
 * counts as received, what is read besides the body, and pings.  With CONFLICT_POLICY=reject, as an answer of the source's own is that to a conflict too. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/client.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"
#include "support/scrape.h"

static char file_setting[96];

const char *const instance_settings[] = {file_setting, "WORDS_SECRET_1=a secret of thirty-two characters",
	"WORDS_SECRET_2=another of thirty-two characters", "WORDS_SECRET_3=a third of thirty-two characters",
	"CONFLICT_POLICY=reject", "RESPONDERS=1", "PROCESSOR_DELAY_MS=0", NULL};

#define ACCOUNTS "\"source_account\":{\"value\":\"payer\"},\"destination_account\":{\"value\":\"payee\"}"
#define MONEY "\"amount\":{\"at\":\"/n\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}"
#define MAPPING "\"mapping\":{\"transaction_id\":{\"at\":\"/id\"}," ACCOUNTS "," MONEY "}"
#define PAID "\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\"]}]," MAPPING
#define OPEN(name, members) "{\"name\":\"" name "\",\"scheme\":\"none\"," members "}"

#define REQUEST \
	"\"mapping\":{\"transaction_id\":{\"request\":\"id\"},\"payment_id\":{\"at\":\"/id\"}," ACCOUNTS "," MONEY "}"
#define DIGEST \
	"\"mapping\":{\"transaction_id\":{\"body\":\"sha256\"},\"payment_id\":{\"at\":\"/id\"}," ACCOUNTS "," MONEY "}"
#define SIGNED(word)                                                                                                  \
	"\"mapping\":{\"transaction_id\":{\"at\":\"/id\"},\"payment_id\":{\"at\":\"/id\"}," ACCOUNTS                  \
	",\"kind\":{\"value\":\"refunded\"},\"amount\":{\"at\":\"/n\",\"unit\":\"major\",\"negative\":\"" word "\"}," \
	"\"currency\":{\"value\":\"EUR\"}}"
#define TOPIC "\"filter\":[{\"header\":\"X-Shopify-Topic\",\"is\":[\"orders/paid\"]}]," MAPPING

#define HOOK(name, number, members)                                                                 \
	"{\"name\":\"" name "\",\"scheme\":\"github\",\"secrets\":[{\"env\":\"WORDS_SECRET_" number \
	"\"}]," members PAID "}"

static const char SOURCES[] = "{\"sources\":[" OPEN("usual", PAID) "," OPEN("all-200", "\"answer\":200," PAID) "," OPEN(
	"text", "\"answer\":{\"status\":200,\"body\":\"[accepted]\",\"type\":\"text/plain\"}," PAID) "," OPEN("empty",
	"\"answer\":{\"body\":\"\"}," PAID) "," OPEN("no-content", "\"answer\":204," PAID) "," OPEN("each-request",
	REQUEST) "," OPEN("each-body", DIGEST) "," OPEN("keeps-sign", SIGNED("keep")) "," OPEN("drops-sign",
	SIGNED("absolute")) "," OPEN("topic", TOPIC) "," HOOK("hook-form", "1",
	"\"ping\":{\"form\":\"webhook_id\"},") "," HOOK("hook-type", "2",
	"\"ping\":{\"at\":\"/type\",\"is\":[\"ping\"]},") "," HOOK("hook-header", "3",
	"\"answer\":{\"status\":200,\"body\":\"\"},\"ping\":{\"header\":\"X-GitHub-Event\",\"is\":[\"ping\"]},") "]}";

static char sources_path[] = "/tmp/payhook-e2e-words-XXXXXX";

/* SOURCES_FILE must exist before the instance is started.  This constructor also runs in the process of each test,
 * where the file exists already. */
__attribute__((constructor)) static void furnish(void)
{
	int fd = getenv("E2E_FOLDER") != NULL ? -1 : mkstemp(sources_path);

	if (fd < 0)
		return;
	if (write(fd, SOURCES, sizeof(SOURCES) - 1) == sizeof(SOURCES) - 1 && fchmod(fd, 0644) == 0)
		snprintf(file_setting, sizeof(file_setting), "SOURCES_FILE=%s", sources_path);
	close(fd);
}

__attribute__((destructor)) static void clear(void)
{
	if (file_setting[0] != '\0')
		unlink(sources_path);
}

static void post(const char *source, const char *body, struct answer *ret)
{
	char target[96];

	snprintf(target, sizeof(target), "/v1/webhooks/%s", source);
	call_send(&(struct call){.target = target, .type = "application/json", .body = body}, ret);
}

static void post_event(const char *source, const char *type, const char *id, int amount, struct answer *ret)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"type\":\"%s\",\"id\":\"%s\",\"n\":%d}", type, id, amount);
	post(source, body, ret);
}

static long long stored(const char *id)
{
	return database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id);
}

/* Checks and frees the answer.  type NULL: there is no Content-Type, and no Content-Length. */
static void is_answer(struct answer *a, int status, const char *type, const char *body, const char *what)
{
	char value[96];

	cr_assert_eq(a->status, status, "%s: %d %s%s", what, a->status, a->body, a->trouble);
	cr_assert_str_eq(a->body, body, "%s: %s", what, a->body);
	cr_assert_eq(answer_header(a, "Content-Type", value, sizeof(value)), type != NULL, "%s", what);
	cr_assert(type == NULL || strcmp(value, type) == 0, "%s: %s", what, value);
	cr_assert(type != NULL || !answer_header(a, "Content-Length", value, sizeof(value)), "%s", what);
	answer_finish(a);
}

/* A new event, the same again, another content of it, and one that the filter leaves out. */
static void answers_all_alike(const char *source, int status, const char *type, const char *taken, const char *ignored)
{
	char id[64];
	struct answer a;

	fresh_id(source, id);
	post_event(source, "paid", id, 1, &a);
	is_answer(&a, status, type, taken, "new");
	cr_assert_eq(stored(id), 1, "%s", source);
	post_event(source, "paid", id, 1, &a);
	is_answer(&a, status, type, taken, "duplicate");
	post_event(source, "paid", id, 2, &a);
	is_answer(&a, status, type, taken, "conflict");
	cr_assert_eq(
		database_number_of("SELECT count(*) FROM payhook.transaction_conflicts WHERE transaction_id = $1", id),
		1, "%s", source);
	post_event(source, "created", id, 1, &a);
	is_answer(&a, status, type, ignored, "ignored");
}

Test(source_words, an_answer_is_that_to_all_that_was_taken)
{
	answers_all_alike(
		"all-200", 200, "application/json", "{\"message\":\"Accepted\"}", "{\"message\":\"Ignored\"}");
	answers_all_alike("text", 200, "text/plain", "[accepted]", "[accepted]");
	answers_all_alike("empty", 202, "text/plain", "", "");
	answers_all_alike("no-content", 204, NULL, "", "");
}

Test(source_words, without_an_answer_a_conflict_is_rejected_and_an_ignored_webhook_has_200)
{
	char id[64];
	struct answer a;

	post_event("usual", "paid", fresh_id("usual", id), 1, &a);
	is_answer(&a, 202, "application/json", "{\"message\":\"Accepted\"}", "new");
	post_event("usual", "paid", id, 2, &a);
	expect_problem_once(&a, 409, "conflict");
	post_event("usual", "created", id, 1, &a);
	is_answer(&a, 200, "application/json", "{\"message\":\"Ignored\"}", "ignored");
}

Test(source_words, an_answer_is_never_that_to_what_was_refused)
{
	struct answer a;

	post("text", "{", &a);
	expect_problem_once(&a, 400, "no JSON");
	post("text", "{\"type\":\"paid\",\"n\":1}", &a);
	expect_problem_once(&a, 422, "no id");
	call_send(&(struct call){.target = "/v1/webhooks/text", .type = "text/csv", .body = "a,b"}, &a);
	expect_problem_once(&a, 415, "no JSON by its type");
}

Test(source_words, counts_answers_by_outcome_as_ever)
{
	static const char CONFLICTS[] = "payhook_webhooks_total{outcome=\"conflict\"}",
			  CODE[] = "payhook_http_requests_total{route=\"/v1/webhooks/{source}\",code=\"204\"}";
	char id[64];
	struct answer a;
	double conflicts = scrape_now(CONFLICTS), codes = scrape_now(CODE);

	post_event("no-content", "paid", fresh_id("counted", id), 1, &a);
	answer_finish(&a);
	post_event("no-content", "paid", id, 2, &a);
	answer_finish(&a);
	cr_assert_float_eq(scrape_now(CONFLICTS), conflicts + 1, 0.5);
	cr_assert_float_eq(scrape_now(CODE), codes + 2, 0.5);
}

/* ---- what is read besides the body ---- */

static long long events_of(const char *payment_id)
{
	return database_number_of("SELECT count(*) FROM payhook.transactions WHERE payment_id = $1", payment_id);
}

Test(source_words, each_request_is_an_event_where_its_id_is_the_identity)
{
	char id[64], request_id[64];
	struct answer a;

	fresh_id("request", id);
	for (int n = 1; n <= 3; n++) {
		post_event("each-request", "paid", id, 1, &a);
		cr_assert(answer_header(&a, "X-Request-Id", request_id, sizeof(request_id)));
		is_answer(&a, 202, "application/json", "{\"message\":\"Accepted\"}", "the same body");
		cr_assert_eq(events_of(id), n);
		cr_assert_eq(stored(request_id), 1, "%s", request_id);
	}
}

Test(source_words, each_body_is_an_event_where_its_digest_is_the_identity)
{
	char id[64];
	struct answer a;

	fresh_id("digest", id);
	for (int n = 0; n < 4; n++) {
		post_event("each-body", "paid", id, n / 2, &a);
		is_answer(&a, 202, "application/json", "{\"message\":\"Accepted\"}", "a body twice");
		cr_assert_eq(events_of(id), 1 + n / 2);
	}
}

Test(source_words, a_filter_reads_a_header)
{
	static const struct {
		const char *header;
		int status;
	} CASES[] = {{NULL, 200}, {"X-Shopify-Topic: orders/create", 200}, {"X-Shopify-Topic: orders/paid", 202},
		{"x-shopify-topic: orders/paid", 202}};
	char id[64], body[160];
	struct answer a;

	for (size_t n = 0; n < COUNT_OF(CASES); n++) {
		snprintf(body, sizeof(body), "{\"id\":\"%s\",\"n\":1}", fresh_id("topic", id));
		call_send(&(struct call){.target = "/v1/webhooks/topic",
				  .type = "application/json",
				  .body = body,
				  .header = CASES[n].header},
			&a);
		cr_assert_eq(a.status, CASES[n].status, "%d: %d %s", (int)n, a.status, a.body);
		cr_assert_eq(stored(id), CASES[n].status == 202);
		cr_assert_eq(
			database_number_of("SELECT count(*) FROM payhook.payloads p JOIN payhook.transactions t USING"
					   " (payload_id) WHERE t.transaction_id = $1"
					   " AND p.headers ->> 'x-shopify-topic' = 'orders/paid'",
				id),
			CASES[n].status == 202, "it is kept for verify");
		answer_finish(&a);
	}
}

/* ---- amounts below zero ---- */

static int post_amount(const char *source, const char *id, const char *amount)
{
	char body[160];
	struct answer a;

	snprintf(body, sizeof(body), "{\"type\":\"paid\",\"id\":\"%s\",\"n\":%s}", id, amount);
	post(source, body, &a);
	int status = a.status;
	answer_finish(&a);
	return status;
}

static void answer_has(const char *target, const char *text)
{
	struct answer a;

	call_get(target, &a);
	cr_assert(a.status == 200 && strstr(a.body, text) != NULL, "%s: %d %s", target, a.status, a.body);
	answer_finish(&a);
}

Test(source_words, an_amount_below_zero_is_kept_digit_for_digit_where_the_source_keeps_its_sign)
{
	char id[64], transaction[160], payment[160];

	fresh_id("sign", id);
	snprintf(transaction, sizeof(transaction), "/v1/transactions/%s?source=keeps-sign", id);
	snprintf(payment, sizeof(payment), "/v1/payments/%s?source=keeps-sign", id);
	cr_assert_eq(post_amount("keeps-sign", id, "-1500.10"), 202);
	answer_has(transaction, "\"amount\":-1500.10,");
	answer_has(transaction, "\"amount_text\":\"-1500.10\"");
	answer_has(payment, "\"refunded\":\"1500.10\"");
	answer_has(payment, "\"amount\":-1500.10,\"amount_text\":\"-1500.10\"");
	cr_assert_eq(post_amount("keeps-sign", id, "\"-1500.1\""), 202, "a duplicate");
	cr_assert_eq(post_amount("keeps-sign", id, "1500.10"), 409, "another amount");
	cr_assert_eq(stored(id), 1);
}

Test(source_words, an_amount_below_zero_is_refused_without_the_word_and_minus_zero_is_zero_with_it)
{
	char id[64], transaction[160];

	cr_assert_eq(post_amount("usual", fresh_id("sign", id), "-1500.10"), 422);
	cr_assert_eq(stored(id), 0);
	cr_assert_eq(post_amount("drops-sign", fresh_id("sign", id), "-1500.10"), 202);
	snprintf(transaction, sizeof(transaction), "/v1/transactions/%s?source=drops-sign", id);
	answer_has(transaction, "\"amount\":1500.10,");
	cr_assert_eq(post_amount("keeps-sign", fresh_id("sign", id), "-0.00"), 202);
	snprintf(transaction, sizeof(transaction), "/v1/transactions/%s?source=keeps-sign", id);
	answer_has(transaction, "\"amount\":0.00,");
	cr_assert_eq(post_amount("keeps-sign", id, "0"), 202, "a duplicate");
}

/* ---- pings ---- */

static void post_unsigned(
	const char *source, const char *type, const char *body, const char *header, struct answer *ret)
{
	char target[96];

	snprintf(target, sizeof(target), "/v1/webhooks/%s", source);
	call_send(&(struct call){.target = target, .type = type, .body = body, .header = header}, ret);
}

#define FORM "application/x-www-form-urlencoded"
#define IGNORED "{\"message\":\"Ignored\"}"

Test(source_words, a_ping_is_answered_without_a_signature_and_stores_nothing)
{
	static const char PINGS[] = "payhook_webhooks_total{outcome=\"ping\"}";
	const long long before = database_number("SELECT count(*) FROM payhook.transactions");
	double pings = scrape_now(PINGS);
	struct answer a;

	post_unsigned("hook-form", FORM, "webhook_id=7", NULL, &a);
	is_answer(&a, 200, "application/json", IGNORED, "a form");
	post_unsigned("hook-type", "application/json", "{\"type\":\"ping\"}", NULL, &a);
	is_answer(&a, 200, "application/json", IGNORED, "a member");
	post_unsigned("hook-header", "application/json", "{\"zen\":\"Keep it logically awesome.\"}",
		"X-GitHub-Event: ping", &a);
	is_answer(&a, 200, "text/plain", "", "a header, and an answer of the source's own");
	cr_assert_eq(database_number("SELECT count(*) FROM payhook.transactions"), before);
	cr_assert_float_eq(scrape_now(PINGS), pings + 3, 0.5);
}

Test(source_words, what_is_no_ping_has_to_be_signed)
{
	struct answer a;

	post_unsigned("hook-form", FORM, "webhook_id=7&amount=3", NULL, &a);
	expect_problem_once(&a, 415, "a form with another field");
	post_unsigned("hook-type", "application/json", "{\"type\":\"paid\",\"id\":\"never\",\"n\":1}", NULL, &a);
	expect_problem_once(&a, 401, "an event");
	post_unsigned("hook-type", "application/json", "{\"type\":\"ping\"", NULL, &a);
	expect_problem_once(&a, 401, "no JSON");
	post_unsigned("hook-header", "application/json", "{}", "X-GitHub-Event: push", &a);
	expect_problem_once(&a, 401, "another event");
	post_unsigned("usual", FORM, "webhook_id=7", NULL, &a);
	expect_problem_once(&a, 415, "a source without a ping");
	cr_assert_eq(stored("never"), 0);
}
