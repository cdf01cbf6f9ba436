/* test_sources_body.c - the words of a source about the form of its bodies. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras;
static struct sources sources;
static char complaints[4000];

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s\n", complaint);
}

static bool secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx;
	(void)place;
	(void)f;
	buf_add_text(ret, strcmp(name, "adyen") == 0 ? "0123456789abcdef0123456789abcdef" : "a secret of many bytes");
	return true;
}

#define MAPPING_OF(id)                                                      \
	"\"mapping\":{\"transaction_id\":{\"at\":\"" id                     \
	"\"},\"source_account\":{\"value\":\"a\"},\"destination_account\":" \
	"{\"value\":\"b\"},\"amount\":{\"at\":\"/n\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}}"
#define NONE "\"scheme\":\"none\","
#define GITHUB "\"scheme\":\"github\",\"secrets\":[{\"file\":\"s\"}],"

static bool reads(const char *members)
{
	char text[2000];
	struct sources_outside outside = {
		.file = "sources.json", .extras = &extras, .secret = secret, .report = complain};
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",%s}]}", members);
	sources_finish(&sources);
	complaints[0] = '\0';
	return sources_read(text, (size_t)len, &outside, &sources);
}

static const struct source *takes(const char *members)
{
	cr_assert(reads(members), "%s", complaints);
	return &sources.list[0];
}

static void refuses(const char *members, const char *why)
{
	cr_assert_not(reads(members), "%s", members);
	cr_expect_not_null(strstr(complaints, why), "%s: %s", members, complaints);
}

Test(sources_body, is_json_signed_as_it_comes_by_default)
{
	const struct source *s = takes(GITHUB MAPPING_OF("/id"));
	cr_expect_eq(s->body.format, BODY_JSON);
	cr_expect_not(s->body.is_signed_decoded);
	cr_expect_not(source_has_items(s));
	cr_expect_eq(source_content_type(s), CONTENT_TYPE_JSON);
	cr_expect_eq(takes(GITHUB "\"body\":\"json\"," MAPPING_OF("/id"))->body.format, BODY_JSON);
	cr_expect_not(takes(GITHUB "\"signed_encoding\":\"raw\"," MAPPING_OF("/id"))->body.is_signed_decoded);
	cr_expect(takes(GITHUB "\"signed_encoding\":\"decoded\"," MAPPING_OF("/id"))->body.is_signed_decoded);
}

Test(sources_body, may_be_a_form_or_json_in_one_field)
{
	const struct source *s = takes(NONE "\"body\":\"form\"," MAPPING_OF("/id"));
	cr_expect_eq(s->body.format, BODY_FORM);
	cr_expect_eq(source_content_type(s), CONTENT_TYPE_FORM);
	s = takes(NONE "\"body\":{\"form_member\":\"payload\"},\"items\":\"/list\"," MAPPING_OF("/a/id"));
	cr_expect_eq(s->body.format, BODY_FORM_MEMBER);
	cr_expect_str_eq(s->body.member, "payload");
	cr_expect_eq(source_content_type(s), CONTENT_TYPE_FORM);
	cr_expect_eq(takes(NONE "\"body\":\"form\"")->body.format, BODY_FORM);
}

Test(sources_body, may_be_an_array)
{
	const struct source *s = takes(NONE "\"items\":\"\"," MAPPING_OF("/id"));
	cr_expect(s->body.is_array);
	cr_expect(source_has_items(s));
	cr_expect_str_eq(s->items, "");
	s = takes(NONE "\"items\":\"/list\"," MAPPING_OF("/id"));
	cr_expect_not(s->body.is_array);
	cr_expect(source_has_items(s));
	refuses(NONE "\"items\":\"\"", "/sources/0/items: has no meaning without a mapping");
	refuses(NONE "\"items\":7," MAPPING_OF("/id"), "/sources/0/items: a string is wanted");
}

Test(sources_body, of_a_form_has_fields_without_members)
{
	takes(NONE "\"body\":\"form\"," MAPPING_OF("/a~1b"));
	refuses(NONE "\"body\":\"form\"," MAPPING_OF("/data/id"), "/sources/0/mapping: /data/id goes into a field");
	refuses(NONE "\"body\":\"form\",\"filter\":[{\"at\":\"/a/b\",\"is\":[\"x\"]}]," MAPPING_OF("/id"),
		"/sources/0/mapping: /a/b goes into a field");
	refuses(NONE "\"body\":\"form\",\"items\":\"/list\"," MAPPING_OF("/id"),
		"/sources/0/items: has no meaning for the body");
	refuses(NONE "\"body\":\"form\",\"items\":\"\"," MAPPING_OF("/id"),
		"/sources/0/items: has no meaning for the body");
}

Test(sources_body, refuses_what_has_no_meaning)
{
	refuses(NONE "\"body\":\"xml\"," MAPPING_OF("/id"),
		"/sources/0/body: \"xml\": one of these is wanted: json form");
	refuses(NONE "\"body\":{}," MAPPING_OF("/id"), "/sources/0/body/form_member: is missing");
	refuses(NONE "\"body\":{\"form_member\":\"\"}," MAPPING_OF("/id"), "form_member: is empty");
	refuses(NONE "\"body\":{\"member\":\"a\"}," MAPPING_OF("/id"), "there is no member \"member\" here");
	refuses(GITHUB "\"signed_encoding\":\"gzip\"," MAPPING_OF("/id"), "one of these is wanted: raw decoded");
	refuses(NONE "\"signed_encoding\":\"raw\"," MAPPING_OF("/id"),
		"signed_encoding: has no meaning without a signature");
}

#define ADYEN                                                                                                                                \
	"\"scheme\":\"adyen\",\"secrets\":[{\"file\":\"adyen\"}],\"items\":\"/notificationItems\",\"mapping\":{\"transaction_id\":"          \
	"{\"at\":\"/NotificationRequestItem/pspReference\"},\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"}," \
	"\"amount\":{\"at\":\"/NotificationRequestItem/amount/value\",\"unit\":\"minor\"},\"currency\":{\"at\":"                             \
	"\"/NotificationRequestItem/amount/currency\"}}"

Test(sources_body, of_adyen_is_json_with_the_signatures_inside)
{
	cr_expect(takes(ADYEN)->body.is_signed_decoded);
	refuses(ADYEN ",\"signed_encoding\":\"raw\"", "signed_encoding: has no meaning for adyen");
	refuses(ADYEN ",\"body\":{\"form_member\":\"x\"}", "body: has no meaning for adyen");
}
