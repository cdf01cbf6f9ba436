/* test_scan.c - which texts json_scan() accepts (RFC 8259, and stricter), and that it takes linear time. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json/scan.h"

/* Scans a copy that ends with the text, so that the address sanitizer detects a read beyond it. */
static bool scan(const char *text, size_t len, struct fault *f)
{
	char *copy = malloc(len + (len == 0));
	memcpy(copy, text, len);
	size_t byte = len + 1;
	bool ok = json_scan_at(copy, len, &byte, f);
	struct fault again;
	cr_expect_eq(json_scan(copy, len, &again), ok);
	cr_expect(ok ? byte == len : byte <= len, "byte %zu of %zu", byte, len);
	free(copy);
	return ok;
}

static void accepts_bytes(const char *text, size_t len)
{
	struct fault f = {FAULT_BUG, "untouched"};
	cr_expect(scan(text, len, &f), "%s: %s", text, f.text);
	cr_expect_str_eq(f.text, "untouched");
}

static void stops_at_the_byte_of_the_fault(const char *text, size_t len, const struct fault *f)
{
	struct fault again;
	size_t byte, in_text;
	const char *in_fault = strstr(f->text, "at byte ");
	cr_assert(in_fault && sscanf(in_fault, "at byte %zu", &in_text) == 1, "%s", f->text);
	cr_expect_not(json_scan_at(text, len, &byte, &again));
	cr_expect_eq(byte, in_text, "byte %zu: %s", byte, f->text);
}

static void refuses_bytes(const char *text, size_t len, const char *why)
{
	struct fault f;
	cr_assert_not(scan(text, len, &f), "%s was accepted", text);
	stops_at_the_byte_of_the_fault(text, len, &f);
	cr_expect_eq(f.kind, FAULT_MALFORMED);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", text, f.text);
}

static void accepts(const char *text)
{
	accepts_bytes(text, strlen(text));
}

static void refuses(const char *text, const char *why)
{
	refuses_bytes(text, strlen(text), why);
}

Test(json_scan, accepts_every_form_of_the_grammar)
{
	accepts("{}");
	accepts(" \t\r\n{ \t\r\n} \t\r\n");
	accepts("{\"a\":1}");
	accepts("{ \"a\" : 1 , \"b\" : [ 1 , 2 ] , \"c\" : { } , \"d\" : [ ] }");
	accepts("{\"a\":[true,false,null,{},[],\"\"]}");
	accepts("{\"\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD834\\udd1e\"}");
	accepts("{\"na\xc3\xafve \xe2\x82\xac\":\"\xf0\x9f\x92\xa9\x7f\"}");
}

Test(json_scan, accepts_every_form_of_a_number)
{
	const char *numbers[] = {"0", "-0", "1", "-1", "10", "1.0", "0.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "0e0",
		"1.5E+10", "123456789012345678901234567890", "1e400", "-1e-400", "0.00000000000000000000000000001"};
	char text[100];
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		snprintf(text, sizeof text, "{\"a\":%s}", numbers[i]);
		accepts(text);
		snprintf(text, sizeof text, "{\"a\":[%s ,%s]}", numbers[i], numbers[i]);
		accepts(text);
	}
}

Test(json_scan, refuses_every_other_form_of_a_number)
{
	const char *numbers[] = {"01", "-01", "00", "+1", ".5", "-.5", "1.", "1.e5", "1e", "1e+", "1E-", "-", "--1",
		"1e5.5", "0x10", "NaN", "Infinity", "-Infinity", "1_000", "1,5", "\xd9\xa1", "1f", "- 1", "1 2",
		"1e 5"};
	char text[100];
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		snprintf(text, sizeof text, "{\"a\":%s}", numbers[i]);
		refuses(text, "at byte ");
		snprintf(text, sizeof text, "{\"a\":%s", numbers[i]);
		refuses(text, "at byte ");
	}
}

Test(json_scan, refuses_a_top_value_that_is_no_object)
{
	const char *texts[] = {"", " ", "[]", "[{}]", "1", "\"a\"", "true", "null", "NaN", "x"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses(texts[i], "should be an object");
}

Test(json_scan, refuses_a_byte_order_mark)
{
	refuses("\xef\xbb\xbf{}", "byte order mark");
	refuses("\xff\xfe{}", "an object");
}

Test(json_scan, refuses_bytes_behind_the_object)
{
	refuses("{} x", "at byte 3 there is more");
	refuses("{}{}", "more behind");
	refuses("{},", "more behind");
	refuses_bytes("{}\0", 3, "at byte 2");
	refuses_bytes("{} \0 ", 5, "at byte 3");
	refuses("{}\v", "more behind");
	refuses("{}\xc2\xa0", "more behind");
	refuses("{}//", "more behind");
}

Test(json_scan, refuses_a_text_that_breaks_off_anywhere)
{
	const char *text = "{\"a\":[-1.5e+3,\"x\\u00e9\\ud834\\udd1e\xc3\xa9\",true,false,null,{\"b\":{}}],\"c\":0}";
	for (size_t len = 0; len < strlen(text); len++)
		refuses_bytes(text, len, "at byte ");
	accepts(text);
}

Test(json_scan, refuses_what_only_resembles_json)
{
	const char *texts[] = {"{a:1}", "{'a':1}", "{\"a\":'b'}", "{\"a\" 1}", "{\"a\":}", "{\"a\"}", "{:1}", "{1:1}",
		"{\"a\"::1}", "{\"a\":1 \"b\":2}", "{\"a\":1;}", "{,}", "{\"a\":1,}", "{\"a\":1,,\"b\":2}",
		"{,\"a\":1}", "{\"a\":[1,]}", "{\"a\":[,]}", "{\"a\":[,1]}", "{\"a\":[1 2]}", "{\"a\":[1}",
		"{\"a\":[1}]", "{\"a\":1]", "{\"a\":TRUE}", "{\"a\":True}", "{\"a\":tru}", "{\"a\":truex}",
		"{\"a\":nul}", "{\"a\":nulll}", "{\"a\":undefined}", "{/**/}", "{\"a\":1//\n}", "{{}}", "{\"a\":1}}",
		"{[]:1}", "{null:1}", "}", "{\"a\":b}"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		refuses(texts[i], "at byte ");
}

Test(json_scan, reports_at_which_byte_it_stopped)
{
	refuses("{\"a\":1,}", "at byte 7 there is a closing brace behind a comma");
	refuses("{\"a\":[1,]}", "at byte 8 there is a closing bracket behind a comma");
	refuses("{\"a\" 1}", "at byte 5 there should be a colon");
	refuses("{\"a\":", "ends at byte 5, where there should be a value");
	refuses("{\"a", "ends at byte 3, where there should be a closing quote");
}

Test(json_scan, refuses_raw_control_characters_in_strings)
{
	for (char c = 0; c < 0x20; c++) {
		char text[] = "{\"a\":\"x_y\"}";
		*strchr(text, '_') = c;
		refuses_bytes(text, sizeof text - 1, "control character");
		char name[] = "{\"x_y\":0}";
		*strchr(name, '_') = c;
		refuses_bytes(name, sizeof name - 1, "control character");
	}
}

Test(json_scan, refuses_other_escapes)
{
	const char *escapes[] = {"\\", "\\x41", "\\a", "\\0", "\\'", "\\U0041", "\\u", "\\u1", "\\u12", "\\u123",
		"\\u123g", "\\u 123", "\\u-123", "\\u+123", "\\u00\xc3\xa9", "\\\n", "\\v"};
	char text[100];
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		snprintf(text, sizeof text, "{\"a\":\"%s\"}", escapes[i]);
		refuses(text, "at byte ");
	}
}

Test(json_scan, accepts_an_escaped_nul)
{
	accepts("{\"a\":\"\\u0000\"}");
	accepts("{\"a\\u0000b\":1,\"a\":2,\"a\\u0000\":3}");
	refuses("{\"a\\u0000b\":1,\"\\u0061\\u0000b\":1}", "named twice");
}

Test(json_scan, accepts_half_of_a_surrogate_pair)
{
	const char *escapes[] = {"\\ud800", "\\udbff", "\\udc00", "\\udfff", "\\ud800x", "\\ud800\\n", "\\ud800\\u0041",
		"\\ud800\\ud800", "\\udc00\\ud800", "\\uD834\\\\udd1e", "\\ud834 \\udd1e"};
	char text[100];
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		snprintf(text, sizeof text, "{\"a\":\"%s\"}", escapes[i]);
		accepts(text);
		snprintf(text, sizeof text, "{\"%s\":[\"%s\"]}", escapes[i], escapes[i]);
		accepts(text);
	}
	refuses("{\"a\":\"\\ud834\\udd1\"}", "without four hexadecimal digits");
	accepts("{\"a\":\"\\ud800\\udc00\\udbff\\udfff\\ud7ff\\ue000\"}");
	accepts("{\"\\ud83d\":1,\"\\ud83e\":2,\"\\udca9\":3,\"\\ud83d\\udca9\":4,\"\\udca9\\ud83d\":5}");
	refuses("{\"\\ud83d\":1,\"\\uD83D\":2}", "named twice");
}

Test(json_scan, takes_an_array_at_the_top_where_it_is_asked_to)
{
	static const char *const good[] = {"[]", " [ ] ", "[{\"a\":1},{\"a\":2}]", "[1,[2]]\n", "{}", "{\"a\":[]}"};
	static const char *const bad[] = {
		"", "[", "[1,]", "[]]", "[] x", "[}", "1", "\"a\"", "\xef\xbb\xbf[]", "[{\"a\":1,\"a\":2}]"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(json_scan_nest(good[i], strlen(good[i]), &f), "%s: %s", good[i], f.text);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(json_scan_nest(bad[i], strlen(bad[i]), &f), "%s", bad[i]);
	cr_expect_not(json_scan("[]", 2, &f));
}

Test(json_scan, refuses_bytes_that_are_not_utf8)
{
	const char *bytes[] = {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xed\xb0\x80",
		"\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xc3", "\xe2\x82",
		"\xf0\x9f\x92", "\xc3\\u00e9"};
	char text[100];
	for (size_t i = 0; i < COUNT_OF(bytes); i++) {
		snprintf(text, sizeof text, "{\"a\":\"%s\"}", bytes[i]);
		refuses(text, "at byte 6 there is a byte that is not UTF-8");
		snprintf(text, sizeof text, "{\"%s\":0}", bytes[i]);
		refuses(text, "at byte 2 there is a byte that is not UTF-8");
	}
	refuses("{\"a\":\xc3\xa9}", "a value");
}

Test(json_scan, refuses_a_member_named_twice)
{
	refuses("{\"a\":1,\"a\":1}", "the member \"a\" is named twice in one object, again at byte 7");
	refuses("{\"\":1,\"\":1}", "\"\" is named twice");
	refuses("{\"a\":{\"b\":1,\"c\":1,\"b\":1}}", "\"b\" is named twice");
	refuses("{\"a\":[{\"b\":1,\"b\":1}]}", "\"b\" is named twice");
	refuses("{\"a\":{},\"b\":{\"c\":{}},\"a\":{}}", "\"a\" is named twice");
}

Test(json_scan, compares_names_as_they_read_without_their_escapes)
{
	refuses("{\"a\":1,\"\\u0061\":1}", "\"a\" is named twice");
	refuses("{\"\\u0061\":1,\"a\":1}", "named twice");
	refuses("{\"\\u0061\":1,\"\\u0061\":1}", "named twice");
	refuses("{\"/\":1,\"\\/\":1}", "named twice");
	refuses("{\"\\b\\f\\n\\r\\t\\\"\\\\\":1,\"\\u0008\\u000c\\u000A\\u000d\\u0009\\u0022\\u005C\":1}",
		"named twice");
	refuses("{\"\xc3\xa9\":1,\"\\u00E9\":1}", "named twice");
	refuses("{\"\xe2\x82\xac\":1,\"\\u20ac\":1}", "named twice");
	refuses("{\"\xf0\x9f\x92\xa9\":1,\"\\ud83d\\udca9\":1}", "named twice");
	refuses("{\"\xf4\x8f\xbf\xbf\":1,\"\\uDBFF\\uDFFF\":1}", "named twice");
}

Test(json_scan, accepts_names_that_are_only_alike)
{
	accepts("{\"a\":1,\"A\":1,\"aa\":1,\"\":1,\"a \":1,\"\xc3\xa9\":1,\"e\xcc\x81\":1,\"\\\\u0061\":1}");
	accepts("{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}");
}

/* Writes {"0":0,"1":0,...} with count members, and one more with the name last, unless last is negative. */
static char *object_of(int count, int last)
{
	char *text = malloc((size_t)count * 12 + 30);
	char *at = text;
	*at++ = '{';
	for (int i = 0; i < count; i++)
		at += snprintf(at, 12, "%s\"%x\":0", i ? "," : "", (unsigned)i);
	if (last >= 0)
		at += snprintf(at, 20, ",\"%x\":0", (unsigned)last);
	snprintf(at, 2, "}");
	return text;
}

Test(json_scan, finds_every_duplicate_in_objects_of_every_size)
{
	for (int count = 1; count < 60; count++) {
		char *text = object_of(count, -1);
		accepts(text);
		free(text);
		for (int last = 0; last < count; last++) {
			text = object_of(count, last);
			refuses(text, "named twice");
			free(text);
		}
	}
}

Test(json_scan, distinguishes_long_names_by_every_byte)
{
	for (size_t differs = 0; differs < 40; differs++) {
		char text[4000] = "{";
		for (int i = 0; i < 20; i++) {
			char name[41];
			memset(name, 'x', 40);
			name[40] = '\0';
			name[differs] = (char)('a' + i);
			snprintf(text + strlen(text), sizeof text - strlen(text), "\"%s\":0,", name);
		}
		size_t len = strlen(text);
		snprintf(text + len, sizeof text - len, "\"\":0}");
		accepts(text);
		snprintf(text + len, sizeof text - len, "\"%.*s\\u0062%.*s\":0}", (int)differs,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", (int)(39 - differs),
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		refuses(text, "named twice");
	}
}

/* Of the processor: the time that others leave to this process says nothing about json_scan(). */
static double seconds_since(clock_t began)
{
	return (double)(clock() - began) / CLOCKS_PER_SEC;
}

Test(json_scan, takes_linear_time_for_thousands_of_members)
{
	clock_t began = clock();
	char *text = object_of(7500, -1), *twice = object_of(7500, 3);
	struct fault f;
	cr_assert_leq(strlen(twice), JSON_TEXT_MAX);
	for (int i = 0; i < 200; i++) {
		cr_assert(json_scan(text, strlen(text), &f), "%s", f.text);
		cr_assert_not(json_scan(twice, strlen(twice), &f));
		cr_assert(seconds_since(began) < 10, "%d of 200 after %.1f s", i, seconds_since(began));
	}
	free(text);
	free(twice);
}

Test(json_scan, keeps_large_objects_inside_one_another_apart)
{
	clock_t began = clock();
	char *inner = object_of(40, -1), *bad = object_of(40, 39);
	char text[JSON_TEXT_MAX] = "{\"a\":[";
	for (int i = 0; i < 150; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? "," : "", inner);
	size_t len = strlen(text);
	snprintf(text + len, sizeof text - len, "]}");
	accepts(text);
	snprintf(text + len, sizeof text - len, ",%s]}", bad);
	refuses(text, "\"27\" is named twice");
	snprintf(text + len - 1, sizeof text - len, ",\"0x\":{\"27\":%s,\"28\":0},\"0x\":0}]}", inner);
	refuses(text, "\"0x\" is named twice");
	cr_assert(seconds_since(began) < 10, "%.1f s", seconds_since(began));
	free(inner);
	free(bad);
}

Test(json_scan, forgets_a_text_that_it_refused)
{
	char *large = object_of(100, 50);
	for (int i = 0; i < 3; i++) {
		refuses("{\"a\":{\"b\":{\"c\":[", "at byte ");
		refuses(large, "named twice");
		accepts("{\"a\":1,\"b\":2,\"c\":3}");
	}
	free(large);
}

static void nest(int depth, bool in_objects, char ret[500])
{
	size_t at = 0;
	for (int i = 0; i < depth; i++)
		at += (size_t)snprintf(ret + at, 500 - at, i == 0 || in_objects ? "{\"a\":" : "[");
	at += (size_t)snprintf(ret + at, 500 - at, "0");
	for (int i = depth; i-- > 0;)
		ret[at++] = i == 0 || in_objects ? '}' : ']';
	ret[at] = '\0';
}

Test(json_scan, nests_32_levels_and_no_more)
{
	char text[500];
	for (int in_objects = 0; in_objects < 2; in_objects++) {
		nest(32, in_objects, text);
		accepts(text);
		nest(33, in_objects, text);
		refuses(text, "deeper than 32");
	}
	accepts("{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]}");
}

Test(json_scan, reads_64_kib_and_no_more)
{
	static char text[JSON_TEXT_MAX + 1];
	memset(text, ' ', sizeof text);
	memcpy(text, "{}", 2);
	accepts_bytes(text, JSON_TEXT_MAX);
	struct fault f;
	cr_expect_not(json_scan(text, JSON_TEXT_MAX + 1, &f));
	cr_expect_eq(f.kind, FAULT_TOO_LARGE);
}

Test(json_scan, accepts_strings_that_fill_the_text)
{
	static char text[JSON_TEXT_MAX];
	for (int in_name = 0; in_name < 2; in_name++) {
		memset(text, 'x', sizeof text);
		memcpy(text, in_name ? "{\"" : "{\"a\":\"", in_name ? 2 : 6);
		memcpy(text + sizeof text - 4, in_name ? "\":0}" : "xx\"}", 4);
		accepts_bytes(text, sizeof text);
		for (size_t at = 6; at + 10 < sizeof text; at += 6)
			memcpy(text + at, "\\u0061", 6);
		accepts_bytes(text, sizeof text);
	}
}
