/* test_sources_read.c - reading SOURCES_FILE: what is accepted, and the errors that are reported. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "source/sources_read.h"

static const struct currency_extras extras = {0};
static struct sources s;
static char complaints[4000];

static bool give_secret(void *ctx, enum secret_place place, const char *name, struct buf *ret, struct fault *f)
{
	(void)ctx;
	if (strcmp(name, "absent") == 0)
		return fault_set(f, FAULT_INPUT, "it cannot be opened: No such file or directory");
	if (strcmp(name, "huge") == 0) {
		memset(buf_room(ret, SECRET_MAX + 1), 'x', SECRET_MAX + 1);
		buf_grown(ret, SECRET_MAX + 1);
		return true;
	}
	if (strcmp(name, "nul") == 0)
		buf_add(ret, "whsec_c2VjcmV0\0\n", 16);
	else if (strcmp(name, "short") == 0)
		buf_add_text(ret, "8 bytes!\n");
	else if (strcmp(name, "blank") == 0)
		buf_add_text(ret, "a secret with a blank \n");
	else if (strcmp(name, "two") == 0)
		buf_add_text(ret, "the first of two\nthe second of two\n");
	else if (strcmp(name, "user") == 0)
		buf_add_text(ret, "user:a secret password\n");
	else if (strcmp(name, "empty") == 0)
		buf_add_text(ret, " \n");
	else if (strcmp(name, "HEX") == 0)
		buf_add_text(ret, "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056");
	else
		buf_add_format(ret,
			place == SECRET_IN_FILE ? "a secret of the file %s\n" : "whsec_c2VjcmV0LW9mLWEtdmFyaWFibGU=",
			name);
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
	struct sources_outside outside = {
		.file = "sources.json", .extras = &extras, .secret = give_secret, .report = complain};
	complaints[0] = '\0';
	return sources_read(text, strlen(text), &outside, &s);
}

static void takes(const char *text)
{
	cr_assert(reads(text), "%s", complaints);
	cr_expect_str_eq(complaints, "");
}

static void refuses(const char *text, const char *why)
{
	cr_assert_not(reads(text), "%s was taken", text);
	cr_expect_str_eq(complaints, why);
	cr_expect_eq(s.count, 0);
}

#define ONE(members) "{\"sources\":[\n{\"name\":\"x\"," members "}]}"
#define SIGNED(scheme, members) ONE("\"scheme\":\"" scheme "\",\"secrets\":[{\"file\":\"f\"}]" members)

Test(sources_read, reads_a_source_of_each_scheme)
{
	takes("{\"sources\":["
	      "{\"name\":\"s\",\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\"},{\"file\":\"g\",\"not_after\":\"2026-12-31T00:00:00Z\"}],\"tolerance_s\":60},"
	      "{\"name\":\"w\",\"scheme\":\"standard-webhooks\",\"secrets\":[{\"env\":\"W_1\"}]},"
	      "{\"name\":\"q\",\"scheme\":\"square\",\"url\":\"https://us.example/q\",\"secrets\":[{\"file\":\"q\"}]},"
	      "{\"name\":\"h\",\"scheme\":\"hmac\",\"header\":\"X-Sig\",\"prefix\":\"v0=\",\"algorithm\":\"sha512\",\"encoding\":\"base64\","
	      "\"timestamp_header\":\"X-Time\",\"separator\":\":\",\"secrets\":[{\"file\":\"h\"}]},"
	      "{\"name\":\"transactions\",\"scheme\":\"closed\"}]}");
	cr_assert_eq(s.count, 5);
	const struct source *stripe = sources_find(&s, "s");
	cr_expect_eq(stripe->auth, SOURCE_AUTH_SIGNATURE);
	cr_expect_eq(stripe->signer.scheme, SCHEME_STRIPE);
	cr_expect_eq(stripe->signer.tolerance_s, 60);
	cr_expect_eq(stripe->signer.count, 2);
	cr_expect_eq(stripe->signer.secrets[0].not_after_s, INT64_MAX);
	cr_expect_eq(stripe->signer.secrets[1].not_after_s, 1798675200);
	cr_expect(source_is_plain(stripe));
	cr_expect_eq(sources_find(&s, "h")->signer.algorithm, DIGEST_HMAC_SHA512);
	cr_expect_str_eq(sources_find(&s, "h")->signer.timestamp_header, "x-time");
	cr_expect_null(sources_find(&s, "transactions"));
	cr_expect_null(sources_find(&s, "unknown"));
	cr_expect_null(sources_find(&s, ""));
	sources_finish(&s);
}

Test(sources_read, adds_the_built_in_source_where_it_is_not_listed)
{
	takes(SIGNED("stripe", ""));
	cr_expect_eq(s.count, 2);
	cr_expect_eq(sources_find(&s, "transactions")->auth, SOURCE_AUTH_NONE);
	sources_finish(&s);
	takes("{\"sources\":[{\"name\":\"transactions\",\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\"}]}]}");
	cr_expect_eq(s.count, 1);
	cr_expect_eq(sources_find(&s, "transactions")->auth, SOURCE_AUTH_SIGNATURE);
	sources_finish(&s);
}

Test(sources_read, reports_the_line_that_is_no_json)
{
	refuses("{\"sources\":[\n\n{\"name\":\"x\",}]}",
		"sources.json:3: at byte 26 there is a closing brace behind a comma");
	refuses("", "sources.json:1: the text ends at byte 0, where there should be an object");
	refuses("{\"sources\":[],\n\"sources\":[]}",
		"sources.json:2: the member \"sources\" is named twice in one object, again at byte 15");
}

Test(sources_read, refuses_a_member_that_it_does_not_know)
{
	refuses("{\"source\":[]}",
		"sources.json:1: there is no member \"source\" here\nsources.json:1: /sources: is missing");
	refuses(ONE("\"scheme\":\"none\",\n\"tolerance\":1"),
		"sources.json:3: /sources/0: there is no member \"tolerance\" here");
	refuses(SIGNED("stripe", ",\"mapping\":{\"amout\":1}"),
		"sources.json:2: /sources/0/mapping: there is no member \"amout\" here\n"
		"sources.json:2: /sources/0/mapping/transaction_id: is missing\n"
		"sources.json:2: /sources/0/mapping/source_account: is missing\n"
		"sources.json:2: /sources/0/mapping/destination_account: is missing\n"
		"sources.json:2: /sources/0/mapping/amount: is missing\n"
		"sources.json:2: /sources/0/mapping/currency: is missing");
}

Test(sources_read, refuses_a_name_that_is_no_segment_of_a_path)
{
	refuses("{\"sources\":[{\"name\":\"Stripe\",\"scheme\":\"none\"}]}",
		"sources.json:1: /sources/0/name: \"Stripe\": lower case letters, digits and hyphens are wanted");
	refuses("{\"sources\":[{\"name\":\"\",\"scheme\":\"none\"}]}", "sources.json:1: /sources/0/name: is empty");
	refuses("{\"sources\":[{\"scheme\":\"none\"}]}", "sources.json:1: /sources/0/name: is missing");
	refuses("{\"sources\":[{\"name\":7,\"scheme\":\"none\"}]}",
		"sources.json:1: /sources/0/name: a string is wanted, and this is a number");
	refuses("{\"sources\":[{\"name\":\"a\",\"scheme\":\"none\"},\n{\"name\":\"a\",\"scheme\":\"none\"}]}",
		"sources.json:2: /sources/1/name: \"a\" is there already");
	refuses("{\"sources\":[{\"name\":"
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"scheme\":\"none\"}]}",
		"sources.json:1: /sources/0/name: is longer than 64 bytes");
}

Test(sources_read, refuses_a_scheme_that_it_does_not_know_by_its_name)
{
	refuses(ONE("\"scheme\":\"strype\""),
		"sources.json:2: /sources/0/scheme: \"strype\": one of these is wanted: standard-webhooks stripe razorpay github"
		" square adyen paypal hmac token basic rsa none closed");
	refuses(ONE("\"tolerance_s\":1"), "sources.json:2: /sources/0/scheme: is missing");
}

Test(sources_read, refuses_options_that_have_no_meaning)
{
	refuses(SIGNED("stripe", ",\n\"url\":\"https://us.example/\""),
		"sources.json:2: /sources/0/scheme: url has no meaning for stripe");
	refuses(SIGNED("square", ""), "sources.json:2: /sources/0/scheme: url is missing, which square needs");
	refuses(SIGNED("stripe", ",\n\"encoding\":\"hex\""),
		"sources.json:3: /sources/0/encoding: has no meaning for stripe");
	refuses(ONE("\"scheme\":\"none\",\"tolerance_s\":1"),
		"sources.json:2: /sources/0/tolerance_s: has no meaning for the scheme \"none\"");
	refuses(SIGNED("hmac", ",\"header\":\"X-Sig\",\"algorithm\":\"md5\",\"encoding\":\"hex\""),
		"sources.json:2: /sources/0/algorithm: \"md5\": one of these is wanted: sha256 sha512");
	refuses(SIGNED("hmac", ",\"header\":\"x_sig\",\"algorithm\":\"sha256\",\"encoding\":\"hex\""),
		"sources.json:2: /sources/0/scheme: header is no header's name: letters, digits and hyphens");
	refuses(SIGNED("stripe", ",\"tolerance_s\":0"),
		"sources.json:2: /sources/0/tolerance_s: 0: a whole number from 1 to 604800 is wanted");
	refuses(SIGNED("stripe", ",\"tolerance_s\":\"\xc3\xa9 300\""),
		"sources.json:2: /sources/0/tolerance_s: a whole number from 1 to 604800 is wanted, and this is a string");
	refuses(SIGNED("stripe", ",\"items\":\"/a\""),
		"sources.json:2: /sources/0/items: has no meaning without a mapping");
}

Test(sources_read, refuses_a_secret_that_stands_there_itself_and_does_not_show_it)
{
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[\"hunter2\"]"),
		"sources.json:2: /sources/0/secrets/0: {\"file\": path} or {\"env\": name} is wanted: no secret stands here itself");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":\"hunter2\""),
		"sources.json:2: /sources/0/secrets: an array is wanted, and this is a string");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"secret\":\"hunter2\"}]"),
		"sources.json:2: /sources/0/secrets/0: there is a member here that nobody knows\n"
		"sources.json:2: /sources/0/secrets/0: either file or env is wanted");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"env\":\"hunter2\"}]"),
		"sources.json:2: /sources/0/secrets/0/env: is no name of a variable: capitals, digits, underscores");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"absent\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it cannot be opened: No such file or directory");
	refuses(ONE("\"scheme\":\"stripe\",\"secret\":\"hunter2\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0: there is no member \"secret\" here");
}

Test(sources_read, refuses_secrets_that_cannot_be)
{
	refuses(ONE("\"scheme\":\"stripe\""), "sources.json:2: /sources/0/secrets: is missing");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[]"), "sources.json:2: /sources/0/secrets: is empty");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\",\"env\":\"F\"}]"),
		"sources.json:2: /sources/0/secrets/0: either file or env is wanted");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"empty\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: the secret is empty");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"huge\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: the secret is longer than 16384 bytes");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\",\"not_after\":\"tomorrow\"}]"),
		"sources.json:2: /sources/0/secrets/0/not_after: is no time as 2026-12-31T00:00:00Z is one");
	refuses(ONE("\"scheme\":\"standard-webhooks\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it begins with neither whsec_ nor whpk_; if it is a shared secret,"
		" \"key\" says in which form");
	refuses(ONE("\"scheme\":\"standard-webhooks\",\"key\":\"base64\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it is not padded base64 of at most 512 bytes");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"short\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: the secret has 8 bytes; one of fewer than 16 can be guessed, so"
		" generate a longer one");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"blank\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it begins or ends with a blank, which is no part of a secret:"
		" remove it");
	refuses(ONE("\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"two\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it has several lines; each secret stands in one line, and in a file"
		" of its own");
	refuses(ONE("\"scheme\":\"paypal\",\"webhook_id\":\"1\",\"secrets\":[{\"file\":\"f\"}]"), complaints);
}

#define MAPPED(id, amount, currency)                                                                         \
	ONE("\"scheme\":\"none\",\"mapping\":{\"transaction_id\":" id ",\"source_account\":{\"at\":\"/a\"}," \
	    "\"destination_account\":{\"value\":\"us\"},\"amount\":" amount ",\"currency\":" currency "}")
#define ID "{\"at\":\"/id\"}"
#define AMOUNT "{\"at\":\"/n\",\"unit\":\"minor\"}"
#define EUR "{\"value\":\"eur\"}"

Test(sources_read, refuses_a_mapping_that_cannot_be)
{
	takes(MAPPED(ID, AMOUNT, EUR));
	sources_finish(&s);
	refuses(MAPPED("{\"at\":\"id\"}", AMOUNT, EUR),
		"sources.json:2: /sources/0/mapping/transaction_id/at: is no JSON pointer, as /data/object/id is one");
	refuses(MAPPED("{\"value\":\"one\"}", AMOUNT, EUR),
		"sources.json:2: /sources/0/mapping/transaction_id: at is wanted: a constant would make all transactions one");
	refuses(MAPPED("{\"at\":\"/a\",\"value\":\"b\"}", AMOUNT, EUR), complaints);
	refuses(MAPPED(ID, "{\"at\":\"/n\"}", EUR), "sources.json:2: /sources/0/mapping/amount/unit: is missing");
	refuses(MAPPED(ID, "{\"at\":\"/n\",\"unit\":\"major\",\"minor_units\":{\"ISK\":2}}", EUR),
		"sources.json:2: /sources/0/mapping/amount/minor_units: has no meaning but for the unit \"minor\"");
	refuses(MAPPED(ID, "{\"at\":\"/n\",\"unit\":\"minor\",\"minor_units\":{\"ISK\":9}}", EUR),
		"sources.json:2: /sources/0/mapping/amount/minor_units/ISK: 9: a whole number from 0 to 8 is wanted");
	refuses(MAPPED(ID, "{\"at\":\"/n\",\"unit\":\"minor\",\"minor_units\":{\"XXX\":2}}", EUR),
		"sources.json:2: /sources/0/mapping/amount/minor_units: its members are at most 32 active currencies of ISO 4217");
	refuses(MAPPED(ID, AMOUNT, "{\"value\":\"XXX\"}"),
		"sources.json:2: /sources/0/mapping/currency: the value is not an active currency of ISO 4217");
	refuses(MAPPED(ID, AMOUNT, "{\"at\":\"/c\",\"prefix\":\"E\"}"),
		"sources.json:2: /sources/0/mapping/currency: a currency has no prefix");
	refuses(MAPPED(ID, AMOUNT, "{\"value\":\"EUR\",\"prefix\":\"E\"}"),
		"sources.json:2: /sources/0/mapping/currency/prefix: has no meaning beside value");
	refuses(MAPPED("{\"at\":\"/id\",\"otherwise\":\"x\"}", AMOUNT, EUR),
		"sources.json:2: /sources/0/mapping/transaction_id: has no otherwise: it would make all transactions"
		" without an id one");
	refuses(MAPPED(ID, AMOUNT, "{\"at\":\"/c\",\"otherwise\":\"EUR\"}"),
		"sources.json:2: /sources/0/mapping/currency: a currency has no otherwise: what an amount means is not"
		" guessed");
	refuses(MAPPED(ID, AMOUNT, "{\"value\":\"EUR\",\"otherwise\":\"E\"}"),
		"sources.json:2: /sources/0/mapping/currency/otherwise: has no meaning beside value");
	refuses(ONE("\"scheme\":\"none\",\"filter\":[{\"at\":\"/t\",\"is\":[]}]"),
		"sources.json:2: /sources/0/filter/0/is: is empty");
	refuses(ONE("\"scheme\":\"none\",\"filter\":{}"),
		"sources.json:2: /sources/0/filter: an array is wanted, and this is an object");
}

#define ITEM "/NotificationRequestItem"
#define ADYEN(items, id)                                                                                      \
	ONE("\"scheme\":\"adyen\",\"secrets\":[{\"env\":\"HEX\"}],\"items\":\"" items                         \
	    "\",\"mapping\":{\"transaction_id\":{\"at\":\"" id "\"},\"source_account\":{\"value\":\"them\"}," \
	    "\"destination_account\":{\"at\":\"" ITEM "/merchantAccountCode\"},\"amount\":{\"at\":\"" ITEM    \
	    "/amount/value\",\"unit\":\"minor\"},\"currency\":{\"at\":\"" ITEM "/amount/currency\"}}")

Test(sources_read, takes_of_adyen_s_payload_only_what_is_signed)
{
	takes(ADYEN("/notificationItems", ITEM "/pspReference"));
	sources_finish(&s);
	refuses(ADYEN("/notificationItems", ITEM "/additionalData/id"),
		"sources.json:2: /sources/0/mapping: /NotificationRequestItem/additionalData/id is not signed by Adyen");
	refuses(ADYEN("/items", ITEM "/pspReference"),
		"sources.json:2: /sources/0/scheme: adyen wants a mapping, and items: \"/notificationItems\"");
	refuses(ONE("\"scheme\":\"adyen\",\"secrets\":[{\"env\":\"HEX\"}]"),
		"sources.json:2: /sources/0/scheme: adyen wants a mapping, and items: \"/notificationItems\"");
	refuses(ONE("\"scheme\":\"adyen\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it is not hexadecimal of at most 512 bytes");
}

Test(sources_read, reads_the_allowed_senders)
{
	takes(ONE("\"scheme\":\"none\",\"allow\":[\"192.0.2.0/24\",\"2001:db8::7\"],"
		  "\"client_certificate\":\"CN=stripe,O=Stripe\""));
	const struct source *x = sources_find(&s, "x");
	cr_expect_eq(x->allow_count, 2);
	cr_expect(network_holds(&x->allow[0], "192.0.2.255"));
	cr_expect(network_holds(&x->allow[1], "2001:db8::7"));
	cr_expect_eq(x->client, SOURCE_CERTAIN_CLIENT);
	cr_expect_str_eq(x->subject, "CN=stripe,O=Stripe");
	sources_finish(&s);
	takes(SIGNED("stripe", ",\"client_certificate\":\"any\""));
	cr_expect_eq(sources_find(&s, "x")->client, SOURCE_KNOWN_CLIENT);
	cr_expect_eq(sources_find(&s, "x")->allow_count, 0);
	cr_expect_eq(sources_find(&s, "transactions")->client, SOURCE_ANY_CLIENT);
	sources_finish(&s);
}

/* An empty list could be read as "nobody" or as "everybody". */
Test(sources_read, refuses_senders_that_cannot_be)
{
	refuses(ONE("\"scheme\":\"none\",\"allow\":[]"), "sources.json:2: /sources/0/allow: is empty");
	refuses(ONE("\"scheme\":\"none\",\"allow\":\"10.0.0.0/8\""),
		"sources.json:2: /sources/0/allow: an array is wanted, and this is a string");
	refuses(ONE("\"scheme\":\"none\",\"allow\":[\"10.0.0.0/8\",\n\"stripe.com\"]"),
		"sources.json:3: /sources/0/allow/1: \"stripe.com\" is neither an address nor a network such as 10.0.0.0/8");
	refuses(ONE("\"scheme\":\"none\",\"allow\":[\"10.0.0.0/8,10.1.2.3\"]"), complaints);
	refuses(ONE("\"scheme\":\"none\",\"allow\":[7]"),
		"sources.json:2: /sources/0/allow/0: a string is wanted, and this is a number");
	refuses(ONE("\"scheme\":\"none\",\"client_certificate\":true"),
		"sources.json:2: /sources/0/client_certificate: a string is wanted, and this is a boolean");
	refuses(ONE("\"scheme\":\"none\",\"client_certificate\":\"stripe\""),
		"sources.json:2: /sources/0/client_certificate: a subject as CN=stripe,O=Stripe is wanted, or any");
	refuses(ONE("\"scheme\":\"none\",\"client_certificate\":\"\""),
		"sources.json:2: /sources/0/client_certificate: is empty");
}

Test(sources_read, refuses_half_of_a_surrogate_pair)
{
	refuses(ONE("\"scheme\":\"none\",\"client_certificate\":\"CN=\\ud83d\""),
		"sources.json:2: /sources/0/client_certificate: holds half of a surrogate pair");
}

Test(sources_read, refuses_every_kind_of_control_character)
{
	static const char *const controls[] = {"\\n", "\\u0000", "\x7f", "\\u007f", "\xc2\x9b", "\\u0085"};
	for (size_t i = 0; i < COUNT_OF(controls); i++) {
		char text[200];
		snprintf(text, sizeof text, ONE("\"scheme\":\"none\",\"client_certificate\":\"CN=%s\""), controls[i]);
		refuses(text, "sources.json:2: /sources/0/client_certificate: holds a control character");
	}
}

Test(sources_read, takes_the_first_second_of_1970_for_an_end)
{
	takes(ONE(
		"\"scheme\":\"stripe\",\"secrets\":[{\"file\":\"f\",\"not_after\":\"1970-01-01T00:00:00Z\"},{\"file\":\"f\"}]"));
	const struct source *x = sources_find(&s, "x");
	cr_assert_not_null(x);
	cr_expect_eq(x->signer.secrets[0].not_after_s, 0);
	cr_expect_eq(x->signer.secrets[1].not_after_s, INT64_MAX);
	sources_finish(&s);
}

Test(sources_read, keeps_a_nul_as_a_byte_of_the_secret)
{
	refuses(ONE("\"scheme\":\"standard-webhooks\",\"secrets\":[{\"file\":\"nul\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it is not padded base64 of at most 512 bytes");
}

/* The names are not in alphabetical order. */
static void list_many(int count, const char *more)
{
	static char text[60 * (SOURCES_LISTED_MAX + 50)];
	size_t len = (size_t)snprintf(text, sizeof text, "{\"sources\":[");
	for (int i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s{\"name\":\"s%d\",\"scheme\":\"none\"}",
			i ? "," : "", i * 7919 % 1000);
	snprintf(text + len, sizeof text - len, "%s]}", more);
	reads(text);
}

/* The built-in source is in the list or not, and counts only where the operator wrote it. */
Test(sources_read, bounds_the_number_of_sources_in_the_file)
{
	list_many(SOURCES_LISTED_MAX, "");
	cr_assert_str_eq(complaints, "");
	cr_expect_eq(s.count, SOURCES_LISTED_MAX + 1);
	list_many(SOURCES_LISTED_MAX - 1, ",{\"name\":\"transactions\",\"scheme\":\"none\"}");
	cr_assert_str_eq(complaints, "");
	cr_expect_eq(s.count, SOURCES_LISTED_MAX);
	list_many(SOURCES_LISTED_MAX + 1, "");
	cr_expect_str_eq(complaints, "sources.json:1: /sources: 257 sources are listed, and at most 256 are taken");
	list_many(SOURCES_LISTED_MAX + 40, "");
	cr_expect_str_eq(complaints, "sources.json:1: /sources: 296 sources are listed, and at most 256 are taken");
	refuses("{\"sources\":[]}", "sources.json:1: /sources: is empty");
	refuses("{\"sources\":{}}", "sources.json:1: /sources: an array is wanted, and this is an object");
}

Test(sources_read, finds_each_of_many_sources)
{
	char name[32];
	list_many(SOURCES_LISTED_MAX, "");
	for (int i = 0; i < SOURCES_LISTED_MAX; i++) {
		snprintf(name, sizeof name, "s%d", i * 7919 % 1000);
		cr_assert_eq(sources_find(&s, name), &s.list[i], "%s", name);
	}
	cr_expect_eq(sources_find(&s, "transactions"), &s.list[SOURCES_LISTED_MAX]);
	static const char *const none[] = {"", "s", "s1000", "a", "z", "transaction", "transactionss"};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		cr_expect_null(sources_find(&s, none[i]), "%s", none[i]);
}

/* The name of the word is that of what an operator has in hand. */
Test(sources_read, shows_no_secret_that_stands_in_the_place_of_the_form_of_a_key)
{
	refuses(SIGNED("stripe", ",\"key\":\"whsec_hunter2\""),
		"sources.json:2: /sources/0/key: this: one of these is wanted: text hex base64");
	refuses(SIGNED("stripe",
			",\"tolerance_s\":\"long\",\"key\":\"hex\",\"ping\":{\"header\":\"a b\",\"is\":[\"c\"]}"),
		"sources.json:2: /sources/0/tolerance_s: a whole number from 1 to 604800 is wanted, and this is a string\n"
		"sources.json:2: /sources/0/ping/header: \"a b\": a header's name has letters, digits and hyphens");
}

#define TOKEN(name, secret) \
	"{\"name\":\"" name "\",\"scheme\":\"token\",\"header\":\"X-Token\",\"secrets\":[{\"file\":\"" secret "\"}]}"

/* A provider with the secret of two sources could send in the name of either. */
Test(sources_read, refuses_one_secret_in_two_sources)
{
	takes("{\"sources\":[" TOKEN("a", "f") "," TOKEN("b", "g") "]}");
	sources_finish(&s);
	refuses("{\"sources\":[" TOKEN("a", "f") ",\n" TOKEN("b", "f") "]}",
		"sources.json:2: /sources/1/secrets/0/file: the source a has this secret too, and each source needs one of its own");
	refuses("{\"sources\":[{\"name\":\"a\",\"scheme\":\"github\",\"secrets\":[{\"file\":\"f\"}],\"basic\":{\"file\":\"user\"}},\n"
		"{\"name\":\"b\",\"scheme\":\"basic\",\"secrets\":[{\"file\":\"user\"}]}]}",
		"sources.json:2: /sources/1/secrets/0/file: the source a has this secret too, and each source needs one of its own");
	/* The one that is shared is named, and no other. */
	refuses("{\"sources\":[" TOKEN("a", "f") ",\n{\"name\":\"b\",\"scheme\":\"token\",\"header\":\"X-Token\","
						 "\"secrets\":[{\"file\":\"f\"},{\"file\":\"g\"}]}]}",
		"sources.json:2: /sources/1/secrets/0/file: the source a has this secret too, and each source needs one of its own");
}

Test(sources_read, takes_http_basic_alone_and_beside_another_scheme)
{
	takes(ONE("\"scheme\":\"basic\",\"secrets\":[{\"file\":\"user\"}]"));
	cr_expect_eq(sources_find(&s, "x")->signer.scheme, SCHEME_BASIC);
	cr_expect_null(sources_find(&s, "x")->signer.basic.key);
	sources_finish(&s);
	takes(SIGNED("stripe", ",\"basic\":{\"file\":\"user\",\"not_after\":\"1970-01-01T00:00:07Z\"}"));
	cr_expect_not_null(sources_find(&s, "x")->signer.basic.key);
	cr_expect_eq(sources_find(&s, "x")->signer.basic.not_after_s, 7);
	sources_finish(&s);
	refuses(SIGNED("stripe", ",\"basic\":{\"file\":\"f\"}"),
		"sources.json:2: /sources/0/basic/file: it is not user:password, both of them given");
	refuses(SIGNED("stripe", ",\"basic\":\"user:hunter2\""),
		"sources.json:2: /sources/0/basic: {\"file\": path} or {\"env\": name} is wanted: no secret stands here itself");
	refuses(ONE("\"scheme\":\"basic\",\"secrets\":[{\"file\":\"user\"}],\"basic\":{\"file\":\"f\"}"),
		"sources.json:2: /sources/0/basic: has no meaning for basic");
	refuses(ONE("\"scheme\":\"none\",\"basic\":{\"file\":\"user\"}"),
		"sources.json:2: /sources/0/basic: has no meaning for the scheme \"none\"");
	refuses(ONE("\"scheme\":\"token\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/scheme: header is missing, which token needs");
	refuses(ONE("\"scheme\":\"rsa\",\"header\":\"X-Sig\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/encoding: is missing");
	refuses(ONE("\"scheme\":\"rsa\",\"header\":\"X-Sig\",\"encoding\":\"hex\",\"secrets\":[{\"file\":\"f\"}]"),
		"sources.json:2: /sources/0/secrets/0/file: it is neither a public key (BEGIN PUBLIC KEY) nor a certificate in PEM");
}
