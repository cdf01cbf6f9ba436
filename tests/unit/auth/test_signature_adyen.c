/* test_signature_adyen.c - schemes that sign more than the body or less: the fields of Adyen's items, and Square's
 * URL. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/signature.h"
#include "support/signing.h"

#define NOW 1771502400
#define KEY_HEX "6b6579206f66203332206279746573206e6f7420612073656372657420617421"
#define OTHER_HEX "6f74686572206f66203332206279746573206e6f74206120736563726574203f"

struct fixture {
	struct signer signer;
	struct signature_item item;
	struct signature_report report;
	char signature[SENT_VALUE_MAX];
};

static void sign(struct fixture *s, const char *key)
{
	char message[1024];
	size_t len = 0;
	for (int i = 0; i < ADYEN_FIELDS; i++)
		len += (size_t)snprintf(message + len, sizeof message - len, "%s%.*s", i ? ":" : "",
			(int)s->item.field[i].len, (const char *)s->item.field[i].bytes);
	sender_hmac("SHA256", key, 32, message, len, true, s->signature);
	s->item.signature = (struct digest_part){s->signature, strlen(s->signature)};
}

static void set(struct fixture *s, enum adyen_field field, const char *text)
{
	s->item.field[field] = (struct digest_part){text, strlen(text)};
}

static struct fixture *fixture_of(int64_t not_after_s)
{
	static struct fixture s;
	struct fault f;
	struct signer_settings settings = {.scheme = SCHEME_ADYEN};
	static const char *const fields[] = {
		"7914073381342284", "", "TestMerchant", "TestPayment-1", "1130", "EUR", "AUTHORISATION", "true"};
	s = (struct fixture){0};
	cr_assert(signer_init(&s.signer, &settings, &f));
	cr_assert(signer_add_secret(&s.signer, KEY_HEX, 64, not_after_s, &f), "%s", f.text);
	for (int i = 0; i < ADYEN_FIELDS; i++)
		set(&s, (enum adyen_field)i, fields[i]);
	sign(&s, "key of 32 bytes not a secret at!");
	return &s;
}

static void good(struct fixture *s, int64_t now_s, int secret)
{
	cr_expect(signature_verify_item(&s->signer, &s->item, now_s, &s->report), "%s", s->report.text);
	cr_expect_eq(s->report.secret, secret);
}

static void refused(struct fixture *s, int64_t now_s, enum signature_cause cause, const char *word)
{
	cr_expect_not(signature_verify_item(&s->signer, &s->item, now_s, &s->report));
	cr_expect_eq(s->report.cause, cause, "%s: %s", signature_cause_name(s->report.cause), s->report.text);
	cr_expect_not_null(strstr(s->report.text, word), "\"%s\" lacks \"%s\"", s->report.text, word);
}

Test(signature_adyen, accepts_an_item_whenever_it_was_signed)
{
	struct fixture *s = fixture_of(INT64_MAX);
	good(s, NOW, 0);
	good(s, 0, 0);
	good(s, NOW * 2LL, 0);
	signer_finish(&s->signer);
}

Test(signature_adyen, refuses_a_field_that_was_changed)
{
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		struct fixture *s = fixture_of(INT64_MAX);
		set(s, (enum adyen_field)i, "changed");
		refused(s, NOW, SIGNATURE_WRONG, "another secret, or the body was changed");
		set(s, (enum adyen_field)i, "");
		if (i != ADYEN_ORIGINAL_REFERENCE)
			refused(s, NOW, SIGNATURE_WRONG, "another secret");
		signer_finish(&s->signer);
	}
}

Test(signature_adyen, knows_two_secrets_and_when_one_ends)
{
	struct fixture *s = fixture_of(NOW);
	struct fault f;
	cr_assert(signer_add_secret(&s->signer, OTHER_HEX, 64, INT64_MAX, &f));
	good(s, NOW, 0);
	refused(s, NOW + 1, SIGNATURE_EXPIRED, "secret 1");
	sign(s, "other of 32 bytes not a secret ?");
	good(s, NOW + 1, 1);
	sign(s, "third of 32 bytes not a secret ?");
	refused(s, NOW, SIGNATURE_WRONG, "no secret of ours");
	signer_finish(&s->signer);
}

Test(signature_adyen, refuses_signatures_of_twenty_wrong_forms)
{
	struct fixture *s = fixture_of(INT64_MAX);
	char text[SENT_VALUE_MAX], again[SENT_VALUE_MAX + 8];
	const char *const BEHIND[] = {"=", "A", "AAAA", " ", "\n", "\t", ",", "\"", "\xc3\xa9", "%3D", ", "};
	const char *const ALONE[] = {"=", "====", "nonsense", "AA==", "sha256=", "!", "\x80\x80\x80\x80",
		"AAAAAAAAAAAA", "null", "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"};
	snprintf(text, sizeof text, "%s", s->signature);
	for (size_t i = 0; i < COUNT_OF(BEHIND); i++) {
		snprintf(again, sizeof again, "%s%s", text, BEHIND[i]);
		s->item.signature = (struct digest_part){again, strlen(again)};
		refused(s, NOW, SIGNATURE_MALFORMED, "not 32 bytes in base64");
	}
	for (size_t i = 0; i < COUNT_OF(ALONE); i++) {
		s->item.signature = (struct digest_part){ALONE[i], strlen(ALONE[i])};
		refused(s, NOW, SIGNATURE_MALFORMED, "not 32 bytes in base64");
	}
	for (size_t len = 1; len < strlen(text); len++) {
		s->item.signature = (struct digest_part){text, len};
		refused(s, NOW, SIGNATURE_MALFORMED, "not 32 bytes in base64");
	}
	s->item.signature = (struct digest_part){NULL, 0};
	refused(s, NOW, SIGNATURE_MISSING, "missing or empty");
	signer_finish(&s->signer);
}

/* Eight items with the same signed string: a colon within a field makes them possible, since nothing is escaped. */
Test(signature_adyen, does_not_let_one_signed_item_be_cut_into_another)
{
	struct fixture *s = fixture_of(INT64_MAX);
	set(s, ADYEN_MERCHANT_REFERENCE, "14-08-2020-09:53:00");
	sign(s, "key of 32 bytes not a secret at!");
	good(s, NOW, 0);
	set(s, ADYEN_PSP_REFERENCE, "7914073381342284:");
	set(s, ADYEN_ORIGINAL_REFERENCE, "TestMerchant");
	set(s, ADYEN_MERCHANT_ACCOUNT_CODE, "14-08-2020-09");
	set(s, ADYEN_MERCHANT_REFERENCE, "53:00");
	refused(s, NOW, SIGNATURE_MALFORMED, "holds a colon");
	signer_finish(&s->signer);
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		struct fixture *each = fixture_of(INT64_MAX);
		set(each, (enum adyen_field)i, "a:b");
		sign(each, "key of 32 bytes not a secret at!");
		if (i == ADYEN_MERCHANT_REFERENCE)
			good(each, NOW, 0);
		else
			refused(each, NOW, SIGNATURE_MALFORMED, "holds a colon");
		signer_finish(&each->signer);
	}
}

/* adyen-ruby-api-library, issue 108: the reference of a report is a file name that contains times. */
Test(signature_adyen, lets_a_reports_reference_hold_colons)
{
	struct fixture *s = fixture_of(INT64_MAX);
	set(s, ADYEN_PSP_REFERENCE, "threedsecure_report_2022-11-01T00:00:00_2022-11-02T23:59:59.csv");
	set(s, ADYEN_EVENT_CODE, "REPORT_AVAILABLE");
	sign(s, "key of 32 bytes not a secret at!");
	good(s, NOW, 0);
	signer_finish(&s->signer);
}

Test(signature_adyen, verifies_items_only)
{
	struct fixture *s = fixture_of(INT64_MAX);
	struct sent sent = {.count = 0};
	struct signature_request request = {sent_header, &sent, "{}", 2, NULL, NULL};
	cr_expect_not(signature_verify(&s->signer, &request, NOW, &s->report));
	cr_expect_eq(s->report.cause, SIGNATURE_FAILED);
	signer_finish(&s->signer);
}

/* Square signs the URL of the subscription together with the body. */
static void for_url(const char *ours, const char *theirs, size_t body_len, enum signature_cause cause)
{
	static char body[16384], message[16384 + 256];
	char signature[SENT_VALUE_MAX];
	struct signer signer;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_SQUARE, .url = ours};
	struct sent sent = {.count = 0};
	struct signature_request request = {sent_header, &sent, body, body_len, NULL, NULL};
	memset(body, 'x', sizeof body);
	int len = snprintf(message, sizeof message, "%s%.*s", theirs, (int)body_len, body);
	sender_hmac("SHA256", "secret", 6, message, (size_t)len, true, signature);
	sent_set(&sent, "x-square-hmacsha256-signature", signature);
	cr_assert(signer_init(&signer, &settings, &f), "%s", f.text);
	cr_assert(signer_add_secret(&signer, "secret", 6, INT64_MAX, &f));
	cr_expect_eq(signature_verify(&signer, &request, NOW, &r), cause == SIGNATURE_GOOD);
	cr_expect_eq(r.cause, cause, "%s for %s: %s", theirs, ours, r.text);
	signer_finish(&signer);
}

Test(signature_square, distinguishes_the_usual_mistakes_in_a_url_from_a_wrong_secret)
{
	const char *near[] = {"http://pay.example/square", "https://pay.example/square/", "http://pay.example/square/"};
	for_url("https://pay.example/square", "https://pay.example/square", 100, SIGNATURE_GOOD);
	for (size_t i = 0; i < COUNT_OF(near); i++) {
		for_url("https://pay.example/square", near[i], 100, SIGNATURE_WRONG_URL);
		for_url(near[i], "https://pay.example/square", 100, SIGNATURE_WRONG_URL);
	}
	for_url("https://pay.example/square", "https://pay.example/circle", 100, SIGNATURE_WRONG);
	for_url("https://pay.example/square", "https://www.pay.example/square", 100, SIGNATURE_WRONG);
}

Test(signature_square, does_not_hash_a_long_body_again_in_search_of_a_url)
{
	for_url("https://pay.example/", "http://pay.example/", 8192, SIGNATURE_WRONG_URL);
	for_url("https://pay.example/", "http://pay.example/", 8193, SIGNATURE_WRONG);
}
