/* test_kept_headers.c - which headers are kept with a body, and which never. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/kept_headers.h"
#include "json/scan.h"

TestSuite(kept_headers);

#define HEADERS_MAX 12

struct sent_header {
	const char *name, *value;
};

static struct sent_header sent[HEADERS_MAX];

static const char *header_of(void *ctx, const char *name)
{
	(void)ctx;
	for (int i = 0; i < HEADERS_MAX && sent[i].name; i++) {
		if (strcmp(sent[i].name, name) == 0)
			return sent[i].value;
	}
	return NULL;
}

static struct kept_headers kept;

static void keeps(const struct signer_settings *settings, const char *content_type, const char *json)
{
	struct signer signer;
	struct fault f;
	if (settings)
		cr_assert(signer_init(&signer, settings, &f), "%s", f.text);
	kept_headers_write(&kept, settings ? &signer : NULL, content_type, header_of, NULL);
	cr_expect_str_eq(kept.json, json);
	cr_expect(json_scan(kept.json, strlen(kept.json), &f), "%s", f.text);
}

#define SEND(...)                                                                                               \
	do {                                                                                                    \
		memset(sent, 0, sizeof sent);                                                                   \
		memcpy(sent, (struct sent_header[]){__VA_ARGS__}, sizeof((struct sent_header[]){__VA_ARGS__})); \
	} while (0)

Test(kept_headers, keeps_what_the_scheme_reads_and_the_ids_of_the_provider)
{
	SEND({"accept", "*/*"}, {"user-agent", "Stripe/1.0"}, {"stripe-signature", "t=1,v1=ab"}, {"x-secret", "s"});
	keeps(&(struct signer_settings){.scheme = SCHEME_STRIPE}, "application/json",
		"{\"stripe-signature\":\"t=1,v1=ab\",\"user-agent\":\"Stripe/1.0\"}");
	SEND({"webhook-id", "e"}, {"webhook-timestamp", "1"}, {"webhook-signature", "v1,a"});
	keeps(&(struct signer_settings){.scheme = SCHEME_STANDARD_WEBHOOKS}, "application/json",
		"{\"webhook-id\":\"e\",\"webhook-timestamp\":\"1\",\"webhook-signature\":\"v1,a\"}");
	SEND({"x-razorpay-signature", "ab"}, {"x-razorpay-event-id", "e"});
	keeps(&(struct signer_settings){.scheme = SCHEME_RAZORPAY}, "application/json",
		"{\"x-razorpay-signature\":\"ab\",\"x-razorpay-event-id\":\"e\"}");
	SEND({"x-hub-signature-256", "sha256=ab"}, {"x-github-delivery", "d"});
	keeps(&(struct signer_settings){.scheme = SCHEME_GITHUB}, "application/json",
		"{\"x-hub-signature-256\":\"sha256=ab\",\"x-github-delivery\":\"d\"}");
	SEND({"x-bank-signature", "ab"}, {"x-bank-time", "1"});
	keeps(&(struct signer_settings){.scheme = SCHEME_HMAC,
		      .header = "X-Bank-Signature",
		      .timestamp_header = "X-Bank-Time",
		      .algorithm = DIGEST_HMAC_SHA256},
		"application/json", "{\"x-bank-signature\":\"ab\",\"x-bank-time\":\"1\"}");
	SEND({"paypal-transmission-id", "i"}, {"paypal-transmission-time", "t"}, {"paypal-transmission-sig", "s"},
		{"paypal-auth-algo", "a"}, {"paypal-cert-url", "u"});
	keeps(&(struct signer_settings){.scheme = SCHEME_PAYPAL, .webhook_id = "w"}, "application/json",
		"{\"paypal-transmission-id\":\"i\",\"paypal-transmission-time\":\"t\",\"paypal-transmission-sig\":\"s\","
		"\"paypal-auth-algo\":\"a\",\"paypal-cert-url\":\"u\"}");
}

Test(kept_headers, keeps_no_credential)
{
	SEND({"authorization", "Bearer s"}, {"cookie", "s"}, {"x-api-key", "s"}, {"stripe-signature", "s"});
	keeps(NULL, "application/json", "{}");
	keeps(
		&(struct signer_settings){
			.scheme = SCHEME_HMAC, .header = "Authorization", .algorithm = DIGEST_HMAC_SHA256},
		"application/json", "{}");
}

Test(kept_headers, leaves_out_what_json_or_the_database_cannot_hold)
{
	SEND({"user-agent", "a\xff"}, {"webhook-id", "a\x01"}, {"ce-id", ""}, {"ce-type", "a\"b\\c"});
	keeps(NULL, "application/json", "{\"ce-type\":\"a\\\"b\\\\c\"}");
	SEND({"user-agent", "\xc3\xa9"});
	keeps(NULL, "application/json", "{\"user-agent\":\"\xc3\xa9\"}");
}

Test(kept_headers, leaves_out_what_does_not_fit_and_cuts_nothing)
{
	static const size_t AROUND = sizeof "{\"user-agent\":\"\"}" - 1;
	static char value[KEPT_HEADERS_MAX + 2], expected[KEPT_HEADERS_MAX + 32];
	memset(value, 'x', KEPT_HEADERS_MAX - AROUND);
	SEND({"user-agent", value});
	snprintf(expected, sizeof expected, "{\"user-agent\":\"%s\"}", value);
	keeps(NULL, "application/json", expected);
	cr_expect_eq(strlen(kept.json), KEPT_HEADERS_MAX);
	value[KEPT_HEADERS_MAX - AROUND] = 'x';
	keeps(NULL, "application/json", "{}");
	memset(value, '"', KEPT_HEADERS_MAX + 1);
	SEND({"webhook-id", value}, {"user-agent", "a"});
	keeps(NULL, "application/json", "{\"user-agent\":\"a\"}");
}

Test(kept_headers, keeps_a_content_type_as_it_came_unless_it_is_no_text)
{
	char value[KEPT_CONTENT_TYPE_MAX + 2];
	memset(sent, 0, sizeof sent);
	keeps(NULL, "Application/JSON; charset=\"utf-8\"", "{}");
	cr_expect_str_eq(kept.content_type, "Application/JSON; charset=\"utf-8\"");
	keeps(NULL, "application/json; a=\xff", "{}");
	cr_expect_str_eq(kept.content_type, "application/json");
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	keeps(NULL, value, "{}");
	cr_expect_str_eq(kept.content_type, "application/json");
}

Test(kept_headers, adds_what_the_mappings_read_once_and_no_secret)
{
	static const char *const names[] = {"x-topic", "user-agent", "x-token", "authorization", "x-none", "x-topic"};
	struct signer token;
	struct fault f;
	cr_assert(signer_init(&token, &(struct signer_settings){.scheme = SCHEME_TOKEN, .header = "x-token"}, &f), "%s",
		f.text);
	SEND({"user-agent", "x-topic\":\""}, {"x-topic", "paid"}, {"x-token", "a secret"},
		{"authorization", "Basic x"});
	kept_headers_write(&kept, &token, "application/json", header_of, NULL);
	kept_headers_add_names(&kept, &token, names, COUNT_OF(names), header_of, NULL);
	cr_expect_str_eq(kept.json, "{\"user-agent\":\"x-topic\\\":\\\"\",\"x-topic\":\"paid\"}");
	cr_expect(json_scan(kept.json, strlen(kept.json), &f), "%s", f.text);
}
