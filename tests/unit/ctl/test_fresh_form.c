/* test_fresh_form.c - a new event made of an example with a form as its body. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "fresh_form.h"
#include "http/form.h"
#include "json/scan.h"
#include "json/value.h"

#define NOW_S 1796000000
#define BODY_MAX 4096

static struct mapping mapping = {
	.transaction_id = {.at = "/id"},
	.payment_id = {.at = "/payment"},
	.occurred = {.at = "/created_at", .unit = MAPPING_SECONDS},
	.amount = {.at = "/amount"},
};

static struct source in_member = {.name = "test",
	.mapping_count = 1,
	.mappings = &mapping,
	.body = {.format = BODY_FORM_MEMBER, .member = "payload"}};
static struct source in_fields = {
	.name = "test", .mapping_count = 1, .mappings = &mapping, .body = {.format = BODY_FORM}};

static struct fresh fresh;
static char form[BODY_MAX], json[BODY_MAX];

static void write_form(const struct source *source, const char *body, bool keeps_ids)
{
	struct buf text = BUF_INIT(BODY_MAX - 1);
	fresh_form(&fresh, source, body, strlen(body), NOW_S, keeps_ids, &text);
	cr_assert(buf_ok(&text));
	snprintf(form, sizeof form, "%s", text.data);
	buf_finish(&text);
}

/* Decodes a field of the form that was written. */
static const char *field_of(const char *name)
{
	struct buf object = BUF_INIT(BODY_MAX);
	struct json_value value;
	struct fault f;
	char pointer[32];
	size_t len = 0;
	cr_assert(form_to_json(form, strlen(form), &object, &f), "%s: %s", f.text, form);
	cr_assert(json_scan(object.data, object.len, &f), "%s: %s", f.text, form);
	snprintf(pointer, sizeof pointer, "/%s", name);
	cr_assert(json_value_find(json_value_of(object.data, object.len), pointer, &value), "%s", form);
	cr_assert(json_value_text(value, json, sizeof json - 1, &len));
	json[len] = '\0';
	buf_finish(&object);
	return json;
}

#define PAYLOAD                                                                                                         \
	"payload=%7B%22id%22%3A%22evt_Example0001%22%2C%22payment%22%3A%22pay_Example0001%22%2C+%22created_at%22%3A177" \
	"1502398%2C%22amount%22%3A10990%2C%22note%22%3A%22%C3%A9+%26+%3D%22%7D"

Test(fresh_form, ids_and_times_in_the_json_of_a_field_are_new)
{
	write_form(&in_member, "v=1&&" PAYLOAD "&last=", false);
	cr_expect(strncmp(form, "v=1&&payload=%7B", 16) == 0 && strstr(form, "%7D&last="), "%s", form);
	cr_expect_eq(strlen(form), strlen("v=1&&" PAYLOAD "&last="), "%s", form);
	const char *text = field_of("payload");
	cr_expect(strncmp(text, "{\"id\":\"evt_", 11) == 0 && !strstr(text, "evt_Example0001"), "%s", text);
	cr_expect(strstr(text, "\"payment\":\"pay_") && !strstr(text, "pay_Example0001"), "%s", text);
	cr_expect(strstr(text, ", \"created_at\":1796000000,\"amount\":10990,\"note\":\"é & =\"}"), "%s", text);
}

Test(fresh_form, two_runs_have_different_ids)
{
	char first[BODY_MAX];
	write_form(&in_member, PAYLOAD, false);
	snprintf(first, sizeof first, "%s", form);
	write_form(&in_member, PAYLOAD, false);
	cr_expect_str_neq(form, first);
}

Test(fresh_form, ids_are_kept_on_request_and_times_are_not)
{
	write_form(&in_member, PAYLOAD, true);
	const char *text = field_of("payload");
	cr_expect(
		strstr(text, "{\"id\":\"evt_Example0001\",\"payment\":\"pay_Example0001\", \"created_at\":1796000000,"),
		"%s", text);
}

Test(fresh_form, an_id_in_another_field_is_the_new_one)
{
	char beside[32] = "", id[64];
	write_form(&in_member, PAYLOAD "&id=evt_Example0001&x=pay", false);
	snprintf(beside, sizeof beside, "%s", field_of("id"));
	snprintf(id, sizeof id, "{\"id\":\"%s\",", beside);
	cr_expect_str_neq(beside, "evt_Example0001");
	const char *text = field_of("payload");
	cr_expect(strncmp(text, id, strlen(id)) == 0, "%s: %s", beside, text);
}

Test(fresh_form, a_form_without_the_field_or_with_no_json_in_it_stays)
{
	static const char *const FORMS[] = {
		"other=1", "payload=", "payload", "payload=%7B", "payload=%zz", "payload=%7B%7D&payload=%7B%7D"};
	for (size_t i = 0; i < COUNT_OF(FORMS); i++) {
		write_form(&in_member, FORMS[i], false);
		cr_expect_str_eq(form, FORMS[i]);
	}
}

Test(fresh_form, ids_among_the_fields_are_new)
{
	write_form(&in_fields, "id=tr_Example0001&payment=pay_Example0001&note=id", false);
	cr_expect(strncmp(form, "id=tr_", 6) == 0 && strstr(form, "&payment=pay_") && strstr(form, "&note=id"), "%s",
		form);
	cr_expect_not(strstr(form, "Example0001"), "%s", form);
}

Test(fresh_form, another_amount_has_as_many_decimals)
{
	struct buf text = BUF_INIT(BODY_MAX - 1);
	cr_assert(fresh_form_amount(&in_member, "a=1&" PAYLOAD, strlen("a=1&" PAYLOAD), &text));
	snprintf(form, sizeof form, "%s", text.data);
	cr_expect(strncmp(form, "a=1&payload=%7B", 15) == 0, "%s", form);
	cr_expect(strstr(field_of("payload"), "\"amount\":20990,"), "%s", json);
	buf_reset(&text, 0);
	cr_expect_not(fresh_form_amount(&in_member, "payload=%7B%7D", 14, &text));
	cr_expect_not(fresh_form_amount(&in_member, "other=1", 7, &text));
	cr_expect_not(fresh_form_amount(&in_fields, "amount=1", 8, &text));
	cr_expect_eq(text.len, 0);
	buf_finish(&text);
}
