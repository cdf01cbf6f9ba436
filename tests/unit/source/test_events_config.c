/* test_events_config.c - the words of SOURCES_FILE for events of payments: what is accepted, the errors that are
 * reported, and which sources an older worker cannot serve. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources s;
static char complaints[4000];

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx, (void)place, (void)name, (void)f;
	buf_add_text(ret, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056");
	return true;
}

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

static bool reads(const char *text)
{
	struct sources_outside outside = {.file = "f", .extras = &extras, .secret = give_secret, .report = complain};
	complaints[0] = '\0';
	sources_finish(&s);
	return sources_read(text, strlen(text), &outside, &s);
}

/* The members of a source besides its name. */
static const struct source *takes(const char *members)
{
	static char text[40000];
	cr_assert_lt(snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",%s}]}", members), (int)sizeof text);
	cr_assert(reads(text), "%s", complaints);
	cr_expect_str_eq(complaints, "");
	return &s.list[0];
}

/* why NULL: whatever is reported. */
static void refuses(const char *members, const char *why)
{
	static char text[40000];
	char wanted[500];
	cr_assert_lt(snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",%s}]}", members), (int)sizeof text);
	cr_assert_not(reads(text), "%s was taken", text);
	snprintf(wanted, sizeof wanted, "f:1: /sources/0%s", why ? why : "");
	cr_expect(why ? strcmp(complaints, wanted) == 0 : *complaints != '\0', "%s: %s", members, complaints);
	cr_expect_eq(s.count, 0);
}

#define NONE "\"scheme\":\"none\","
#define ID "\"transaction_id\":{\"at\":\"/id\"}"
#define ACCOUNTS "\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"}"
#define MONEY "\"amount\":{\"at\":\"/n\",\"unit\":\"minor\"},\"currency\":{\"at\":\"/c\"}"
#define PLAIN "\"mapping\":{" ID "," ACCOUNTS "," MONEY "}"
#define WITH(members) NONE "\"mapping\":{" ID "," ACCOUNTS "," MONEY "," members "}"
#define JOINED(id) NONE "\"mapping\":{\"transaction_id\":" id "," ACCOUNTS "," MONEY "}"
#define FILTER "\"filter\":[{\"at\":\"/t\",\"is\":[\"a\"]}]"
#define PAID "\"mapping\":{" ID "," ACCOUNTS "," MONEY ",\"payment_id\":{\"at\":\"/p\"}}"

/* ---- the identity ---- */

Test(events_config, refuses_parts_that_cannot_be)
{
	takes(JOINED("{\"at\":[\"/a\",\"/b\",\"/c\",\"/d\"],\"join\":\" \"}"));
	cr_expect_eq(s.list[0].mappings[0].parts.count, 4);
	refuses(JOINED("{\"at\":[\"/a\",\"/b\",\"/c\",\"/d\",\"/e\"],\"join\":\":\"}"),
		"/mapping/transaction_id/at: more than 4 elements");
	refuses(JOINED("{\"at\":[],\"join\":\":\"}"), "/mapping/transaction_id/at: is empty");
	refuses(JOINED("{\"at\":[\"/a\"],\"join\":\":\"}"),
		"/mapping/transaction_id/at: has one pointer only, which needs no array");
	refuses(JOINED("{\"at\":[\"/a\",\"/a\"],\"join\":\":\"}"),
		"/mapping/transaction_id/at/1: stands there already");
	refuses(JOINED("{\"at\":[\"/a\",\"b\"],\"join\":\":\"}"),
		"/mapping/transaction_id/at/1: is no JSON pointer, as /data/object/id is one");
	refuses(JOINED("{\"at\":[\"/a\",7],\"join\":\":\"}"),
		"/mapping/transaction_id/at/1: a string is wanted, and this is a number");
	refuses(JOINED("{\"at\":[\"/a\",\"/b\"]}"), "/mapping/transaction_id/join: is missing");
	refuses(JOINED("{\"at\":[\"/a\",\"/b\"],\"join\":\"::\"}"),
		"/mapping/transaction_id/join: is longer than 1 bytes");
	refuses(JOINED("{\"at\":[\"/a\",\"/b\"],\"join\":\"\xc2\xb7\"}"),
		"/mapping/transaction_id/join: is longer than 1 bytes");
	refuses(JOINED("{\"at\":[\"/a\",\"/b\"],\"join\":\":\",\"after\":\"/\"}"),
		"/mapping/transaction_id/after: has no meaning beside several pointers");
	refuses(JOINED("{\"at\":\"/a\",\"join\":\":\"}"),
		"/mapping/transaction_id/join: has no meaning beside one pointer");
	refuses(JOINED("{\"at\":\"/a\",\"optional\":true}"),
		"/mapping/transaction_id: is not optional: an event without an id cannot be known again");
	static const char *const separators[] = {"%", "a", "Z", "0"};
	for (size_t i = 0; i < COUNT_OF(separators); i++) {
		char members[600];
		snprintf(members, sizeof members, JOINED("{\"at\":[\"/a\",\"/b\"],\"join\":\"%s\"}"), separators[i]);
		refuses(members,
			"/mapping/transaction_id/join: one character of ASCII is wanted, no letter, no digit and no %");
	}
}

Test(events_config, joins_nothing_but_the_identity)
{
	refuses(WITH("\"payment_id\":{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}"), NULL);
	cr_expect_not_null(
		strstr(complaints, "/mapping/payment_id: there is no member \"join\" here"), "%s", complaints);
	cr_expect_not_null(strstr(complaints, "/mapping/payment_id/at: a string is wanted, and this is an array"), "%s",
		complaints);
}

/* ---- payment, part, kind, time ---- */

Test(events_config, refuses_one_payment_or_part_for_all)
{
	refuses(WITH("\"payment_id\":{\"value\":\"p\"}"),
		"/mapping/payment_id: at is wanted: a constant would make all payments one");
	refuses(WITH("\"payment_id\":{\"at\":\"/p\",\"otherwise\":\"p\"}"),
		"/mapping/payment_id: has no otherwise: it would make all payments without an id one");
	refuses(WITH("\"part\":{\"at\":\"/p\",\"optional\":true}"),
		"/mapping/part: is not optional: events without it belong to an entry of their own in events");
	refuses(WITH("\"part\":{\"at\":\"/p\",\"after\":\"\"}"), "/mapping/part/after: is empty");
	refuses(WITH("\"part\":[]"), NULL);
	takes(WITH("\"part\":{\"at\":\"/p\",\"optional\":false}"));
}

#define KINDS                                                                                                      \
	"pending authorised captured capture_failed canceled expired failed refunded refund_failed dispute_notice" \
	" disputed dispute_won dispute_lost paid_out other"

Test(events_config, refuses_kinds_that_cannot_be)
{
	refuses(WITH("\"kind\":{\"value\":\"charged\"}"),
		"/mapping/kind/value: \"charged\": one of these is wanted: " KINDS);
	refuses(WITH("\"kind\":{\"at\":\"/t\"}"), "/mapping/kind/words: is missing");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{}}"), "/mapping/kind/words: is empty");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":[\"a\"]}"),
		"/mapping/kind/words: an object is wanted, such as {\"charge.refunded\": \"refunded\"}");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\",\"b\":\"CAPTURED\"}}"),
		"/mapping/kind/words/b: \"CAPTURED\": one of these is wanted: " KINDS);
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":7}}"),
		"/mapping/kind/words/a: a string is wanted, and this is a number");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"\":\"captured\"}}"), "/mapping/kind/words: is empty");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"a\\n\":\"captured\"}}"),
		"/mapping/kind/words: holds a control character");
	refuses(WITH("\"kind\":{\"value\":\"captured\",\"otherwise\":\"other\"}"),
		"/mapping/kind/otherwise: has no meaning beside value");
	refuses(WITH("\"kind\":{\"value\":\"captured\",\"at\":\"/t\"}"), "/mapping/kind: either at or value is wanted");
	refuses(WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\"},\"otherwise\":\"none\"}"),
		"/mapping/kind/otherwise: \"none\": one of these is wanted: " KINDS);
	refuses(WITH("\"kind\":\"captured\""), NULL);
}

/* A word twice is a member twice, also if one of them is written with an escape. */
Test(events_config, refuses_a_word_of_a_kind_twice)
{
	cr_expect_not(reads("{\"sources\":[{\"name\":\"x\"," WITH(
		"\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\",\"\\u0061\":\"refunded\"}}") "}]}"));
	cr_expect_not(reads("{\"sources\":[{\"name\":\"x\"," WITH(
		"\"kind\":{\"value\":\"captured\"},\"kind\":{\"value\":\"refunded\"}") "}]}"));
}

Test(events_config, bounds_the_words_of_a_kind)
{
	char members[6000];
	size_t len = (size_t)snprintf(members, sizeof members,
		NONE "\"mapping\":{" ID "," ACCOUNTS "," MONEY ",\"kind\":{\"at\":\"/t\",\"words\":{");
	for (int i = 0; i < MAPPING_KINDS_MAX; i++)
		len += (size_t)snprintf(members + len, sizeof members - len, "%s\"w%d\":\"other\"", i ? "," : "", i);
	snprintf(members + len, sizeof members - len, "}}}");
	cr_expect_eq(takes(members)->mappings[0].kind.count, MAPPING_KINDS_MAX);
	snprintf(members + len, sizeof members - len, ",\"more\":\"other\"}}}");
	refuses(members, "/mapping/kind/words: more than 32 words");
}

Test(events_config, refuses_times_that_cannot_be)
{
	refuses(WITH("\"occurred_at\":{\"at\":\"/t\"}"), "/mapping/occurred_at/unit: is missing");
	refuses(WITH("\"occurred_at\":{\"at\":\"/t\",\"unit\":\"us\"}"),
		"/mapping/occurred_at/unit: \"us\": one of these is wanted: s ms rfc3339");
	refuses(WITH("\"occurred_at\":{\"unit\":\"s\"}"), "/mapping/occurred_at/at: is missing");
	refuses(WITH("\"occurred_at\":{\"at\":\"/t\",\"unit\":\"s\",\"optional\":true}"),
		"/mapping/occurred_at: there is no member \"optional\" here");
}

/* ---- what may be left out ---- */

#define MONEYED(amount, currency)                                                                   \
	NONE "\"mapping\":{" ID "," ACCOUNTS ",\"amount\":{\"at\":\"/n\",\"unit\":\"minor\"" amount \
	     "},\"currency\":{" currency "}}"

Test(events_config, an_amount_and_its_currency_are_optional_together)
{
	const char *why = "/mapping/currency: an amount and its currency are optional together, or neither is";
	takes(MONEYED(",\"optional\":true", "\"at\":\"/c\",\"optional\":true"));
	takes(MONEYED(",\"optional\":false", "\"at\":\"/c\",\"optional\":false"));
	takes(MONEYED(",\"optional\":true", "\"value\":\"EUR\""));
	refuses(MONEYED(",\"optional\":true", "\"at\":\"/c\""), why);
	refuses(MONEYED("", "\"at\":\"/c\",\"optional\":true"), why);
	refuses(MONEYED(",\"optional\":true", "\"value\":\"EUR\",\"optional\":true"),
		"/mapping/currency/optional: has no meaning beside value");
	refuses(MONEYED(",\"optional\":1", "\"at\":\"/c\""),
		"/mapping/amount/optional: true or false is wanted, and this is a number");
	refuses(MONEYED(",\"negative\":\"kept\"", "\"at\":\"/c\""),
		"/mapping/amount/negative: \"kept\": one of these is wanted: absolute keep");
	takes(MONEYED(",\"negative\":\"keep\"", "\"at\":\"/c\""));
	takes(MONEYED(",\"negative\":\"absolute\"", "\"at\":\"/c\""));
	refuses(MONEYED(",\"negative\":true", "\"at\":\"/c\""),
		"/mapping/amount/negative: a string is wanted, and this is a boolean");
	refuses(MONEYED(",\"total\":\"true\"", "\"at\":\"/c\""),
		"/mapping/amount/total: true or false is wanted, and this is a string");
	refuses(MONEYED("", "\"at\":\"/c\",\"after\":\"/\""), "/mapping/currency: a currency has no after");
}

Test(events_config, an_account_has_one_way_to_be_left_out)
{
	takes(NONE "\"mapping\":{" ID ",\"source_account\":{\"at\":\"/a\",\"optional\":true,\"after\":\"/\"},"
		   "\"destination_account\":{\"value\":\"b\"}," MONEY "}");
	refuses(NONE "\"mapping\":{" ID ",\"source_account\":{\"at\":\"/a\",\"optional\":true,\"otherwise\":\"guest\"},"
		     "\"destination_account\":{\"value\":\"b\"}," MONEY "}",
		"/mapping/source_account/optional: has no meaning beside otherwise");
	refuses(NONE "\"mapping\":{" ID ",\"source_account\":{\"value\":\"a\",\"optional\":true},"
		     "\"destination_account\":{\"value\":\"b\",\"after\":\"/\"}," MONEY "}",
		"/mapping/source_account/optional: has no meaning beside value\n"
		"f:1: /sources/0/mapping/destination_account/after: has no meaning beside value");
}

Test(events_config, a_condition_has_words_or_wants_nothing_there)
{
	takes(NONE "\"filter\":[{\"at\":\"/o\",\"absent\":true}]");
	refuses(NONE "\"filter\":[{\"at\":\"/o\",\"absent\":false}]", "/filter/0/absent: true is wanted");
	refuses(NONE "\"filter\":[{\"at\":\"/o\",\"absent\":true,\"is\":[\"a\"]}]",
		"/filter/0/is: has no meaning beside absent");
	refuses(NONE "\"filter\":[{\"at\":\"/o\"}]", "/filter/0/is: is missing");
	refuses(NONE "\"filter\":[{\"absent\":true}]", "/filter/0/at: is missing");
}

/* ---- events ---- */

Test(events_config, refuses_events_that_cannot_be)
{
	takes(NONE "\"items\":\"/list\",\"events\":[{" FILTER "," PLAIN "},{" PLAIN "}]");
	cr_expect_str_eq(s.list[0].items, "/list");
	refuses(NONE "\"events\":[]", "/events: is empty");
	refuses(NONE "\"events\":{" FILTER "," PLAIN "}", "/events: an array is wanted, and this is an object");
	refuses(NONE "\"events\":[{" FILTER "}]", "/events/0/mapping: is missing");
	refuses(NONE "\"events\":[{" PLAIN "},{" FILTER "," PLAIN "}]",
		"/events/0/filter: is missing: none of the events after this one would count");
	refuses(NONE "\"events\":[{" FILTER "," PLAIN ",\"items\":\"/list\"}]",
		"/events/0: there is no member \"items\" here");
	refuses(NONE FILTER ",\"events\":[{" FILTER "," PLAIN "}]",
		"/filter: has no place beside events: each of them has its own");
	refuses(NONE PLAIN ",\"events\":[{" FILTER "," PLAIN "}]",
		"/mapping: has no place beside events: each of them has its own");
	refuses(NONE "\"events\":[{" FILTER ",\"mapping\":{}}]", NULL);
	refuses(NONE "\"items\":\"/list\"", "/items: has no meaning without a mapping");
	refuses(NONE FILTER ",\"items\":\"/list\"", "/items: has no meaning without a mapping");
	refuses(NONE "\"event\":[]", ": there is no member \"event\" here");
}

Test(events_config, bounds_the_events_of_a_source)
{
	char members[9000];
	size_t len = (size_t)snprintf(members, sizeof members, NONE "\"events\":[");
	for (int i = 0; i < SOURCE_EVENTS_MAX; i++)
		len += (size_t)snprintf(members + len, sizeof members - len, "%s{" FILTER "," PLAIN "}", i ? "," : "");
	snprintf(members + len, sizeof members - len, "]");
	cr_expect_eq(takes(members)->mapping_count, SOURCE_EVENTS_MAX);
	snprintf(members + len, sizeof members - len, ",{" FILTER "," PLAIN "}]");
	refuses(members, "/events: more than 16 elements");
}

/* ---- order, and what is kept ---- */

Test(events_config, an_order_needs_the_payment_of_each_event)
{
	const struct source *x = takes(NONE PAID ",\"order\":\"payment\"");
	cr_expect(x->in_order && !x->continues);
	x = takes(NONE PAID ",\"order\":\"payment\",\"on_failure\":\"hold\"");
	cr_expect(x->in_order && !x->continues);
	x = takes(
		NONE "\"events\":[{" FILTER "," PAID "},{" PAID "}],\"order\":\"payment\",\"on_failure\":\"continue\"");
	cr_expect(x->in_order && x->continues);
	const char *why = "/order: wants a payment_id in every mapping of the source";
	refuses(NONE "\"events\":[{" FILTER "," PAID "},{" PLAIN "}],\"order\":\"payment\"", why);
	refuses(NONE PLAIN ",\"order\":\"payment\"", why);
	refuses(NONE FILTER ",\"order\":\"payment\"", why);
	refuses(NONE "\"order\":\"payment\"", why);
	refuses(NONE PAID ",\"order\":\"arrival\"", "/order: \"arrival\": one of these is wanted: payment");
	refuses(NONE PAID ",\"order\":\"payment\",\"on_failure\":\"stop\"",
		"/on_failure: \"stop\": one of these is wanted: hold continue");
	refuses(NONE PAID ",\"on_failure\":\"hold\"", "/on_failure: has no meaning without order");
}

Test(events_config, keeps_only_what_something_ignores)
{
	cr_expect(takes(NONE FILTER ",\"keep_ignored\":true")->keep_ignored);
	cr_expect(takes(NONE "\"events\":[{" FILTER "," PLAIN "}],\"keep_ignored\":true")->keep_ignored);
	cr_expect_not(takes(NONE PLAIN ",\"keep_ignored\":false")->keep_ignored);
	refuses(NONE PLAIN ",\"keep_ignored\":true",
		"/keep_ignored: has no meaning without a filter or events: nothing is ignored");
	refuses(NONE FILTER ",\"keep_ignored\":\"yes\"",
		"/keep_ignored: true or false is wanted, and this is a string");
}

/* ---- sources of events ---- */

Test(events_config, each_new_word_makes_a_source_of_events)
{
	static const char *const old[] = {NONE PLAIN, NONE "\"events\":[{" FILTER "," PLAIN "}]", NONE FILTER,
		NONE FILTER "," PLAIN, "\"scheme\":\"none\"",
		NONE PLAIN "," FILTER ",\"items\":\"/list\",\"keep_ignored\":false",
		MONEYED(",\"total\":false,\"optional\":false", "\"at\":\"/c\"")};
	static const char *const new[] = {NONE "\"events\":[{" FILTER "," PLAIN "},{" PLAIN "}]",
		JOINED("{\"at\":[\"/a\",\"/b\"],\"join\":\":\"}"), JOINED("{\"at\":\"/a\",\"after\":\"/\"}"),
		WITH("\"payment_id\":{\"at\":\"/p\"}"), WITH("\"part\":{\"at\":\"/p\"}"),
		WITH("\"kind\":{\"value\":\"captured\"}"),
		WITH("\"kind\":{\"at\":\"/t\",\"words\":{\"a\":\"captured\"}}"),
		WITH("\"occurred_at\":{\"at\":\"/t\",\"unit\":\"s\"}"), MONEYED(",\"total\":true", "\"at\":\"/c\""),
		MONEYED(",\"optional\":true", "\"value\":\"EUR\""), NONE "\"filter\":[{\"at\":\"/o\",\"absent\":true}]",
		NONE FILTER ",\"keep_ignored\":true", NONE PAID ",\"order\":\"payment\""};
	for (size_t i = 0; i < COUNT_OF(old); i++)
		cr_expect_not(source_has_events(takes(old[i])), "%s", old[i]);
	for (size_t i = 0; i < COUNT_OF(new); i++)
		cr_expect(source_has_events(takes(new[i])), "%s", new[i]);
	sources_finish(&s);
	sources_init(&s);
	cr_expect_not(source_has_events(&s.list[0]));
}

/* ---- Adyen ---- */

#define ITEM "/NotificationRequestItem"
#define ADYEN(id, more)                                                                                                  \
	"\"scheme\":\"adyen\",\"secrets\":[{\"file\":\"f\"}],\"items\":\"/notificationItems\",\"events\":[{\"filter\":[" \
	"{\"at\":\"" ITEM "/originalReference\",\"absent\":true}],\"mapping\":{\"transaction_id\":" id "," ACCOUNTS      \
	",\"amount\":{\"at\":\"" ITEM "/amount/value\",\"unit\":\"minor\"},\"currency\":{\"at\":\"" ITEM                 \
	"/amount/currency\"}" more "}}]"
#define SIGNED_ID "{\"at\":[\"" ITEM "/eventCode\",\"" ITEM "/pspReference\",\"" ITEM "/success\"],\"join\":\":\"}"

/* Adyen does not sign the time of an event, which decides about the order only. */
Test(events_config, takes_of_adyen_s_payload_only_what_is_signed)
{
	takes(ADYEN(SIGNED_ID,
		",\"payment_id\":{\"at\":\"" ITEM "/pspReference\"},\"part\":{\"at\":\"" ITEM "/pspReference\"},"
		"\"kind\":{\"at\":\"" ITEM "/eventCode\",\"words\":{\"CAPTURE\":\"captured\"}},"
		"\"occurred_at\":{\"at\":\"" ITEM "/eventDate\",\"unit\":\"rfc3339\"}"));
	refuses(ADYEN("{\"at\":[\"" ITEM "/eventCode\",\"" ITEM "/eventDate\"],\"join\":\":\"}", ""),
		"/events: " ITEM "/eventDate is not signed by Adyen");
	refuses(ADYEN(SIGNED_ID, ",\"payment_id\":{\"at\":\"" ITEM "/paymentMethod\"}"),
		"/events: " ITEM "/paymentMethod is not signed by Adyen");
	refuses(ADYEN(SIGNED_ID, ",\"part\":{\"at\":\"" ITEM "/reason\"}"),
		"/events: " ITEM "/reason is not signed by Adyen");
	refuses(ADYEN(SIGNED_ID, ",\"kind\":{\"at\":\"" ITEM "/reason\",\"words\":{\"a\":\"captured\"}}"),
		"/events: " ITEM "/reason is not signed by Adyen");
}
