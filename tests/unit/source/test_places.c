/* test_places.c - filters and mappings that read headers, the id of the request or the digest of the body: what a
 * configuration may say, and what is read. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/identity.h"
#include "source/payload.h"
#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources s;
static char complaints[4000];
static const char *headers[8]; /* name, value, and so on, ended by NULL */
static struct payload payload;
static struct fault f;
static struct txn txn;
static struct txn_problems problems;

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *fault)
{
	(void)ctx, (void)place, (void)name, (void)fault;
	buf_add_text(ret, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056");
	return true;
}

static void complain(void *ctx, const char *complaint)
{
	(void)ctx;
	size_t len = strlen(complaints);
	snprintf(complaints + len, sizeof complaints - len, "%s%s", len ? "\n" : "", complaint);
}

/* The members of a source besides its name. */
static bool reads(const char *members)
{
	static char text[8000];
	struct sources_outside outside = {.file = "f", .extras = &extras, .secret = give_secret, .report = complain};
	complaints[0] = '\0';
	sources_finish(&s);
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",%s}]}", members);
	cr_assert_lt(len, (int)sizeof text);
	return sources_read(text, (size_t)len, &outside, &s);
}

static const struct source *takes(const char *members)
{
	cr_assert(reads(members), "%s", complaints);
	return &s.list[0];
}

static void refuses(const char *members, const char *why)
{
	char wanted[700];
	cr_assert_not(reads(members), "%s was taken", members);
	snprintf(wanted, sizeof wanted, "f:1: /sources/0%s", why);
	cr_expect_str_eq(complaints, wanted);
}

static const char *header(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; headers[i]; i += 2) {
		if (strcmp(headers[i], name) == 0)
			return headers[i + 1];
	}
	return NULL;
}

/* The number of transactions in a body; -1 if it cannot be opened. */
static int opens(const char *body, const char *id)
{
	struct places_request request = {.id = id, .header = header};
	return payload_open(&s.list[0], &request, body, strlen(body), false, &payload, &f) ? payload.count : -1;
}

static const char *id_of(const char *body, const char *request_id)
{
	cr_assert_eq(opens(body, request_id), 1, "%s", f.text);
	cr_assert(payload_next(&payload, &extras, &txn, &problems, &f), "%s", f.text);
	return txn.transaction_id;
}

static void is_problem(const char *body, const char *pointer, const char *code, const char *detail)
{
	cr_assert_eq(opens(body, "r"), 1, "%s", f.text);
	cr_assert_not(payload_next(&payload, &extras, &txn, &problems, &f));
	cr_assert_eq(problems.count, 1);
	cr_expect_str_eq(problems.list[0].pointer, pointer);
	cr_expect_str_eq(problems.list[0].code, code);
	cr_expect_str_eq(problems.list[0].detail, detail);
}

#define SIGNED(scheme) "\"scheme\":\"" scheme "\",\"secrets\":[{\"file\":\"f\"}],"
#define STANDARD SIGNED("standard-webhooks") "\"key\":\"hex\","
#define TIMED          \
	SIGNED("hmac") \
	"\"header\":\"X-Sig\",\"algorithm\":\"sha256\",\"encoding\":\"hex\",\"timestamp_header\":\"X-Time\","
#define REST                                                                              \
	"\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"}," \
	"\"amount\":{\"at\":\"/n\",\"unit\":\"major\"},\"currency\":{\"value\":\"EUR\"}"
#define MAPPING(id, more) "\"mapping\":{\"transaction_id\":" id "," REST more "}"
#define BY_TOPIC "\"filter\":[{\"header\":\"X-Topic\",\"is\":[\"orders/paid\",\"7\"]}],"

/* ---- what a configuration may say ---- */

Test(places, of_a_filter_may_be_any_header)
{
	const struct source *x = takes(SIGNED("github") BY_TOPIC MAPPING("{\"at\":\"/id\"}", ""));
	cr_expect_str_eq(x->mappings[0].conditions[0].at, "@/header/x-topic");
	cr_expect_eq(x->wanted.header_count, 1);
	takes("\"scheme\":\"none\"," BY_TOPIC MAPPING("{\"at\":\"/id\"}", ""));
	takes("\"scheme\":\"none\",\"filter\":[{\"header\":\"X-Topic\",\"absent\":true}]");
	refuses("\"scheme\":\"none\",\"filter\":[{\"header\":\"X-Topic\",\"at\":\"/a\",\"is\":[\"x\"]}]",
		"/filter/0/header: has no meaning beside at");
	refuses("\"scheme\":\"none\",\"filter\":[{\"header\":\"X Topic\",\"is\":[\"x\"]}]",
		"/filter/0/header: \"x topic\": a header's name has letters, digits and hyphens");
	refuses("\"scheme\":\"none\",\"filter\":[{\"is\":[\"x\"]}]", "/filter/0/at: is missing");
}

#define UNSIGNED(name) \
	"the header " name " is not signed, so anyone could change it: it may stand in a filter, and in no mapping"

Test(places, of_a_mapping_are_headers_that_are_signed)
{
	static const char *const unsigned_ones[] = {
		SIGNED("github"), SIGNED("razorpay"), SIGNED("stripe"), TIMED, STANDARD, "\"scheme\":\"none\","};
	char members[1000];
	for (size_t i = 0; i < COUNT_OF(unsigned_ones); i++) {
		snprintf(members, sizeof members, "%s%s", unsigned_ones[i],
			MAPPING("{\"header\":\"X-GitHub-Delivery\"}", ""));
		refuses(members, "/mapping: " UNSIGNED("x-github-delivery"));
		snprintf(members, sizeof members, "%s%s", unsigned_ones[i],
			MAPPING("{\"at\":\"/id\"}",
				",\"kind\":{\"header\":\"X-Topic\",\"words\":{\"a\":\"captured\"}}"));
		refuses(members, "/mapping: " UNSIGNED("x-topic"));
		snprintf(members, sizeof members, "%s%s", unsigned_ones[i],
			MAPPING("{\"at\":[\"/id\",{\"header\":\"X-Topic\"}],\"join\":\":\"}", ""));
		refuses(members, "/mapping: " UNSIGNED("x-topic"));
		snprintf(members, sizeof members, "%s\"events\":[{%s}]", unsigned_ones[i],
			MAPPING("{\"at\":\"/id\"}", ",\"payment_id\":{\"header\":\"X-Topic\"}"));
		refuses(members, "/events: " UNSIGNED("x-topic"));
	}
	takes(STANDARD MAPPING("{\"header\":\"Webhook-Id\"}", ""));
	takes(TIMED MAPPING("{\"at\":[\"/id\",{\"header\":\"x-time\"}],\"join\":\":\"}", ""));
	cr_expect_str_eq(s.list[0].mappings[0].parts.at[1], "@/header/x-time");
}

Test(places, of_an_identity_are_given_once)
{
	refuses(SIGNED("stripe") MAPPING("{\"request\":\"time\"}", ""),
		"/mapping/transaction_id/request: \"time\": one of these is wanted: id");
	refuses(SIGNED("stripe") MAPPING("{\"body\":\"md5\"}", ""),
		"/mapping/transaction_id/body: \"md5\": one of these is wanted: sha256");
	refuses(SIGNED("stripe") MAPPING("{\"at\":\"/id\",\"request\":\"id\"}", ""),
		"/mapping/transaction_id/request: has no meaning beside at");
	refuses(SIGNED("stripe") MAPPING("{\"body\":\"sha256\",\"request\":\"id\"}", ""),
		"/mapping/transaction_id/request: has no meaning beside body");
	refuses(SIGNED("stripe") MAPPING("{\"at\":[\"/a\",\"/b\"],\"join\":\":\",\"request\":\"id\"}", ""),
		"/mapping/transaction_id/request: has no meaning beside several places");
	refuses(SIGNED("stripe") MAPPING("{\"at\":[\"/a\",{\"request\":\"id\"}],\"join\":\":\"}", ""),
		"/mapping/transaction_id/at/1: there is no member \"request\" here\n"
		"f:1: /sources/0/mapping/transaction_id/at/1/at: is missing");
	refuses(SIGNED("stripe") MAPPING("{\"request\":\"id\",\"after\":\"-\"}", ""),
		"/mapping/transaction_id/after: has no meaning beside body and request");
	refuses(SIGNED("stripe") MAPPING("{\"at\":\"/id\"}", ",\"payment_id\":{\"request\":\"id\"}"),
		"/mapping/payment_id: there is no member \"request\" here\n"
		"f:1: /sources/0/mapping/payment_id: either at or value is wanted");
}

/* All items of a body come in one request. */
Test(places, of_an_identity_distinguish_the_items_of_a_body)
{
	static const char ONE[] = "the transaction_id has nothing of an item: all items of a body would be one";
	char why[200];
	snprintf(why, sizeof why, "/mapping: %s", ONE);
	refuses(SIGNED("stripe") "\"items\":\"/list\"," MAPPING("{\"request\":\"id\"}", ""), why);
	refuses(SIGNED("stripe") "\"items\":\"/list\"," MAPPING("{\"body\":\"sha256\"}", ""), why);
	refuses(STANDARD "\"items\":\"/list\"," MAPPING("{\"header\":\"webhook-id\"}", ""), why);
	takes(SIGNED("stripe") "\"items\":\"/list\"," MAPPING(
		"{\"at\":[\"/id\",{\"body\":\"sha256\"}],\"join\":\":\"}", ""));
}

Test(places, have_a_bound)
{
	static const char MANY[] =
		"\"scheme\":\"none\",\"events\":["
		"{\"filter\":[{\"header\":\"a\",\"is\":[\"x\"]},{\"header\":\"b\",\"is\":[\"x\"]},"
		"{\"header\":\"c\",\"is\":[\"x\"]},{\"header\":\"d\",\"is\":[\"x\"]}]," MAPPING("{\"at\":\"/id\"}",
			"") "},"
			    "{\"filter\":[{\"header\":\"e\",\"is\":[\"x\"]},{\"header\":\"f\",\"is\":[\"x\"]},"
			    "{\"header\":\"g\",\"is\":[\"x\"]},{\"header\":\"h\",\"is\":[\"x\"]}]," MAPPING(
				    "{\"at\":\"/id\"}",
				    "") "},"
					"{\"filter\":[{\"header\":\"a\",\"is\":[\"x\"]}%s]," MAPPING(
						"{\"at\":\"/id\"}", "") "}]";
	char members[4000];
	snprintf(members, sizeof members, MANY, "");
	cr_expect_eq(takes(members)->wanted.header_count, PLACES_HEADERS_MAX);
	snprintf(members, sizeof members, MANY, ",{\"header\":\"i\",\"is\":[\"x\"]}");
	refuses(members, "/events: more than 8 headers are read");
}

/* ---- what is read ---- */

Test(places, of_a_filter_compare_a_header_with_words)
{
	takes("\"scheme\":\"none\"," BY_TOPIC MAPPING("{\"at\":\"/id\"}", ""));
	const char *values[] = {"orders/paid", "7", "orders/Paid", "orders/paid ", "", "7.0"};
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		headers[0] = "x-topic", headers[1] = values[i];
		cr_expect_eq(opens("{\"id\":\"1\"}", "r"), i < 2, "%s", values[i]);
	}
	headers[0] = NULL;
	cr_expect_eq(opens("{\"id\":\"1\",\"header\":{\"x-topic\":\"7\"}}", "r"), 0, "the body has no headers");
	takes("\"scheme\":\"none\",\"filter\":[{\"header\":\"x-topic\",\"absent\":true}]," MAPPING(
		"{\"at\":\"/id\"}", ""));
	cr_expect_eq(opens("{\"id\":\"1\"}", "r"), 1);
	headers[0] = "x-topic", headers[1] = "\xff";
	cr_expect_eq(opens("{\"id\":\"1\"}", "r"), 0, "what is no text is not absent");
}

Test(places, read_a_header_byte_for_byte)
{
	char longest[PLACE_VALUE_MAX + 2];
	memset(longest, '"', sizeof longest);
	longest[PLACE_VALUE_MAX] = '\0';
	const char *values[] = {"msg_1", "a\"b\\c{}", "\xc3\xa9", "@/header/x", longest};
	takes(STANDARD MAPPING("{\"header\":\"webhook-id\"}", ""));
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		headers[0] = "webhook-id", headers[1] = values[i];
		cr_expect_str_eq(id_of("{\"n\":1}", "r"), values[i]);
	}
}

/* The mapping need not know which set of names a sender has. */
Test(places, find_a_header_of_standard_webhooks_under_either_name)
{
	headers[2] = "svix-timestamp", headers[3] = "1";
	takes(STANDARD MAPPING("{\"header\":\"webhook-id\"}", ""));
	headers[0] = "svix-id", headers[1] = "msg_1";
	cr_expect_str_eq(id_of("{\"n\":1}", "r"), "msg_1");
	takes(STANDARD MAPPING("{\"header\":\"Svix-Id\"}", ""));
	cr_expect_str_eq(id_of("{\"n\":1}", "r"), "msg_1");
	headers[0] = "webhook-id";
	cr_expect_str_eq(id_of("{\"n\":1}", "r"), "msg_1");
	headers[0] = "x-id";
	is_problem("{\"n\":1}", "/@header/svix-id", "missing", "@header/svix-id is missing");
	takes(STANDARD MAPPING("{\"at\":[\"/id\",{\"header\":\"webhook-timestamp\"}],\"join\":\":\"}", ""));
	cr_expect_str_eq(id_of("{\"id\":\"a\",\"n\":1}", "r"), "a:1");
	takes(SIGNED("github") "\"filter\":[{\"header\":\"webhook-timestamp\",\"is\":[\"1\"]}]," MAPPING(
		"{\"at\":\"/id\"}", ""));
	cr_expect_eq(opens("{\"id\":\"a\",\"n\":1}", "r"), 0, "those of another scheme have one name");
}

Test(places, report_a_header_that_is_no_text)
{
	char longest[PLACE_VALUE_MAX + 2];
	memset(longest, 'a', sizeof longest);
	longest[PLACE_VALUE_MAX + 1] = '\0';
	const char *values[] = {"\xff", "a\x7f", "a\tb", longest};
	takes(STANDARD MAPPING("{\"header\":\"webhook-id\"}", ""));
	is_problem("{\"n\":1}", "/@header/webhook-id", "missing", "@header/webhook-id is missing");
	headers[0] = "webhook-id", headers[1] = "";
	is_problem("{\"n\":1}", "/@header/webhook-id", "empty", "@header/webhook-id is empty");
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		headers[1] = values[i];
		is_problem("{\"n\":1}", "/@header/webhook-id", "wrong_type",
			"@header/webhook-id is an object and should be a string or a whole number");
	}
}

Test(places, make_each_request_or_each_body_an_event)
{
	takes(SIGNED("stripe") MAPPING("{\"request\":\"id\"}", ""));
	cr_expect_str_eq(id_of("{\"n\":1}", "6b1f0000000000000000000000000000"), "6b1f0000000000000000000000000000");
	cr_expect_str_eq(id_of("{\"n\":1}", "6b1f0000000000000000000000000001"), "6b1f0000000000000000000000000001");
	cr_expect_eq(opens("{\"n\":1}", ""), -1);
	cr_expect_eq(f.kind, FAULT_BUG);
	takes(SIGNED("stripe") MAPPING("{\"body\":\"sha256\",\"prefix\":\"x:\"}", ""));
	cr_expect_str_eq(id_of("{\"n\":1}", "r"), "x:2bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd");
}

Test(places, join_what_is_signed)
{
	takes(STANDARD MAPPING("{\"at\":[{\"header\":\"webhook-id\"},\"/id\"],\"join\":\":\"}", ""));
	headers[0] = "webhook-id", headers[1] = "a:b";
	cr_expect_str_eq(id_of("{\"n\":1,\"id\":7}", "r"), "a%3Ab:7");
}

/* ---- warnings ---- */

static bool warns(bool (*of)(const struct source *x, struct buf *ret))
{
	struct buf b = BUF_INIT(IDENTITY_TEXT_MAX);
	bool result = of(&s.list[0], &b);
	snprintf(complaints, sizeof complaints, "%s", b.data ? b.data : "");
	buf_finish(&b);
	return result;
}

Test(places, that_repeat_events_are_warned_of_and_those_that_hide_none_are_not)
{
	static const char *const ids[] = {"{\"request\":\"id\"}", "{\"body\":\"sha256\"}", "{\"at\":\"/id\"}"};
	char members[1000];
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		snprintf(members, sizeof members,
			SIGNED("github") "\"filter\":[{\"header\":\"X-Topic\",\"is\":[\"a\",\"b\"]}],\"mapping\":{"
					 "\"transaction_id\":%s," REST "}",
			ids[i]);
		takes(members);
		cr_expect_eq(warns(identity_hides), i == 2, "%s", ids[i]);
		if (i == 2)
			cr_expect_str_eq(complaints,
				"source x: several events pass, by {\"header\": \"x-topic\"}: a b; if the transaction_id, /id, is that"
				" of the payment, one event hides another; use the provider's id of the event, or join what"
				" distinguishes them: \"transaction_id\": {\"at\": [\"/id\", \"/...\"], \"join\": \":\"}");
		cr_expect_eq(warns(identity_repeats), i == 0, "%s", ids[i]);
	}
	takes(STANDARD BY_TOPIC MAPPING("{\"header\":\"webhook-id\"}", ""));
	cr_expect_not(warns(identity_hides), "%s", complaints);
	takes(STANDARD BY_TOPIC MAPPING("{\"header\":\"svix-id\"}", ""));
	cr_expect_not(warns(identity_hides), "%s", complaints);
}

#define WITHOUT_BODY                                                                                         \
	"\"scheme\":\"hmac\",\"header\":\"X-Sig\",\"algorithm\":\"sha256\",\"encoding\":\"hex\",\"signed\":" \
	"\"{header.x-id};{query.id}\",\"secrets\":[{\"file\":\"f\"}]"
#define NOT_SIGNED                                                                                                   \
	" is not signed, since signed has no {body}: only {\"query\": NAME} and {\"header\": NAME} of signed may be" \
	" read"

/* Anyone with one signed request could write the body anew. */
Test(places, are_none_of_a_body_that_is_not_signed)
{
	refuses(WITHOUT_BODY, "/mapping: signed has no {body}: a mapping of signed values is wanted, and no items");
	cr_expect_not(reads(WITHOUT_BODY "," MAPPING("{\"at\":\"/id\"}", "")));
	cr_expect_not_null(strstr(complaints, "/sources/0/mapping: \"/id\"" NOT_SIGNED), "%s", complaints);
	cr_expect_not(reads(WITHOUT_BODY "," MAPPING("{\"body\":\"sha256\"}", "")));
	cr_expect_not_null(
		strstr(complaints, "/sources/0/mapping: {\"body\": \"sha256\"}" NOT_SIGNED), "%s", complaints);
	cr_expect_not(reads(WITHOUT_BODY ",\"filter\":[{\"at\":\"/a\",\"is\":[\"b\"]}]"));
	cr_expect_not_null(strstr(complaints, "/sources/0/filter: \"/a\"" NOT_SIGNED), "%s", complaints);
	cr_expect_not(reads(WITHOUT_BODY ",\"filter\":[{\"header\":\"X-Other\",\"is\":[\"b\"]}]"));
	cr_expect_not_null(
		strstr(complaints, "the header x-other is not signed, and neither is the body"), "%s", complaints);
	cr_expect_not(reads(WITHOUT_BODY "," MAPPING("{\"header\":\"X-Id\"}", "")));
	cr_expect_null(strstr(complaints, "x-id"), "%s", complaints);
}

#define SIGNED_QUERY                                                                                         \
	"\"scheme\":\"hmac\",\"header\":\"X-Sig\",\"algorithm\":\"sha256\",\"encoding\":\"hex\",\"signed\":" \
	"\"id:{query.data.id|lower};request-id:{header.X-Request-Id};\",\"secrets\":[{\"file\":\"f\"}],"
#define BARE "\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"}"

/* Mercado Pago signs the id of the payment in the URL, and nothing of the body. */
Test(places, read_signed_values_of_the_query)
{
	struct places_request request = {
		.id = "", .header = header, .target = "/v1/webhooks/x?type=payment&data.id=12AB%43"};
	const struct source *x =
		takes(SIGNED_QUERY "\"mapping\":{\"transaction_id\":{\"at\":[{\"query\":\"data.id\"},{\"header\":"
				   "\"X-Request-Id\"}],\"join\":\":\"},\"payment_id\":{\"query\":\"data.id\"},"
				   "\"kind\":{\"value\":\"other\"}," BARE "}");
	headers[0] = "x-request-id", headers[1] = "Req-1", headers[2] = NULL;
	cr_assert(payload_open(x, &request, "{\"id\":7}", 8, false, &payload, &f), "%s", f.text);
	cr_assert_eq(payload.count, 1);
	cr_assert(payload_next(&payload, &extras, &txn, &problems, &f), "%s", f.text);
	cr_expect_str_eq(txn.transaction_id, "12abc:Req-1");
	cr_expect_str_eq(txn.payment_id, "12abc");
	cr_expect_str_empty(txn.currency);
}

Test(places, of_a_mapping_are_parameters_that_are_signed)
{
	cr_expect_not(reads(SIGNED_QUERY "\"mapping\":{\"transaction_id\":{\"query\":\"type\"}," BARE "}"));
	cr_expect_not_null(strstr(complaints, "the parameter type of the query is not signed"), "%s", complaints);
	cr_expect_not(reads(SIGNED("github") MAPPING("{\"query\":\"id\"}", "")));
	cr_expect_not_null(strstr(complaints, "the parameter id of the query is not signed"), "%s", complaints);
	cr_expect_not(reads(SIGNED_QUERY "\"filter\":[{\"query\":\"type\",\"is\":[\"payment\"]}],\"mapping\":"
					 "{\"transaction_id\":{\"query\":\"data.id\"}," BARE "}"));
	cr_expect_not_null(strstr(complaints, "is not signed, and neither is the body"), "%s", complaints);
	cr_expect_not(reads(SIGNED("github") MAPPING("{\"query\":\"a&b\"}", "")));
	cr_expect_not_null(strstr(complaints, "a parameter's name is printable ASCII"), "%s", complaints);
	/* A filter may read what is not signed, where the body is. */
	takes(SIGNED("github") "\"filter\":[{\"query\":\"type\",\"is\":[\"payment\"]}]," MAPPING(
		"{\"at\":\"/id\"}", ""));
}
