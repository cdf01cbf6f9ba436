/* test_routes.c - the answer of each route to a valid request. */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/base.h"
#include "support/expect.h"
#include "support/instance.h"
#include "support/instance_database.h"

const char *const instance_settings[] = {"PROCESSOR_DELAY_MS=700", "EXTRA_CURRENCIES=BTC:8", NULL};

static void expect_json(const struct answer *a, int status, const char *body)
{
	char type[64];

	cr_assert_eq(a->status, status, "%d %s%s", a->status, a->body, a->trouble);
	answer_header(a, "Content-Type", type, sizeof(type));
	cr_assert_eq(strncasecmp(type, "application/json", 16), 0, "%s", type);
	if (body != NULL)
		cr_assert_str_eq(a->body, body);
}

/* Posts a transaction and reads it.  Free the answer with answer_finish(). */
static void post_and_get(const char *id, const char *amount, const char *currency, struct answer *ret)
{
	char body[WEBHOOK_MAX], target[256];

	expect_accepted(webhook(id, amount, currency, body));
	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	call_get(target, ret);
	expect_json(ret, 200, NULL);
}

Test(routes, the_root_reports_healthy_and_the_time)
{
	struct answer a;

	call_get("/", &a);
	expect_json(&a, 200, NULL);
	json_object *o = answer_json(&a);
	cr_assert_eq(json_object_object_length(o), 2, "%s", a.body);
	cr_assert_str_eq(expect_text(o, "status"), "HEALTHY");
	double off = expect_date(expect_text(o, "current_time"), false) - (double)time(NULL);
	cr_assert(off > -3 && off < 3, "%s", a.body);
	json_object_put(o);
	answer_finish(&a);
}

Test(routes, a_webhook_is_accepted)
{
	struct answer a;
	char body[WEBHOOK_MAX], id[64];

	call_post(webhook_simple(fresh_id("accepted", id), body), &a);
	expect_json(&a, 202, "{\"message\":\"Accepted\"}");
	answer_finish(&a);
	cr_assert_eq(database_number_of("SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1", id), 1);
}

Test(routes, a_transaction_has_exactly_the_members_of_the_contract)
{
	static const char *const names[] = {"transaction_id", "source_account", "destination_account", "amount",
		"currency", "status", "created_at", "processed_at", "source", "kind", "payment_id", "part",
		"occurred_at", "amount_text"};
	struct answer a;
	char id[64];
	json_object *member;

	post_and_get(fresh_id("members", id), "1500", "usd", &a);
	json_object *o = answer_json(&a);
	cr_assert_not_null(o, "%s", a.body);
	cr_assert_eq(json_object_object_length(o), COUNT_OF(names), "%s", a.body);
	for (size_t n = 0; n < COUNT_OF(names); n++)
		cr_assert(json_object_object_get_ex(o, names[n], &member), "no %s in %s", names[n], a.body);
	cr_assert_str_eq(expect_text(o, "transaction_id"), id);
	cr_assert_str_eq(expect_text(o, "source_account"), "acc_user_789");
	cr_assert_str_eq(expect_text(o, "destination_account"), "acc_merchant_456");
	cr_assert_str_eq(expect_text(o, "currency"), "USD");
	cr_assert_str_eq(expect_text(o, "status"), "PROCESSING");
	cr_assert_str_eq(expect_text(o, "source"), "transactions");
	cr_assert_str_eq(expect_text(o, "amount_text"), "1500");
	json_object_object_get_ex(o, "processed_at", &member);
	cr_assert_null(member, "%s", a.body);
	double off = expect_date(expect_text(o, "created_at"), true) - (double)time(NULL);
	cr_assert(off > -5 && off < 5, "%s", a.body);
	json_object_put(o);
	answer_finish(&a);
}

Test(routes, a_processed_transaction_has_its_time)
{
	struct answer a;
	char id[64], target[128], body[WEBHOOK_MAX];
	const char *sql =
		"SELECT count(*) FROM payhook.transactions WHERE transaction_id = $1 AND status = 'PROCESSED'";

	expect_accepted(webhook_simple(fresh_id("says-when", id), body));
	cr_assert_eq(database_wait(sql, id, 1, 10000), 1, "not processed");
	snprintf(target, sizeof(target), "/v1/transactions/%s", id);
	call_get(target, &a);
	json_object *o = answer_json(&a);
	cr_assert_str_eq(expect_text(o, "status"), "PROCESSED");
	double took =
		expect_date(expect_text(o, "processed_at"), true) - expect_date(expect_text(o, "created_at"), true);
	cr_assert(took >= 0 && took < 10, "%s", a.body);
	json_object_put(o);
	answer_finish(&a);
}

Test(routes, an_amount_goes_out_with_the_digits_that_came_in)
{
	static const char *const amounts[][3] = {{"1500", "USD", "1500"}, {"150.50", "USD", "150.50"},
		{"0", "USD", "0"}, {"0.00", "EUR", "0.00"}, {"10.00000000", "USD", "10.00000000"},
		{"\"150.50\"", "USD", "150.50"}, {"\"7\"", "JPY", "7"}, {"1.00", "JPY", "1.00"},
		{"999999999999999999.99", "USD", "999999999999999999.99"}, {"0.123", "BHD", "0.123"},
		{"0.00000001", "BTC", "0.00000001"}, {"9007199254740993", "USD", "9007199254740993"}};

	for (size_t n = 0; n < COUNT_OF(amounts); n++) {
		struct answer a;
		char id[64], as_number[96];
		post_and_get(fresh_id("digits", id), amounts[n][0], amounts[n][1], &a);
		snprintf(as_number, sizeof(as_number), "\"amount\":%s,", amounts[n][2]);
		cr_assert_not_null(strstr(a.body, as_number), "%s is not in %s", as_number, a.body);
		snprintf(as_number, sizeof(as_number), "\"amount_text\":\"%s\"}", amounts[n][2]);
		cr_assert_not_null(strstr(a.body, as_number), "%s is not in %s", as_number, a.body);
		answer_finish(&a);
	}
}

/* Stores an event without an amount, and one that took place before it. */
static void store_payment(const char *id)
{
	database_text_of(
		"INSERT INTO payhook.transactions (transaction_id, source, payment_id, kind, amount, currency,"
		" occurred_at) VALUES ('r' || $1, 'stripe', $1, 'refunded', NULL, NULL, '2026-11-22 12:00:05+00'),"
		" ('c' || $1, 'stripe', $1, 'captured', 150.50, 'EUR', '2026-11-22 12:00:00+00')",
		id);
}

Test(routes, a_payment_has_its_state_and_its_events_in_order)
{
	struct answer a;
	char id[64], target[128], wanted[256];

	store_payment(fresh_id("\"payment\"", id));
	snprintf(target, sizeof(target), "/v1/payments/%%22payment%%22%s?source=stripe", id + strlen("\"payment\""));
	call_get(target, &a);
	expect_json(&a, 200, NULL);
	json_object *o = answer_json(&a), *events;
	cr_assert_not_null(o, "%s", a.body);
	cr_assert_str_eq(expect_text(o, "payment_id"), id);
	cr_assert_str_eq(expect_text(o, "source"), "stripe");
	cr_assert_str_eq(expect_text(o, "state"), "partly_refunded");
	cr_assert(
		json_object_object_get_ex(o, "events", &events) && json_object_array_length(events) == 2, "%s", a.body);
	snprintf(wanted, sizeof(wanted), "c%s", id);
	cr_assert_str_eq(expect_text(json_object_array_get_idx(events, 0), "transaction_id"), wanted);
	cr_assert_not_null(strstr(a.body, "\"sums\":{\"authorised\":null,\"captured\":\"150.50\",\"refunded\":null,"
					  "\"disputed\":\"0.00\",\"lost\":\"0.00\",\"paid_out\":\"0.00\"},"
					  "\"anomalies\":[],\"events_total\":2,\"events\":[{"),
		"%s", a.body);
	json_object_put(o);
	answer_finish(&a);
	snprintf(target, sizeof(target), "/v1/payments/%%22payment%%22%s", id + strlen("\"payment\""));
	cr_assert_eq(call_get_status(target), 404, "of the built-in source");
}

Test(routes, an_event_without_an_amount_has_null)
{
	struct answer a;
	char id[64], target[128];

	store_payment(fresh_id("event", id));
	snprintf(target, sizeof(target), "/v1/transactions/r%s?source=stripe", id);
	call_get(target, &a);
	expect_json(&a, 200, NULL);
	cr_assert_not_null(strstr(a.body, "\"source_account\":null,\"destination_account\":null,\"amount\":null,"
					  "\"currency\":null,\"status\":\"PROCESSING\","),
		"%s", a.body);
	cr_assert_not_null(strstr(a.body, "\"source\":\"stripe\",\"kind\":\"refunded\","), "%s", a.body);
	cr_assert_not_null(
		strstr(a.body, "\"part\":null,\"occurred_at\":\"2026-11-22T12:00:05.000000Z\",\"amount_text\":null}"),
		"%s", a.body);
	answer_finish(&a);
}

Test(routes, head_is_answered_wherever_get_is)
{
	char id[64], body[WEBHOOK_MAX], transaction[128];
	const char *const targets[] = {"/", "/livez", "/readyz", transaction, "/v1/transactions/nobody-sent-this",
		"/v1/payments/nobody", "/unknown"};

	expect_accepted(webhook_simple(fresh_id("head", id), body));
	snprintf(transaction, sizeof(transaction), "/v1/transactions/%s", id);
	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		struct answer get, head;
		char one[64], other[64];
		call_get(targets[n], &get);
		call_send(&(struct call){.method = "HEAD", .target = targets[n]}, &head);
		cr_assert_eq(head.status, get.status, "%s: %d, HEAD %d %s", targets[n], get.status, head.status,
			head.trouble);
		cr_assert_eq(head.len, 0, "%s: HEAD has a body", targets[n]);
		answer_header(&get, "Content-Type", one, sizeof(one));
		answer_header(&head, "Content-Type", other, sizeof(other));
		cr_assert_str_eq(one, other, "%s", targets[n]);
		answer_header(&head, "Content-Length", other, sizeof(other));
		snprintf(one, sizeof(one), "%zu", get.len);
		cr_assert(other[0] == '\0' || strcmp(one, other) == 0, "%s: %s bytes, HEAD %s", targets[n], one, other);
		answer_finish(&get);
		answer_finish(&head);
	}
}

Test(routes, a_query_string_changes_nothing)
{
	struct answer a;
	char id[64], target[160], body[WEBHOOK_MAX];

	cr_assert_eq(call_get_status("/?verbose=1&x=/../y"), 200);
	cr_assert_eq(call_get_status("/livez?"), 200);
	webhook_simple(fresh_id("query", id), body);
	call_send(&(struct call){.target = WEBHOOKS "?sent=twice%zz", .type = "application/json", .body = body}, &a);
	cr_assert_eq(a.status, 202, "%d %s", a.status, a.body);
	answer_finish(&a);
	snprintf(target, sizeof(target), "/v1/transactions/%s?status=FAILED/x", id);
	cr_assert_eq(call_get_status(target), 200);
}

Test(routes, life_and_readiness_are_reported)
{
	cr_assert_eq(call_get_status("/livez"), 200);
	cr_assert_eq(call_get_status("/readyz"), 200);
}

Test(routes, every_answer_names_its_request)
{
	static const char *const targets[] = {"/", "/livez", "/v1/transactions/nobody-sent-this", "/unknown", "/%zz"};
	char seen[COUNT_OF(targets)][64];

	for (size_t n = 0; n < COUNT_OF(targets); n++) {
		struct answer a;
		call_get(targets[n], &a);
		cr_assert(answer_header(&a, "X-Request-Id", seen[n], sizeof(seen[n])), "%s has none", targets[n]);
		for (size_t other = 0; other < n; other++)
			cr_assert_str_neq(seen[other], seen[n]);
		answer_finish(&a);
	}
}

Test(routes, a_request_id_of_the_senders_own_is_not_taken_over)
{
	struct answer a;
	char id[64];

	call_send(&(struct call){.target = "/unknown", .header = "X-Request-Id: \"forged"}, &a);
	answer_header(&a, "X-Request-Id", id, sizeof(id));
	cr_assert_null(strstr(id, "forged"));
	expect_problem_once(&a, 404, "unknown");
}
