/* test_freshen.c - a new event made of an example's body. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "freshen.h"
#include "json/scan.h"

#define NOW_S 1796000000
#define BODY_MAX 4096

/* A source with an identity of a word, an id and a time, as Razorpay's; a refund has its payment in a link. */
static struct mapping mapping = {
	.condition_count = 1,
	.conditions = {{.at = "/event", .count = 1, .words = {"paid"}}},
	.parts = {.count = 3, .at = {"/event", "/data/id", "/created_at"}, .separator = ':'},
	.payment_id = {.at = "/data/link", .after = "/captures/"},
	.occurred = {.at = "/created_at", .unit = MAPPING_SECONDS},
	.amount = {.at = "/data/amount"},
};

static struct source source = {.name = "test", .mapping_count = 1, .mappings = &mapping};
static char fresh_text_of[BODY_MAX];

static const char *freshened(const char *body, bool keeps_ids)
{
	static struct fresh fresh;
	struct buf text = BUF_INIT(BODY_MAX - 1);
	struct fault f;
	cr_assert(json_scan(body, strlen(body), &f), "%s", f.text);
	fresh_plan(&fresh, &source, body, strlen(body), NOW_S, keeps_ids);
	fresh_body(&fresh, &source, body, strlen(body), &text);
	cr_assert(buf_ok(&text));
	snprintf(fresh_text_of, sizeof fresh_text_of, "%s", text.data);
	cr_assert(json_scan(text.data, text.len, &f), "%s: %s", f.text, text.data);
	buf_finish(&text);
	return fresh_text_of;
}

#define BODY(id, created, more)                                                      \
	"{ \"event\": \"paid\", \"created_at\": " created ", \"data\": {\"id\": " id \
	", \"link\": \"https://x.example/captures/CAP00000001\", \"amount\": 10990, \"note\": \"paid\"" more "} }"

Test(freshen, ids_are_new_wherever_they_stand_and_nothing_else_is)
{
	static const char BEFORE[] = BODY("\"pay_Example0001\"", "1771502398", ", \"again\": \"pay_Example0001\"");
	const char *body = freshened(BEFORE, false);
	char id[16] = "", again[16] = "";
	cr_assert(strstr(body, "\"id\": \"pay_"), "%s", body);
	snprintf(id, sizeof id, "%s", strstr(body, "\"id\": \"") + 7);
	snprintf(again, sizeof again, "%s", strstr(body, "\"again\": \"") + 10);
	cr_expect_str_eq(id, again);
	cr_expect_str_neq(id, "pay_Example0001");
	cr_expect(strstr(body, "{ \"event\": \"paid\", \"created_at\": 1796000000, \"data\": {"), "%s", body);
	cr_expect(strstr(body, "https://x.example/captures/") && !strstr(body, "CAP00000001"), "%s", body);
	cr_expect(strstr(body, "\"amount\": 10990, \"note\": \"paid\""), "%s", body);
	cr_expect_eq(strlen(body), strlen(BEFORE));
}

Test(freshen, two_runs_have_different_ids)
{
	char first[BODY_MAX];
	snprintf(first, sizeof first, "%s", freshened(BODY("\"pay_Example0001\"", "1771502398", ""), false));
	cr_expect_str_neq(first, freshened(BODY("\"pay_Example0001\"", "1771502398", ""), false));
}

Test(freshen, ids_are_kept_on_request_and_times_are_not)
{
	cr_expect_str_eq(freshened(BODY("\"pay_Example0001\"", "1771502398", ""), true),
		BODY("\"pay_Example0001\"", "1796000000", ""));
}

/* Mercado Pago's ids are numbers of ten digits. */
Test(freshen, an_id_of_ten_digits_is_no_time)
{
	const char *body = freshened(BODY("1771502399", "1771502398", ", \"order_id\": 1771502399"), false);
	cr_expect(strstr(body, "\"id\": 1"), "%s", body);
	cr_expect_not(strstr(body, "\"id\": 1796000001"), "%s", body);
	cr_expect(strstr(body, "\"order_id\": 1771502399"), "a number is replaced where it is an id: %s", body);
}

Test(freshen, times_keep_their_form)
{
	const char *body = freshened(
		BODY("\"pay_Example0001\"", "1771502398",
			", \"updated_at\": \"2026-02-19T12:00:08.204+01:00\", \"eventDateUtc\": \"2026-02-19T11:59:59\","
			" \"time_ms\": 1771502398123, \"times\": 3, \"date\": \"soon\""),
		true);
	cr_expect(strstr(body, "\"updated_at\": \"2026-11-30T00:53:30.204+01:00\""), "%s", body);
	cr_expect(strstr(body, "\"eventDateUtc\": \"2026-11-30T00:53:21\""), "%s", body);
	cr_expect(strstr(body, "\"time_ms\": 1796000000123, \"times\": 3, \"date\": \"soon\""), "%s", body);
}

Test(freshen, another_amount_has_as_many_decimals)
{
	struct buf text = BUF_INIT(BODY_MAX);
	static const char BEFORE[] = BODY("\"a\"", "1771502398", "");
	cr_assert(fresh_amount(&source, BEFORE, strlen(BEFORE), &text));
	cr_expect(strstr(text.data, "\"amount\": 20990, "), "%s", text.data);
	buf_reset(&text, 0);
	cr_expect_not(fresh_amount(&source, "{\"data\":{}}", 11, &text));
	cr_expect_str_eq(text.data, "{\"data\":{}}");
	buf_finish(&text);
}

Test(freshen, a_text_beside_the_body_has_the_new_ids)
{
	static struct fresh fresh;
	static const char BEFORE[] = BODY("\"123456789012\"", "1771502398", "");
	struct buf text = BUF_INIT(BODY_MAX);
	fresh_plan(&fresh, &source, BEFORE, strlen(BEFORE), NOW_S, false);
	fresh_text(&fresh, "?data.id=123456789012&type=payment", &text);
	cr_assert_eq(text.len, strlen("?data.id=123456789012&type=payment"));
	cr_expect(strncmp(text.data, "?data.id=1", 10) == 0 && !strstr(text.data, "123456789012"), "%s", text.data);
	cr_expect(strstr(text.data, "&type=payment"));
	buf_finish(&text);
}
