/* test_ping.c - "ping" of a source: what is read, what is refused since events would be lost, and which requests are one. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources s;
static char complaints[4000];
static const char *event; /* the header X-Event; NULL: none */

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

static bool reads(const char *ping, const char *members)
{
	static char text[8000];
	struct sources_outside outside = {.file = "f", .extras = &extras, .report = complain};
	complaints[0] = '\0';
	sources_finish(&s);
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",\"scheme\":\"none\",\"ping\":%s%s%s}]}",
		ping, *members ? "," : "", members);
	cr_assert_lt(len, (int)sizeof text);
	return sources_read(text, (size_t)len, &outside, &s);
}

static void takes(const char *ping, const char *members)
{
	cr_assert(reads(ping, members), "%s", complaints);
}

static void refuses(const char *ping, const char *members, const char *why)
{
	char wanted[700];
	cr_assert_not(reads(ping, members), "%s was taken", ping);
	snprintf(wanted, sizeof wanted, "f:1: /sources/0/ping%s", why);
	cr_expect_str_eq(complaints, wanted);
}

static const char *header(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "x-event") == 0 ? event : NULL;
}

static bool is_ping(const char *type, const char *body)
{
	struct places_request request = {.id = "", .header = header};
	return ping_is(&s.list[0].ping, &request, type, body, strlen(body));
}

#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define TYPED "{\"at\":\"/type\",\"is\":[\"ping\",\"7\"]}"
#define HEADED "{\"header\":\"X-Event\",\"is\":[\"ping\"]}"
#define MAPPING(more)                                                                                                    \
	"\"mapping\":{\"transaction_id\":{\"at\":\"/id\"},\"source_account\":{\"value\":\"a\"},\"destination_account\":" \
	"{\"value\":\"b\"},\"amount\":{\"at\":\"/n\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}" more "}"
#define KIND(place, words) ",\"kind\":{" place ",\"words\":{" words "},\"otherwise\":\"other\"}"

Test(ping, is_a_form_or_words_at_a_place)
{
	takes("{\"form\":\"webhook_id\"}", "");
	cr_expect_eq(s.list[0].ping.kind, PING_FORM);
	takes(TYPED, MAPPING(""));
	cr_expect_eq(s.list[0].ping.kind, PING_MEMBER);
	takes(HEADED, MAPPING(""));
	cr_expect_eq(s.list[0].ping.kind, PING_HEADER);
	refuses("{}", "", ": either form, or at, or header is wanted");
	refuses("{\"form\":\"a\",\"at\":\"/b\",\"is\":[\"c\"]}", "", ": either form, or at, or header is wanted");
	refuses("{\"header\":\"a\",\"at\":\"/b\",\"is\":[\"c\"]}", "", "/header: has no meaning beside at");
	refuses("{\"form\":\"a\",\"is\":[\"c\"]}", "", "/is: has no meaning beside form");
	refuses("{\"form\":\"a b\"}", "", "/form: \"a b\": letters, digits, _, . and - are wanted");
	refuses("{\"form\":\"a=b\"}", "", "/form: \"a=b\": letters, digits, _, . and - are wanted");
	refuses("{\"at\":\"/type\"}", "", "/is: is missing");
	refuses("{\"at\":\"/type\",\"is\":[]}", "", "/is: is empty");
	refuses("{\"at\":\"type\",\"is\":[\"a\"]}", "", "/at: is no JSON pointer, as /data/object/id is one");
	refuses("{\"header\":\"x y\",\"is\":[\"a\"]}", "",
		"/header: \"x y\": a header's name has letters, digits and hyphens");
	refuses("true", "",
		": an object is wanted, and this is a boolean\nf:1: /sources/0/ping: either form, or at, or header is wanted");
}

/* Such an event would be answered, and lost. */
Test(ping, has_no_word_that_stands_for_an_event)
{
	static const char FILTER
		[] = ": \"7\" stands for an event, at \"/type\" in a filter or a kind: such events would be lost",
	  KINDS[] = ": \"ping\" stands for an event, at \"/type\" in a filter or a kind: such events would be lost",
	  HEADER[] =
		  ": \"ping\" stands for an event, at {\"header\": \"x-event\"} in a filter or a kind: such events would"
		  " be lost";
	refuses(TYPED, "\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\",\"7\"]}]", FILTER);
	refuses(TYPED, "\"filter\":[{\"at\":\"/a\",\"is\":[\"b\"]},{\"at\":\"/type\",\"is\":[\"7\"]}]," MAPPING(""),
		FILTER);
	refuses(TYPED, MAPPING(KIND("\"at\":\"/type\"", "\"paid\":\"captured\",\"ping\":\"other\"")), KINDS);
	refuses(TYPED,
		"\"events\":[{\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\"]}]," MAPPING(
			"") "},{\"filter\":[{\"at\":\"/type\",\"is\":["
			    "\"x\",\"ping\"]}]," MAPPING("") "}]",
		KINDS);
	refuses(HEADED, "\"filter\":[{\"header\":\"X-EVENT\",\"is\":[\"ping\"]}]," MAPPING(""), HEADER);
	takes(TYPED, "\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\",\"Ping\"]}]," MAPPING(""));
	takes(TYPED, "\"filter\":[{\"at\":\"/kind\",\"is\":[\"ping\"]}]," MAPPING(""));
	takes(TYPED, MAPPING(KIND("\"at\":\"/type\"", "\"paid\":\"captured\"")));
	takes(HEADED, "\"filter\":[{\"at\":\"/x-event\",\"is\":[\"ping\"]}]," MAPPING(""));
}

Test(ping, is_sought_in_the_body_as_a_whole)
{
	refuses("{\"at\":\"/list/0/type\",\"is\":[\"ping\"]}", "\"items\":\"/list\"," MAPPING(""),
		": /list/0/type is in items: a ping is looked for in the body as a whole");
	refuses("{\"at\":\"/list\",\"is\":[\"ping\"]}", "\"items\":\"/list\"," MAPPING(""),
		": /list is in items: a ping is looked for in the body as a whole");
	refuses("{\"at\":\"/0/type\",\"is\":[\"ping\"]}", "\"items\":\"\"," MAPPING(""),
		": /0/type is in items: a ping is looked for in the body as a whole");
	takes(HEADED, "\"items\":\"\"," MAPPING(""));
	takes("{\"at\":\"/listed\",\"is\":[\"ping\"]}", "\"items\":\"/list\"," MAPPING(""));
	takes("{\"at\":\"/type\",\"is\":[\"ping\"]}",
		"\"items\":\"/list\",\"filter\":[{\"at\":\"/type\",\"is\":[\"paid\"]}]," MAPPING(""));
	cr_expect_not(is_ping(JSON, "{\"list\":[{\"type\":\"ping\"}]}"));
	cr_expect(is_ping(JSON, "{\"list\":[{\"type\":\"paid\"}],\"type\":\"ping\"}"));
}

Test(ping, of_words_equals_one_of_them)
{
	takes(TYPED, "");
	cr_expect(is_ping(JSON, "{\"type\":\"ping\"}"));
	cr_expect(is_ping("application/json; charset=utf-8", " {\"type\" : \"p\\u0069ng\"} "));
	cr_expect(is_ping(JSON, "{\"type\":7}"));
	static const char *const none[] = {"{\"type\":\"pings\"}", "{\"type\":\"Ping\"}", "{\"type\":[\"ping\"]}",
		"{\"data\":{\"type\":\"ping\"}}", "{}", "", "{\"type\":\"ping\"", "{\"type\":\"ping\"}{}",
		"{\"type\":\"ping\",\"type\":\"ping\"}", "[{\"type\":\"ping\"}]", "type=ping"};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		cr_expect_not(is_ping(JSON, none[i]), "%s", none[i]);
	cr_expect_not(is_ping(FORM, "{\"type\":\"ping\"}"));
	takes(HEADED, "");
	const char *values[] = {NULL, "", "Ping", "ping ", "ping"};
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		event = values[i];
		cr_expect_eq(is_ping("", "{}"), i == 4, "%d", (int)i);
	}
}

Test(ping, of_a_form_is_the_only_field)
{
	takes("{\"form\":\"webhook_id\"}", "");
	cr_expect(is_ping(FORM, "webhook_id=123"));
	cr_expect(is_ping(FORM "; charset=UTF-8", "webhook_id="));
	static const char *const none[] = {"webhook_id", "webhook_id=1&x=2", "x=2&webhook_id=1", "webhook_ids=1",
		"webhook_id=1=2", "Webhook_id=1", "", "webhook_id%3D1", "webhook_id=1&", "{\"webhook_id\":1}"};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		cr_expect_not(is_ping(FORM, none[i]), "%s", none[i]);
	cr_expect_not(is_ping(JSON, "webhook_id=123"));
	cr_expect_not(is_ping("", "webhook_id=123"));
}

/* The events of Mollie are forms of one field. */
Test(ping, is_no_form_where_events_are_forms)
{
	static const char WHY[] = "/form: has no place where events are forms: such events would be lost";
	refuses("{\"form\":\"id\"}", "\"body\":\"form\"," MAPPING(""), WHY);
	refuses("{\"form\":\"hook_id\"}", "\"body\":{\"form_member\":\"payload\"}," MAPPING(""), WHY);
	takes(HEADED, "\"body\":\"form\"," MAPPING(""));
	takes("{\"form\":\"hook_id\"}", "\"body\":\"json\"," MAPPING(""));
}

Test(ping, is_nothing_without_the_word)
{
	takes("{\"form\":\"a\"}", "");
	s.list[0].ping.kind = PING_NONE;
	cr_expect_not(is_ping(FORM, "a=1"));
}

/* Anyone may send one, so nothing is decoded to look for a word: a header shows a ping that is in gzip. */
Test(ping, is_not_looked_for_in_gzip)
{
	static const char ZIPPED[] = /* {"type":"ping"} */
		"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\xa9\x2c\x48\x55\xb2\x52\x2a"
		"\xc8\xcc\x4b\x57\xaa\x05\x00\x9c\x30\x7c\x49\x0f\x00\x00\x00";
	struct places_request request = {.id = "", .header = header};
	takes(TYPED, MAPPING(""));
	cr_expect_not(ping_is(&s.list[0].ping, &request, JSON, ZIPPED, sizeof ZIPPED - 1));
	takes(HEADED, MAPPING(""));
	event = "ping";
	cr_expect(ping_is(&s.list[0].ping, &request, JSON, ZIPPED, sizeof ZIPPED - 1));
}
