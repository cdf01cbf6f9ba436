/* test_value.c - finding values by JSON pointers (RFC 6901), in comparison with json-c. */

#include <criterion/criterion.h>
#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <string.h>

#include "json/scan.h"
#include "json/value.h"

static struct json_value read_whole(const char *text)
{
	struct fault f;
	cr_assert(json_scan(text, strlen(text), &f), "%s: %s", text, f.text);
	return json_value_of(text, strlen(text));
}

/* RFC 6901, section 5, without the members named "" and " ". */
static const char RFC[] = " {\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, \"e^f\": 3, \"g|h\": 4,"
			  " \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, \"m~n\": 8 } \n";

static void finds(const char *text, const char *pointer, const char *wanted)
{
	struct json_value v = read_whole(text);
	cr_assert(json_value_find(v, pointer, &v), "%s", pointer);
	cr_expect(v.len == strlen(wanted) && memcmp(v.at, wanted, v.len) == 0, "%s: %.*s", pointer, (int)v.len, v.at);
}

static void finds_nothing(const char *text, const char *pointer)
{
	struct json_value v = read_whole(text), found = {"untouched", 3};
	cr_expect_not(json_value_find(v, pointer, &found), "%s", pointer);
	cr_expect_str_eq(found.at, "untouched");
}

Test(json_value, follows_the_examples_of_rfc_6901)
{
	finds(RFC, "/foo", "[\"bar\", \"baz\"]");
	finds(RFC, "/foo/0", "\"bar\"");
	finds(RFC, "/", "0");
	finds(RFC, "/a~1b", "1");
	finds(RFC, "/c%d", "2");
	finds(RFC, "/e^f", "3");
	finds(RFC, "/g|h", "4");
	finds(RFC, "/i\\j", "5");
	finds(RFC, "/k\"l", "6");
	finds(RFC, "/ ", "7");
	finds(RFC, "/m~0n", "8");
}

Test(json_value, finds_nothing_where_there_is_nothing)
{
	const char *pointers[] = {"/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/x", "/foo/", "/foo/0/0",
		"/foo/9999999", "//x", "/fo", "/fooo", "/m~1n", "/a~0b"};
	for (size_t i = 0; i < COUNT_OF(pointers); i++)
		finds_nothing(RFC, pointers[i]);
	finds_nothing("{}", "/a");
	finds_nothing("{\"a\":[]}", "/a/0");
	finds_nothing("{\"a\":null}", "/a/b");
}

Test(json_value, keeps_every_digit_of_a_number)
{
	finds("{\"n\":123456789012345678901234567890.10}", "/n", "123456789012345678901234567890.10");
	finds("{\"n\" : -0 }", "/n", "-0");
	finds("{\"a\":[1e400,2]}", "/a/0", "1e400");
}

Test(json_value, is_not_led_astray_by_brackets_and_quotes_in_strings)
{
	finds("{\"a\":\"}]\\\"{[\",\"b\":[\"]\",{\"c\":\"\\\\\"}],\"d\":true}", "/d", "true");
	finds("{\"a\":{\"d\":1},\"x\\\\\":[[[]]],\"d\":2}", "/d", "2");
}

Test(json_value, knows_a_member_by_its_name_without_escapes)
{
	finds("{\"\\u0061\\/\\ud83d\\ude00\":1}", "/a~1\xf0\x9f\x98\x80", "1");
	finds("{\"a\":1,\"\\u0061b\":2}", "/ab", "2");
}

Test(json_value, returns_a_string_without_its_escapes)
{
	char text[16];
	size_t len;
	struct json_value v = read_whole("{\"a\":\"\\u20ac\\n\\ud83d\\ude00x\"}");
	cr_assert(json_value_find(v, "/a", &v));
	cr_assert(json_value_text(v, text, sizeof text, &len));
	cr_expect_str_eq(text, "\xe2\x82\xac\n\xf0\x9f\x98\x80x");
	cr_expect_eq(len, 9);
	cr_expect(json_value_equals(v, "\xe2\x82\xac\n\xf0\x9f\x98\x80x"));
	cr_expect_not(json_value_equals(v, "\xe2\x82\xac\n\xf0\x9f\x98\x80"));
	cr_expect_not(json_value_equals(v, "\xe2\x82\xac\n\xf0\x9f\x98\x80xy"));
	cr_expect(json_value_text(v, text, 10, &len));
	cr_expect_not(json_value_text(v, text, 9, &len));
}

Test(json_value, never_cuts_at_a_nul_and_never_hides_half_of_a_pair)
{
	char text[16];
	size_t len;
	struct json_value
		top = read_whole(
			"{\"a\":\"x\\u0000y\",\"b\":\"\\ud83d\",\"a\\u0000\":1,\"c\":\"\\ud83d\\ud83d\\udca9\\udca9\"}"),
		v;
	cr_assert(json_value_find(top, "/a", &v));
	cr_assert(json_value_text(v, text, sizeof text, &len));
	cr_expect_eq(len, 3);
	cr_expect_arr_eq(text, "x\0y", 4);
	cr_expect_not(json_value_equals(v, "x"));
	cr_assert(json_value_find(top, "/b", &v));
	cr_assert(json_value_text(v, text, sizeof text, &len));
	cr_expect_eq(len, 3);
	cr_expect_str_eq(text, "\xed\xa0\xbd");
	cr_assert(json_value_find(top, "/c", &v));
	cr_assert(json_value_text(v, text, sizeof text, &len));
	cr_expect_str_eq(text, "\xed\xa0\xbd\xf0\x9f\x92\xa9\xed\xb2\xa9");
}

Test(json_value, reads_an_array_at_the_top)
{
	static const char text[] = " [ {\"a\":1}, [2] ] ";
	struct fault f;
	struct json_value v, top;
	cr_assert(json_scan_nest(text, strlen(text), &f), "%s", f.text);
	top = json_value_of(text, strlen(text));
	cr_expect_eq(json_value_kind(top), JSON_IS_ARRAY);
	cr_expect_eq(top.len, strlen(text) - 2);
	cr_assert(json_value_find(top, "/0/a", &v));
	cr_expect_eq(*v.at, '1');
	cr_assert(json_value_find(top, "/1/0", &v));
	cr_expect_eq(*v.at, '2');
	cr_expect_not(json_value_find(top, "/2", &v));
}

Test(json_value, knows_what_is_a_pointer)
{
	const char *good[] = {"", "/", "/a/b", "/~0~1", "//"}, *bad[] = {"a", "a/b", "/~", "/~2", "/a~", "#/a"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(json_pointer_valid(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(json_pointer_valid(bad[i]), "%s", bad[i]);
}

Test(json_value, finds_what_json_c_finds)
{
	static const char text[] =
		"{\"a\":[{\"b\":1,\"c~d\":[[],{}]},2,[3,[4,{\"a\":\"x\"}]]],\"\":{\"\":5},\"e/f\":{\"0\":6},\"0\":7}";
	static const char *const tokens[] = {"a", "b", "0", "1", "2", "", "c~0d", "e~1f"};
	struct json_value top = read_whole(text), v;
	json_object *tree = json_tokener_parse(text), *theirs;
	int found = 0;
	for (size_t n = 0; n < 8 * 8 * 8 * 8 * 8; n++) {
		char pointer[64] = "";
		size_t rest = n, len = 0;
		for (size_t depth = 1 + n % 5; depth > 0; depth--, rest /= 8)
			len += (size_t)snprintf(pointer + len, sizeof pointer - len, "/%s", tokens[rest % 8]);
		bool ours = json_value_find(top, pointer, &v);
		bool is_theirs = json_pointer_get(tree, pointer, &theirs) == 0;
		/* json-c 0.16 accepts no empty token. */
		if (strstr(pointer, "//") || pointer[len - 1] == '/')
			continue;
		cr_assert_eq(ours, is_theirs, "%s", pointer);
		found += ours;
		if (!ours)
			continue;
		char piece[256];
		snprintf(piece, sizeof piece, "%.*s", (int)v.len, v.at);
		cr_expect_str_eq(piece, json_object_to_json_string_ext(
						theirs, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	cr_expect_gt(found, 10);
	json_object_put(tree);
}

Test(json_value, goes_through_an_object_in_its_order)
{
	struct json_value name, value;
	struct json_walk w = json_walk_into(read_whole("{ \"a\" : 1 , \"b\":[2,{}] ,\"c\":\"\" }"));
	char seen[64] = "";
	size_t len = 0;
	while (json_walk_next(&w, &name, &value))
		len += (size_t)snprintf(
			seen + len, sizeof seen - len, "%.*s=%.*s;", (int)name.len, name.at, (int)value.len, value.at);
	cr_expect_str_eq(seen, "\"a\"=1;\"b\"=[2,{}];\"c\"=\"\";");
}
