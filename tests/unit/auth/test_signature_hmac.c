/* test_signature_hmac.c - the generic scheme as providers use it.  The signatures were made by Python's hmac module, with the
 * key below. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/kept_headers.h"
#include "auth/signature.h"
#include "support/signing.h"

#define NOW 1771502400 /* 2026-02-19T12:00:00Z */
#define KEY "a secret of thirty-two bytes !!!"
static const char BODY[] = "{\"transaction_id\":\"txn_1\",\"amount\":1500}";
#define OF_BODY "97622339e408c45c23c576063c9b4e73dec4561a783fc3c538b11157b2c980f4"
#define OF_BODY_SHA512                                                \
	"fYom2YkbMT0YP23WI/S7KcGGjw7QAer6uenp1fEQGxBZgyHETKhbLIMxiZj" \
	"Ddy52eDE186AotBlhFqXiD8jpww=="
/* "1771502400:" and the body; "v1.1771502400123." and the body. */
#define OF_PADDLE "626a330528ec4333172bbeaef48452887b7217cbf2ae329ba63ad5756efadd44"
#define OF_REVOLUT "a533ce27fd12e88abbba31f693dd2ea32a6c3bd16ae2a3a4c3d0b68233a53188"
/* The time, directly followed by the body: of 10 digits, of 13. */
#define OF_SECONDS "mC0VXl3768kPwCOqm6PxBnzc84WGJReLNDk7qq8y0tU="
#define OF_MILLISECONDS "950f99c35599b22af45fc5be1b2a8f62760af88489c04b8e383f7ff8fcd30efc"
/* "id:123abc;request-id:2066ca19-c6f1-498a-be75-1923005edd06;ts:1771502400;" */
#define OF_QUERY "dc624b75ace6429385d40ced91109e75b2278c60289ff0954459815e81132ad3"
#define WRONG "00000000e408c45c23c576063c9b4e73dec4561a783fc3c538b11157b2c980f4"

static struct signer signer;
static struct sent sent;
static struct signature_report report;
static const char *target, *repeated;

static bool is_repeated(void *ctx, const char *name)
{
	(void)ctx;
	return repeated && strcmp(repeated, name) == 0;
}

static void begin(const struct signer_settings *settings)
{
	struct fault f;
	signer_finish(&signer);
	cr_assert(signer_init(&signer, settings, &f), "%s", f.text);
	cr_assert(signer_add_secret(&signer, KEY, strlen(KEY), INT64_MAX, &f), "%s", f.text);
	sent.count = 0;
	target = repeated = NULL;
}

static bool verify_at(const char *body, int64_t now_s)
{
	struct signature_request request = {sent_header, &sent, body, strlen(body), target, is_repeated};
	return signature_verify(&signer, &request, now_s, &report);
}

/* A header verifies, with this body only. */
static void takes(const char *header, const char *value)
{
	sent_set(&sent, header, value);
	cr_expect(verify_at(BODY, NOW), "%s: %s", value, report.text);
	cr_expect_not(verify_at("{\"transaction_id\":\"txn_1\",\"amount\":1501}", NOW), "%s", value);
	cr_expect_eq(report.cause, SIGNATURE_WRONG, "%s: %s", value, report.text);
}

static void refuses(const char *header, const char *value, enum signature_cause cause, const char *words)
{
	sent_set(&sent, header, value);
	cr_expect_not(verify_at(BODY, NOW), "%s", value);
	cr_expect_eq(report.cause, cause, "%s: %s: %s", value, signature_cause_name(report.cause), report.text);
	cr_expect_not_null(strstr(report.text, words), "%s: \"%s\" lacks \"%s\"", value, report.text, words);
}

Test(signature_hmac, takes_several_signatures_in_one_header)
{
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "X-Sig", .prefix = "sha256="});
	takes("x-sig", "sha256=" OF_BODY);
	takes("x-sig", "sha256=" WRONG ",sha256=" OF_BODY);
	takes("x-sig", "sha256=" OF_BODY ", sha256=" WRONG);
	takes("x-sig", "sha256=" WRONG ";sha256=nonsense sha256=" OF_BODY);
	refuses("x-sig", "sha256=" WRONG ",sha256=" WRONG, SIGNATURE_WRONG, "no secret of ours");
	refuses("x-sig", "sha256=x,sha256=y", SIGNATURE_MALFORMED, "no signature in it is in hex and has 32 bytes");
	refuses("x-sig", "sha256=" WRONG "," OF_BODY, SIGNATURE_MALFORMED, "a part of it does not begin with sha256=");
	refuses("x-sig", "sha256=,", SIGNATURE_MALFORMED, "a part of it is empty");
	refuses("x-sig", "sha256=" OF_BODY ",", SIGNATURE_MALFORMED, "it ends in a separator");
#define TWO "sha256=" WRONG ",sha256=" WRONG ","
	takes("x-sig", TWO TWO TWO "sha256=" WRONG ",sha256=" OF_BODY);
	refuses("x-sig", TWO TWO TWO TWO "sha256=" OF_BODY, SIGNATURE_MALFORMED, "more than 8 signatures");
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC,
		.header = "X-Sig",
		.algorithm = DIGEST_HMAC_SHA512,
		.encoding = ENCODING_BASE64});
	takes("x-sig", OF_BODY_SHA512 " " OF_BODY_SHA512);
	refuses("x-sig", OF_BODY, SIGNATURE_MALFORMED, "48 bytes, not 64");
	signer_finish(&signer);
}

Test(signature_hmac, takes_a_time_without_a_separator_by_its_digits)
{
	struct signer_settings settings = {.scheme = SCHEME_HMAC,
		.header = "X-Sig",
		.encoding = ENCODING_BASE64,
		.timestamp_header = "X-Time",
		.separator = ""};
	begin(&settings);
	sent_set(&sent, "x-time", "1771502400");
	takes("x-sig", OF_SECONDS);
	sent_set(&sent, "x-time", "17715024001");
	refuses("x-sig", OF_SECONDS, SIGNATURE_MALFORMED, "the time has not 10 digits");
	sent_set(&sent, "x-time", "177150240");
	refuses("x-sig", OF_SECONDS, SIGNATURE_MALFORMED, "the time has not 10 digits");
	settings.timestamp_unit = TIME_BY_LENGTH;
	begin(&settings);
	sent_set(&sent, "x-time", "1771502400");
	takes("x-sig", OF_SECONDS);
	settings.encoding = ENCODING_HEX;
	begin(&settings);
	sent_set(&sent, "x-time", "1771502400123");
	takes("x-sig", OF_MILLISECONDS);
	sent_set(&sent, "x-time", "17715024001");
	refuses("x-sig", OF_MILLISECONDS, SIGNATURE_MALFORMED, "the time has not 10 digits");
	settings.timestamp_unit = TIME_MILLISECONDS;
	begin(&settings);
	sent_set(&sent, "x-time", "1771502400123");
	takes("x-sig", OF_MILLISECONDS);
	cr_expect(verify_at(BODY, NOW + 300));
	cr_expect_not(verify_at(BODY, NOW + 301));
	cr_expect_eq(report.cause, SIGNATURE_OLD, "%s", report.text);
	sent_set(&sent, "x-time", "1771502400");
	refuses("x-sig", OF_MILLISECONDS, SIGNATURE_MALFORMED, "the time has not 13 digits");
	signer_finish(&signer);
}

Test(signature_hmac, reads_a_header_by_its_form)
{
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC,
		.header = "Paddle-Signature",
		.form = "ts={time};h1={signature}",
		.message = "{time}:{body}"});
	cr_expect(signer_signs_time(&signer));
	takes("paddle-signature", "ts=1771502400;h1=" OF_PADDLE);
	takes("paddle-signature", "h1=" WRONG ", h1=" OF_PADDLE " ; ts=1771502400;h2=later");
	refuses("paddle-signature", "ts=1771502401;h1=" OF_PADDLE, SIGNATURE_WRONG, "no secret of ours");
	refuses("paddle-signature", "ts=1771502400;ts=1771502400;h1=" OF_PADDLE, SIGNATURE_MALFORMED, "two times");
	refuses("paddle-signature", "h1=" OF_PADDLE, SIGNATURE_MALFORMED, "holds no time of the form");
	refuses("paddle-signature", "ts=1771502400", SIGNATURE_MALFORMED, "no signature of the configured form");
	refuses("paddle-signature", "ts=1771502400;h1=zz", SIGNATURE_MALFORMED, "no signature in it has the encoding");
	refuses("paddle-signature", "ts=now;h1=" OF_PADDLE, SIGNATURE_MALFORMED, "another byte than digits");
	sent_set(&sent, "paddle-signature", "ts=1771502400;h1=" OF_PADDLE);
	cr_expect_not(verify_at(BODY, NOW + 301));
	cr_expect_eq(report.cause, SIGNATURE_OLD);
	/* Without "signed" it is the time, the separator and the body. */
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC,
		.header = "Paddle-Signature",
		.form = "ts={time};h1={signature}",
		.separator = ":"});
	takes("paddle-signature", "ts=1771502400;h1=" OF_PADDLE);
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC,
		.header = "Revolut-Signature",
		.form = "v1={signature}",
		.timestamp_header = "Revolut-Request-Timestamp",
		.timestamp_unit = TIME_MILLISECONDS,
		.message = "v1.{time}.{body}"});
	sent_set(&sent, "revolut-request-timestamp", "1771502400123");
	takes("revolut-signature", "v1=" OF_REVOLUT);
	takes("revolut-signature", "v1=" WRONG ",v1=" OF_REVOLUT);
	begin(&(struct signer_settings){
		.scheme = SCHEME_HMAC, .header = "Event-Signature", .form = "{any}/SHA256/{signature}"});
	takes("event-signature", "1/SHA256/" OF_BODY);
	takes("event-signature", "1/SHA256/" WRONG ",2/SHA256/" OF_BODY);
	takes("event-signature", "1/SHA512/" WRONG ",2/SHA256/" OF_BODY);
	refuses("event-signature", "/SHA256/" OF_BODY, SIGNATURE_MALFORMED, "no signature of the configured form");
	signer_finish(&signer);
}

/* Mercado Pago's: neither the body nor anything in it is signed. */
static void begin_query(void)
{
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC,
		.header = "X-Signature",
		.form = "ts={time},v1={signature}",
		.timestamp_unit = TIME_BY_LENGTH,
		.message = "id:{query.data.id|lower};request-id:{header.X-Request-Id};ts:{time};"});
	sent_set(&sent, "x-request-id", "2066ca19-c6f1-498a-be75-1923005edd06");
	sent_set(&sent, "x-signature", "ts=1771502400,v1=" OF_QUERY);
	target = "/v1/webhooks/mercadopago?data.id=123ABC&type=payment";
}

static void refuses_query(enum signature_cause cause, const char *words)
{
	cr_expect_not(verify_at(BODY, NOW));
	cr_expect_eq(report.cause, cause, "%s: %s", signature_cause_name(report.cause), report.text);
	cr_expect_not_null(strstr(report.text, words), "\"%s\" lacks \"%s\"", report.text, words);
}

Test(signature_hmac, takes_signed_values_of_the_query_and_of_headers)
{
	begin_query();
	cr_expect(verify_at(BODY, NOW), "%s", report.text);
	cr_expect(verify_at("any other", NOW), "%s", report.text);
	cr_expect(signer_covers_query(&signer, "data.id") && !signer_covers_query(&signer, "type"));
	cr_expect(signer_covers_header(&signer, "x-request-id") && !signer_covers_header(&signer, "x-signature"));
	cr_expect(signer_lowers_query(&signer, "data.id") && !signer_lowers_header(&signer, "x-request-id"));
	cr_expect_not(signer_signs_body(&signer));
	target = "/v1/webhooks/mercadopago?type=payment&data.id=123%61%42c#data.id=1";
	cr_expect(verify_at(BODY, NOW), "%s", report.text);
	static const struct {
		const char *target;
		enum signature_cause cause;
		const char *words;
	} bad[] = {
		{"/?data.id=124abc", SIGNATURE_WRONG, "no secret of ours"},
		{"/?type=payment", SIGNATURE_MISSING, "data.id of the query is missing"},
		{"/?data.id=", SIGNATURE_MISSING, "data.id of the query is missing"},
		{"/?data.id=123abc&data.id=123abc", SIGNATURE_MALFORMED, "data.id is there twice"},
		{"/?data.id=123abc%3Brequest-id:1", SIGNATURE_MALFORMED, "could as well end it"},
		{"/?data.id=123abc%00", SIGNATURE_MALFORMED, "encoding is broken"},
		{"/?data.id=%31%32%33%2561bc", SIGNATURE_WRONG, "no secret of ours"},
		{NULL, SIGNATURE_MISSING, "data.id of the query is missing"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		target = bad[i].target;
		refuses_query(bad[i].cause, bad[i].words);
	}
	begin_query();
	repeated = "x-request-id";
	refuses_query(SIGNATURE_MALFORMED, "x-request-id is there twice");
	begin_query();
	sent_set(&sent, "x-request-id", "a;ts:1");
	refuses_query(SIGNATURE_MALFORMED, "could as well end it");
	sent_set(&sent, "x-request-id", NULL);
	refuses_query(SIGNATURE_MISSING, "x-request-id is missing");
	signer_finish(&signer);
}

/* A request can be verified again by what is kept, and no other parameter is: it could be a credential. */
Test(signature_hmac, keeps_what_a_later_verification_needs)
{
	static struct kept_headers kept;
	begin_query();
	target = "/v1/webhooks/mercadopago?key=hunter2&data.id=1%2023;a";
	kept_headers_write(&kept, &signer, "application/json", sent_header, &sent);
	kept_headers_add_query(&kept, &signer, NULL, 0, target);
	cr_expect_str_eq(kept.json,
		"{\"x-signature\":\"ts=1771502400,v1=" OF_QUERY
		"\",\"x-request-id\":\"2066ca19-c6f1-498a-be75-1923005edd06\",\"?\":\"?data.id=1%2023%3Ba\"}");
	kept_headers_add_query(&kept, NULL, NULL, 0, target);
	begin(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "X-Sig"});
	kept_headers_write(&kept, &signer, "application/json", sent_header, &sent);
	kept_headers_add_query(&kept, &signer, NULL, 0, target);
	cr_expect_str_eq(kept.json, "{}");
	signer_finish(&signer);
}

/* A filter reads what is not signed, too.  Where both do not fit, what is signed does. */
Test(signature_hmac, keeps_what_a_filter_reads_of_the_query)
{
	static struct kept_headers kept;
	static const char *const names[] = {"data.id", "type", "none"};
	char value[256] = "", longer[300];
	begin_query();
	target = "/v1/webhooks/x?type=a%22b&key=hunter2&data.id=7";
	memcpy(kept.json, "{}", sizeof "{}");
	kept_headers_add_query(&kept, &signer, names, COUNT_OF(names), target);
	cr_expect_str_eq(kept.json, "{\"?\":\"?data.id=7&type=a%22b\"}");
	memcpy(kept.json, "{}", sizeof "{}");
	kept_headers_add_query(&kept, NULL, names, COUNT_OF(names), target);
	cr_expect_str_eq(kept.json, "{\"?\":\"?data.id=7&type=a%22b\"}");
	memset(value, 'x', sizeof value - 1);
	snprintf(longer, sizeof longer, "/?data.id=7&type=%s", value);
	snprintf(kept.json, sizeof kept.json, "{\"a\":\"%0*d\"}", KEPT_HEADERS_MAX - 100, 0);
	kept_headers_add_query(&kept, &signer, names, COUNT_OF(names), longer);
	cr_expect_not_null(strstr(kept.json, ",\"?\":\"?data.id=7\"}"), "%s", kept.json);
	signer_finish(&signer);
}
