/* test_field.c - members of an answer, and times, for people. */

#include <criterion/criterion.h>
#include <string.h>

#include "field.h"

static const char TEXT[] =
	"{\"text\": \"a\\u001bb\", \"number\": -12, \"none\": null, \"yes\": true, \"object\": {\"a\": [1, 2]}, "
	"\"list\": [\"x\", \"y\"], \"empty\": []}";

static struct json_value top(void)
{
	return json_value_of(TEXT, strlen(TEXT));
}

Test(field, a_member_is_a_text)
{
	char text[FIELD_MAX];
	cr_expect_str_eq(field_text(top(), "/text", text), "a\x1b"
							   "b");
	cr_expect_str_eq(field_text(top(), "/number", text), "-12");
	cr_expect_str_eq(field_text(top(), "/object", text), "{\"a\": [1, 2]}");
	cr_expect_str_eq(field_text(top(), "/none", text), "");
	cr_expect_str_eq(field_text(top(), "/absent", text), "");
	cr_expect_str_eq(field_text(top(), "/text/deeper", text), "");
}

Test(field, a_member_is_a_number_or_a_flag)
{
	cr_expect_eq(field_number(top(), "/number"), -12);
	cr_expect_eq(field_number(top(), "/none"), 0);
	cr_expect(field_is_true(top(), "/yes"));
	cr_expect_not(field_is_true(top(), "/number"));
	cr_expect_not(field_is_true(top(), "/absent"));
}

Test(field, a_text_of_a_page_is_shown_by_its_start)
{
	static const struct column COLUMN = {.title = "FAILURE"};
	struct table t = TABLE_INIT(&COLUMN, 1);
	struct buf json = BUF_INIT(1024), wanted = BUF_INIT(1024);
	buf_add_text(&json, "{\"short\": \"timeout\", \"long\": \"a");
	for (int i = 0; i < 200; i++)
		buf_add_text(&json, "\xc3\xa9");
	buf_add_text(&json, "\"}");
	buf_add_text(&wanted, "a");
	for (int i = 0; i < (FIELD_START_MAX - 1) / 2; i++)
		buf_add_text(&wanted, "\xc3\xa9");
	buf_add_text(&wanted, "...");
	field_start_cell(&t, json_value_of(json.data, json.len), "/short");
	field_start_cell(&t, json_value_of(json.data, json.len), "/long");
	cr_expect_str_eq(t.text.data, "timeout");
	cr_expect_str_eq(t.text.data + sizeof "timeout", wanted.data);
	buf_finish(&json);
	buf_finish(&wanted);
	table_finish(&t);
}

static int count(const char *pointer)
{
	struct json_value element;
	int found = 0;
	for (struct json_walk w = field_list(top(), pointer); json_walk_next(&w, NULL, &element);)
		found++;
	return found;
}

Test(field, a_list_that_is_absent_is_empty)
{
	cr_expect_eq(count("/list"), 2);
	cr_expect_eq(count("/empty"), 0);
	cr_expect_eq(count("/none"), 0);
	cr_expect_eq(count("/absent"), 0);
	cr_expect_eq(count("/text"), 0);
	cr_expect_eq(count("/object"), 0);
}

Test(field, a_part_that_is_null_is_absent)
{
	struct json_value part = {.at = "x", .len = 1};
	cr_expect_not(field_part(top(), "/none", &part));
	cr_expect_not(field_part(top(), "/number", &part));
	cr_expect_eq(part.len, 1);
	cr_expect(field_part(top(), "/object", &part));
	cr_expect_eq(json_value_kind(part), JSON_IS_OBJECT);
}

#define NOW 1764464523000000 /* 2025-11-30T01:02:03Z */

Test(moment, a_time_is_relative_and_exact)
{
	char text[MOMENT_MAX];
	cr_expect_str_eq(moment_ago("2025-11-30T01:02:00.999999Z", NOW, text), "2 s ago");
	cr_expect_str_eq(moment_ago("2025-11-30T00:02:03.000000Z", NOW, text), "60 min ago");
	cr_expect_str_eq(moment_ago("2025-11-29T01:02:03.000000Z", NOW, text), "24 h ago");
	cr_expect_str_eq(moment_ago("2025-11-20T01:02:03.000000Z", NOW, text), "10 days ago");
	cr_expect_str_eq(moment_ago("2025-11-30T01:03:03.000000Z", NOW, text), "in 60 s");
	cr_expect_str_eq(moment_ago("2025-11-30T01:02:03.400000Z", NOW, text), "0 s ago");
	cr_expect_str_eq(moment_ago("", NOW, text), "");
	cr_expect_str_eq(moment_ago("yesterday", NOW, text), "");
	cr_expect_str_eq(moment_both("2025-11-30T01:00:02.900456Z", NOW, text), "2025-11-30T01:00:02Z (2 min ago)");
	cr_expect_str_eq(moment_both("", NOW, text), "");
}
