/* test_content_type.c - which Content-Types are JSON in UTF-8. */

#include <criterion/criterion.h>

#include "base/base.h"
#include "http/content_type.h"

Test(content_type, takes_json_in_utf8_only)
{
	const char *good[] = {"application/json", "Application/JSON", "application/json; charset=utf-8",
		"application/json;charset=\"UTF-8\"", "application/json ; charset=utf-8", "application/json; v=1",
		"application/json;"};
	const char *bad[] = {"", "text/json", "application/jsonp", "application/json; charset=latin1",
		"application/json x", "application/problem+json",
		"application/json;charset=", "application/json, text/plain"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		cr_expect(content_type_is_json(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		cr_expect_not(content_type_is_json(bad[i]), "%s", bad[i]);
}
