/* test_form.c - the fields of a form as a JSON object. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "http/form.h"

static void is_read(const char *form, size_t len, const char *json)
{
	struct buf b = BUF_INIT(4096);
	struct fault f;
	char *copy = malloc(len + 1); /* without a NUL behind it */
	memcpy(copy, form, len);
	cr_assert(form_to_json(copy, len, &b, &f), "%s: %s", form, f.text);
	cr_expect_str_eq(b.data, json, "%s is %s", form, b.data);
	free(copy);
	buf_finish(&b);
}

static void reads(const char *form, const char *json)
{
	is_read(form, strlen(form), json);
}

static void refuses(const char *form, size_t len, const char *why)
{
	struct buf b = BUF_INIT(4096);
	struct fault f;
	cr_assert_not(form_to_json(form, len, &b, &f), "%s", form);
	cr_expect_eq(f.kind, FAULT_MALFORMED);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", form, f.text);
	buf_finish(&b);
}

Test(form, reads_fields_as_an_object_of_texts)
{
	reads("", "{}");
	reads("id=tr_7UhSN1zuXS", "{\"id\":\"tr_7UhSN1zuXS\"}");
	reads("a=1&b=2&c=", "{\"a\":\"1\",\"b\":\"2\",\"c\":\"\"}");
	reads("a", "{\"a\":\"\"}");
	reads("=a", "{\"\":\"a\"}");
	reads("a=b=c", "{\"a\":\"b=c\"}");
	reads("&&a=1&&b=2&", "{\"a\":\"1\",\"b\":\"2\"}");
}

Test(form, decodes_names_and_values)
{
	reads("a+b=c+d%2Be", "{\"a b\":\"c d+e\"}");
	reads("%61%5B0%5D=%C3%A9%f0%9f%92%a9", "{\"a[0]\":\"\xc3\xa9\xf0\x9f\x92\xa9\"}");
	reads("a=%22%5c%2f%0a%01", "{\"a\":\"\\\"\\\\/\\n\\u0001\"}");
	reads("a=%26%3D%25", "{\"a\":\"&=%\"}");
	reads("a=\"\\u0000\"", "{\"a\":\"\\\"\\\\u0000\\\"\"}");
}

Test(form, refuses_bad_escapes_and_a_nul)
{
	refuses("a=%", 3, "at byte 2 of the form there is a percent sign");
	refuses("a=%1", 4, "at byte 2");
	refuses("a=%g1", 5, "at byte 2");
	refuses("%=1", 3, "at byte 0");
	refuses("a%2&b=1", 7, "at byte 1");
	refuses("a=1&b=%4", 8, "at byte 6");
	refuses("a=%2&0=1", 8, "at byte 2");
	refuses("a=%00", 5, "at byte 2 of the form there is a NUL");
	refuses("a=1\0", 4, "at byte 3 of the form there is a NUL");
	refuses("a\0=1", 5, "at byte 1 of the form there is a NUL");
	refuses("a=% 1", 5, "at byte 2");
	refuses("a=\xc3\xa9", 4, "at byte 2 of the form there is a byte beyond ASCII");
}

Test(form, reports_what_grows_beyond_the_buffer)
{
	static char form[1000];
	struct buf b = BUF_INIT(2000);
	struct fault f;
	memset(form, '\x01', sizeof form);
	cr_assert_not(form_to_json(form, sizeof form, &b, &f));
	cr_expect_eq(f.kind, FAULT_TOO_LARGE);
	cr_expect_not_null(strstr(f.text, "2000 bytes"));
	buf_finish(&b);
}

/* It may be sent again, whatever its size is: a provider does not repeat what is answered 413. */
Test(form, reports_that_memory_is_short)
{
	static char form[1000];
	struct buf b = {.max = 2000, .overflow = true};
	struct fault f;
	memset(form, 'a', sizeof form);
	cr_assert_not(form_to_json(form, sizeof form, &b, &f));
	cr_expect_eq(f.kind, FAULT_BUSY, "%s", f.text);
}
