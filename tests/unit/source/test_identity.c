/* test_identity.c - the warning of a source in which one event of a payment would hide another. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/identity.h"
#include "source/sources_file.h"
#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources sources;

static void report(void *ctx, const char *complaint)
{
	(void)ctx;
	cr_assert_fail("%s", complaint);
}

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx, (void)place, (void)name, (void)f;
	buf_add_text(ret, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056");
	return true;
}

/* The warning of one kind, of a source with these members besides its name, x; "" if there is none. */
static const char *warning_of(bool (*of)(const struct source *s, struct buf *ret), const char *members)
{
	static char text[20000], ret[IDENTITY_TEXT_MAX + 1];
	struct sources_outside outside = {.file = "f", .extras = &extras, .secret = give_secret, .report = report};
	struct buf b = BUF_INIT(IDENTITY_TEXT_MAX);
	int len = snprintf(text, sizeof text, "{\"sources\":[{\"name\":\"x\",%s}]}", members);
	cr_assert_lt(len, (int)sizeof text);
	sources_finish(&sources);
	cr_assert(sources_read(text, (size_t)len, &outside, &sources));
	bool warns = of(&sources.list[0], &b);
	cr_assert(buf_ok(&b) || !warns);
	cr_assert_eq(warns, b.len > 0);
	snprintf(ret, sizeof ret, "%.*s", (int)b.len, b.len ? b.data : "");
	buf_finish(&b);
	return ret;
}

static const char *warning(const char *members)
{
	return warning_of(identity_hides, members);
}

#define NONE "\"scheme\":\"none\","
#define STRIPE "\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\"}],"
#define REST                                                                                                        \
	"\"source_account\":{\"value\":\"a\"},\"destination_account\":{\"value\":\"b\"},\"amount\":{\"at\":\"/n\"," \
	"\"unit\":\"minor\"},\"currency\":{\"at\":\"/c\"}"
#define FILTER(words) "\"filter\":[{\"at\":\"/type\",\"is\":[" words "]}]"
#define MAPPING(id, more) "\"mapping\":{\"transaction_id\":" id "," REST more "}"
#define PAYMENT "{\"at\":\"/payment/id\"}"
#define JOINED "{\"at\":[\"/payment/id\",\"/type\"],\"join\":\":\"}"
#define BOTH FILTER("\"payment.captured\",\"payment.refunded\"")
#define WARNED                                                                                                            \
	"source x: several events pass, by /type: payment.captured payment.refunded; if the transaction_id, /payment/id," \
	" is that of the payment, one event hides another; use the provider's id of the event, or join /type:"            \
	" \"transaction_id\": {\"at\": [\"/payment/id\", \"/type\"], \"join\": \":\"}"

Test(identity, warns_of_a_filter_that_lets_several_events_of_a_payment_pass)
{
	cr_expect_str_eq(warning(NONE BOTH "," MAPPING(PAYMENT, "")), WARNED);
	cr_expect_str_eq(warning(NONE FILTER("\"payment.captured\"") "," MAPPING(PAYMENT, "")), "");
	cr_expect_str_eq(warning(NONE FILTER("\"a\",\"a\"") "," MAPPING(PAYMENT, "")), "", "one word twice");
	cr_expect_str_eq(warning(NONE BOTH "," MAPPING(JOINED, "")), "");
	cr_expect_str_eq(warning(NONE MAPPING(PAYMENT, "")), "");
	/* It may be the id of a capture or of a refund as well. */
	cr_expect_str_neq(warning(NONE BOTH "," MAPPING(PAYMENT, ",\"payment_id\":{\"at\":\"/other\"}")), "");
}

Test(identity, knows_the_ids_that_providers_give_to_events)
{
	cr_expect_str_eq(warning(STRIPE BOTH "," MAPPING("{\"at\":\"/id\"}", "")), "");
	cr_expect_str_eq(warning(STRIPE BOTH "," MAPPING(PAYMENT, "")), WARNED);
	cr_expect_str_neq(warning(NONE BOTH "," MAPPING("{\"at\":\"/id\"}", "")), "");
}

#define ENTRY(filter, id) "{" filter "," MAPPING(id, "") "}"

Test(identity, warns_of_several_entries_with_one_identity)
{
	cr_expect_str_eq(warning(NONE "\"events\":[" ENTRY(FILTER("\"payment.captured\""), PAYMENT) "," ENTRY(
				 FILTER("\"payment.refunded\""), PAYMENT) "]"),
		WARNED);
	cr_expect_str_eq(warning(NONE "\"events\":[" ENTRY(FILTER("\"payment.captured\""), PAYMENT) "," ENTRY(
				 FILTER("\"payment.refunded\""), "{\"at\":\"/refund/id\"}") "]"),
		"");
	cr_expect_str_eq(
		warning(NONE "\"events\":[" ENTRY(FILTER("\"payment.captured\""), PAYMENT) "," ENTRY(
			FILTER("\"payment.refunded\""), "{\"at\":\"/payment/id\",\"prefix\":\"refund:\"}") "]"),
		"");
	cr_expect_str_eq(warning(NONE "\"events\":[" ENTRY(FILTER("\"payment.captured\""), JOINED) "," ENTRY(
				 FILTER("\"payment.refunded\""), JOINED) "]"),
		"");
	/* What is left has no word. */
	cr_expect_str_eq(warning(NONE "\"events\":[{\"filter\":[{\"at\":\"/o\",\"absent\":true}]," MAPPING(
				 PAYMENT, "") "},{" MAPPING(PAYMENT, "") "}]"),
		"source x: 2 entries of events have one transaction_id; if the transaction_id, /payment/id, is that of the payment,"
		" one event hides another; use the provider's id of the event, or join what distinguishes them:"
		" \"transaction_id\": {\"at\": [\"/payment/id\", \"/...\"], \"join\": \":\"}");
	/* The second of two groups. */
	cr_expect_str_eq(warning(NONE "\"events\":[" ENTRY(FILTER("\"payout\""), "{\"at\":\"/payout/id\"}") "," ENTRY(
				 BOTH, PAYMENT) "]"),
		WARNED);
}

Test(identity, warns_of_kinds_as_of_filters)
{
	const char *kind =
		NONE MAPPING(PAYMENT, ",\"kind\":{\"at\":\"/type\",\"words\":{\"payment.captured\":\"captured\","
				      "\"payment.refunded\":\"refunded\"}}");
	cr_expect_str_eq(warning(kind), WARNED);
	cr_expect_str_eq(
		warning(NONE FILTER("\"payment.captured\"") "," MAPPING(PAYMENT,
			",\"kind\":{\"at\":\"/type\",\"words\":{\"payment.captured\":\"captured\",\"b\":\"refunded\"}}")),
		"", "the filter lets one word pass");
	/* One word is listed, and all others pass too. */
	const char *others = warning(NONE MAPPING(PAYMENT,
		",\"kind\":{\"at\":\"/type\",\"words\":{\"payment.captured\":\"captured\"},\"otherwise\":\"refunded\"}"));
	cr_expect_not_null(strstr(others, "by /type: payment.captured (any other); if"), "%s", others);
	cr_expect_str_eq(
		warning(NONE FILTER("\"payment.captured\"") "," MAPPING(PAYMENT,
			",\"kind\":{\"at\":\"/type\",\"words\":{\"b\":\"captured\"},\"otherwise\":\"refunded\"}")),
		"", "the filter lets one word pass");
	cr_expect_str_eq(warning(NONE MAPPING(JOINED,
				 ",\"kind\":{\"at\":\"/type\",\"words\":{\"payment.captured\":\"captured\"},"
				 "\"otherwise\":\"refunded\"}")),
		"");
}

/* A refund has the payment's id in another place. */
Test(identity, warns_of_the_payment_s_id_at_two_pointers)
{
#define OF(filter, id, payment) "{" filter "," MAPPING(id, ",\"payment_id\":" payment) "}"
#define REFUND "{\"at\":\"/refund/payment_id\"}"
	cr_expect_str_eq(warning(NONE "\"events\":[" OF(FILTER("\"payment.captured\""), PAYMENT, PAYMENT) "," OF(
				 FILTER("\"payment.refunded\""), REFUND, REFUND) "]"),
		WARNED);
	cr_expect_str_eq(warning(NONE "\"events\":[" OF(FILTER("\"payment.captured\""), PAYMENT, PAYMENT) "," OF(
				 FILTER("\"payment.refunded\""), "{\"at\":\"/refund/id\"}", REFUND) "]"),
		"");
	cr_expect_str_eq(warning(NONE "\"events\":[" OF(FILTER("\"payment.captured\""), PAYMENT, PAYMENT) "," OF(
				 FILTER("\"payment.refunded\""),
				 "{\"at\":\"/refund/payment_id\",\"prefix\":\"refund:\"}", REFUND) "]"),
		"");
	cr_expect_str_neq(warning(NONE "\"events\":[{\"filter\":[{\"at\":\"/o\",\"absent\":true}]," MAPPING(PAYMENT,
				  ",\"payment_id\":" PAYMENT) "},{" MAPPING(REFUND, ",\"payment_id\":" REFUND) "}]"),
		"");
}

Test(identity, warns_of_a_filter_of_the_canonical_body)
{
	cr_expect_str_eq(warning(NONE BOTH),
		"source x: several events pass, by /type: payment.captured payment.refunded; if the transaction_id, /transaction_id,"
		" is that of the payment, one event hides another; the sender has to give each event a transaction_id of its own");
	cr_expect_str_eq(warning("\"scheme\":\"none\""), "");
}

Test(identity, joins_no_more_parts_than_there_may_be)
{
	const char *text = warning(NONE BOTH "," MAPPING("{\"at\":[\"/a\",\"/b\",\"/c\"],\"join\":\"-\"}", ""));
	cr_expect_not_null(strstr(text, "{\"at\": [\"/a\", \"/b\", \"/c\", \"/type\"], \"join\": \"-\"}"), "%s", text);
	text = warning(NONE BOTH "," MAPPING("{\"at\":[\"/a\",\"/b\",\"/c\",\"/d\"],\"join\":\"-\"}", ""));
	cr_expect_not_null(strstr(text, "/a and /b and /c and /d"), "%s", text);
	cr_expect_null(strstr(text, "join"), "%s", text);
}

Test(identity, lists_some_of_many_words)
{
	const char *text = warning(NONE FILTER("\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"") "," MAPPING(PAYMENT, ""));
	cr_expect_not_null(strstr(text, "by /type: 1 2 3 4 5 6 ...; if"), "%s", text);
	cr_expect_not_null(
		strstr(warning(NONE FILTER("\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"") "," MAPPING(PAYMENT, "")), " 6; if"));
}

/* Adyen's chargeback and its reversal share a pspReference. */
Test(identity, warns_of_adyen_s_chargebacks)
{
#define ITEM "/NotificationRequestItem"
#define ADYEN(id)                                                                                              \
	"\"scheme\":\"adyen\",\"secrets\":[{\"file\":\"f\"}],\"items\":\"/notificationItems\","                \
	"\"filter\":[{\"at\":\"" ITEM "/eventCode\",\"is\":[\"CHARGEBACK\",\"CHARGEBACK_REVERSED\"]}],"        \
	"\"mapping\":{\"transaction_id\":" id ",\"source_account\":{\"value\":\"a\"},\"destination_account\":" \
	"{\"value\":\"b\"},\"amount\":{\"at\":\"" ITEM "/amount/value\",\"unit\":\"minor\"},\"currency\":"     \
	"{\"at\":\"" ITEM "/amount/currency\"},\"payment_id\":{\"at\":\"" ITEM "/originalReference\"}}"
	cr_expect_str_neq(warning(ADYEN("{\"at\":\"" ITEM "/pspReference\"}")), "");
	cr_expect_str_eq(
		warning(ADYEN("{\"at\":[\"" ITEM "/eventCode\",\"" ITEM "/pspReference\"],\"join\":\":\"}")), "");
}

#define GITHUB "\"scheme\":\"github\",\"secrets\":[{\"file\":\"f\"}],"
#define TOPIC(more) "\"filter\":[{\"header\":\"X-Topic\",\"is\":[\"orders/paid\"]}" more "]"
#define OF_BODY ",{\"at\":\"/status\",\"is\":[\"paid\"]}"

/* A captured orders/create could be sent again as orders/paid. */
Test(identity, warns_of_a_filter_that_an_unsigned_header_passes_alone)
{
	bool (*of)(const struct source *s, struct buf *ret) = identity_is_chosen_unsigned;
	cr_expect_str_eq(warning_of(of, GITHUB TOPIC("") "," MAPPING(PAYMENT, "")),
		"source x: the filter has {\"header\": \"x-topic\"}, which is not signed, and no member of the body: anyone with a"
		" captured webhook that it leaves out can send it again as one that passes; add a member of the body to it");
	cr_expect_str_neq(warning_of(of, GITHUB TOPIC("")), "", "payhook's own form");
	cr_expect_str_neq(warning_of(of, GITHUB "\"filter\":[{\"query\":\"type\",\"is\":[\"paid\"]}]"), "");
	cr_expect_str_neq(warning_of(of, GITHUB TOPIC(",{\"at\":\"/test\",\"absent\":true}")), "");
	cr_expect_str_neq(
		warning_of(of, GITHUB "\"events\":[" ENTRY(FILTER("\"a\""), PAYMENT) "," ENTRY(TOPIC(""), JOINED) "]"),
		"", "the second entry");
	cr_expect_str_eq(warning_of(of, GITHUB TOPIC(OF_BODY) "," MAPPING(PAYMENT, "")), "");
	cr_expect_str_eq(warning_of(of, GITHUB TOPIC("") "," MAPPING(PAYMENT,
						",\"kind\":{\"at\":\"/type\",\"words\":{\"a\":\"captured\"}}")),
		"", "the body decides the kind");
	cr_expect_str_eq(warning_of(of, GITHUB FILTER("\"a\"")), "");
	cr_expect_str_eq(warning_of(of, NONE TOPIC("")), "", "nothing is signed");
	cr_expect_str_eq(
		warning_of(of, "\"scheme\":\"standard-webhooks\",\"key\":\"hex\",\"secrets\":[{\"file\":\"f\"}],"
			       "\"filter\":[{\"header\":\"webhook-id\",\"is\":[\"a\"]}]"),
		"", "it is signed");
}

static void fail_with(const char *complaint)
{
	cr_assert_fail("%s", complaint);
}

Test(identity, has_nothing_against_the_examples)
{
	static const char *const names[] = {
		"adyen", "github", "hmac", "paypal", "razorpay", "shopify", "square", "standard-webhooks", "stripe"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[400];
		struct buf b = BUF_INIT(IDENTITY_TEXT_MAX);
		snprintf(path, sizeof path, DOCS "/sources/%s/sources.json", names[i]);
		cr_assert(sources_load(path, &extras, fail_with, &sources));
		for (int j = 0; j < sources.count; j++)
			cr_expect_not(identity_hides(&sources.list[j], &b) ||
					      identity_is_chosen_unsigned(&sources.list[j], &b),
				"%s", b.data ? b.data : "");
		buf_finish(&b);
		sources_finish(&sources);
	}
}
