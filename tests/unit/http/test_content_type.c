/* test_content_type.c - which Content-Types are JSON or a form in UTF-8. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/base.h"
#include "http/content_type.h"

static void refuses(const char *type, enum content_type wanted, const char *why)
{
	struct fault f;
	cr_assert_not(content_type_fits(type, wanted, &f), "%s", type);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "%s: %s", type, f.text);
}

Test(content_type, takes_json_in_utf8_only)
{
	const char *good[] = {"application/json", "Application/JSON", "application/json; charset=utf-8",
		"application/json;charset=\"UTF-8\"", "application/json ; charset=utf-8", "application/json; v=1",
		"application/json;"};
	const char *bad[] = {"text/json", "application/jsonp", "application/json; charset=latin1", "application/json x",
		"application/json;charset=", "application/json, text/plain"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(content_type_fits(good[i], CONTENT_TYPE_JSON, &f), "%s: %s", good[i], f.text);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], CONTENT_TYPE_JSON, "must be application/json in UTF-8");
	refuses("", CONTENT_TYPE_JSON, "without a Content-Type");
}

Test(content_type, takes_utf8_in_every_way_it_is_written)
{
	const char *good[] = {"application/json; charset=UTF8", "application/json; charset=utf8",
		"application/json;CHARSET=Utf-8", "application/json; charset=\"utf8\"",
		"application/json; charset=\"ut\\f-8\"",
		"application/json; profile=\"a; charset=latin1\"; charset=utf-8",
		"application/json; q=\"\\\"\";charset=utf8", "application/json;charset=utf-8;",
		"application/json;;charset=utf-8", "application/json; flag"};
	const char *bad[] = {"application/json; charset=utf-16", "application/json; charset=utf-88",
		"application/json; charset=\"\"", "application/json; charset=utf-8; charset=latin1",
		"application/json; charset=\"utf-8\"; charset=iso-8859-1"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(content_type_fits(good[i], CONTENT_TYPE_JSON, &f), "%s: %s", good[i], f.text);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], CONTENT_TYPE_JSON, "its charset is \"");
	refuses("application/json; charset=\"utf-8", CONTENT_TYPE_JSON, "its Content-Type is");
	refuses("application/json; charset=utf-8 x", CONTENT_TYPE_JSON, "its Content-Type is");
	refuses("application/json; charset = utf-8", CONTENT_TYPE_JSON, "its Content-Type is");
}

Test(content_type, takes_types_with_the_suffix_of_json)
{
	const char *good[] = {"application/vnd.api+json", "application/cloudevents+json; charset=UTF-8",
		"Application/Problem+JSON", "application/vnd.a.v1+json;charset=utf8"};
	const char *bad[] = {"application/+json", "application/vnd.api+jsonp", "text/x+json",
		"application/vnd/api+json", "application/vnd api+json", "application/vnd.api+json,application/json",
		"application/json+xml"};
	struct fault f;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(content_type_fits(good[i], CONTENT_TYPE_JSON, &f), "%s: %s", good[i], f.text);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		refuses(bad[i], CONTENT_TYPE_JSON, "its Content-Type is");
	refuses("application/vnd.api+json; charset=utf-16", CONTENT_TYPE_JSON, "its charset is \"utf-16\"");
}

Test(content_type, keeps_forms_and_json_apart)
{
	struct fault f;
	cr_expect(content_type_fits("application/x-www-form-urlencoded", CONTENT_TYPE_FORM, &f));
	cr_expect(content_type_fits("Application/X-WWW-Form-Urlencoded; charset=UTF-8", CONTENT_TYPE_FORM, &f));
	refuses("application/json", CONTENT_TYPE_FORM, "must be application/x-www-form-urlencoded");
	refuses("application/x+json", CONTENT_TYPE_FORM, "must be application/x-www-form-urlencoded");
	refuses("application/x-www-form-urlencoded", CONTENT_TYPE_JSON, "its Content-Type is \"application/x-www");
	refuses("application/x-www-form-urlencoded; charset=latin1", CONTENT_TYPE_FORM, "latin1");
	refuses("multipart/form-data; boundary=x", CONTENT_TYPE_FORM, "multipart");
}
