/* test_signature_plain.c - what is not signed but sent itself, a token and HTTP Basic; and RSA signatures, which were made by the
 * openssl command: "openssl dgst -sha256 -sign". */

#include <criterion/criterion.h>
#include <string.h>

#include "auth/kept_headers.h"
#include "auth/signature.h"
#include "support/signing.h"

#define TOKEN "a token of more than sixteen bytes"
static const char BODY[] = "{\"transaction_id\":\"txn_1\",\"amount\":1500}";

static struct signer signer;
static struct sent sent;
static struct signature_report report;

static void begin(const struct signer_settings *settings, const char *secret, int64_t not_after_s)
{
	struct fault f;
	cr_assert(signer_init(&signer, settings, &f), "%s", f.text);
	cr_assert(signer_add_secret(&signer, secret, strlen(secret), not_after_s, &f), "%s", f.text);
	sent.count = 0;
}

static bool verify(const char *body)
{
	struct signature_request request = {sent_header, &sent, body, strlen(body), NULL, NULL};
	return signature_verify(&signer, &request, 1000, &report);
}

static void is_refused(const char *body, enum signature_cause cause, const char *words)
{
	cr_expect_not(verify(body));
	cr_expect_eq(report.cause, cause, "%s: %s", signature_cause_name(report.cause), report.text);
	cr_expect_not_null(strstr(report.text, words), "\"%s\" lacks \"%s\"", report.text, words);
}

Test(signature_plain, takes_a_token_that_is_the_secret)
{
	begin(&(struct signer_settings){.scheme = SCHEME_TOKEN, .header = "X-Callback-Token"}, TOKEN, INT64_MAX);
	sent_set(&sent, "x-callback-token", TOKEN);
	cr_expect(verify(BODY), "%s", report.text);
	cr_expect_eq(report.secret, 0);
	cr_expect_not(signer_signs_time(&signer));
	cr_expect(signer_sends_secret(&signer));
	static const char *const wrong[] = {TOKEN "x", "a token of more than sixteen byteS", "a", ("A" TOKEN)};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		sent_set(&sent, "x-callback-token", wrong[i]);
		is_refused(BODY, SIGNATURE_WRONG, "another token than ours");
		cr_expect(strlen(wrong[i]) < 8 || !strstr(report.text, wrong[i]), "%s", report.text);
	}
	sent_set(&sent, "x-callback-token", "");
	is_refused(BODY, SIGNATURE_MISSING, "x-callback-token is empty");
	sent_set(&sent, "x-callback-token", NULL);
	is_refused(BODY, SIGNATURE_MISSING, "x-callback-token is missing");
	static char longer[DIGEST_SIGNATURE_MAX + 2];
	memset(longer, 'a', sizeof longer - 1);
	sent_set(&sent, "x-callback-token", longer);
	is_refused(BODY, SIGNATURE_MALFORMED, "longer than 512 bytes");
	signer_finish(&signer);
}

Test(signature_plain, takes_no_token_after_its_end)
{
	begin(&(struct signer_settings){.scheme = SCHEME_TOKEN, .header = "X-Callback-Token"}, TOKEN, 999);
	sent_set(&sent, "x-callback-token", TOKEN);
	is_refused(BODY, SIGNATURE_EXPIRED, "its not_after has passed");
	signer_finish(&signer);
}

/* RFC 7617, section 2: the user Aladdin with the password "open sesame". */
Test(signature_plain, takes_http_basic)
{
	begin(&(struct signer_settings){.scheme = SCHEME_BASIC}, "Aladdin:open sesame", INT64_MAX);
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	cr_expect(verify(BODY), "%s", report.text);
	sent_set(&sent, "authorization", "bAsIc  QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	cr_expect(verify(BODY), "%s", report.text);
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZT==");
	is_refused(BODY, SIGNATURE_MALFORMED, "in base64");
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZg==");
	is_refused(BODY, SIGNATURE_WRONG, "another user or another password");
	sent_set(&sent, "authorization", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	is_refused(BODY, SIGNATURE_MALFORMED, "is not HTTP Basic");
	sent_set(&sent, "authorization", "Basic");
	is_refused(BODY, SIGNATURE_MALFORMED, "is not HTTP Basic");
	sent_set(&sent, "authorization", "Basic ");
	is_refused(BODY, SIGNATURE_WRONG, "another user");
	sent_set(&sent, "authorization", NULL);
	is_refused(BODY, SIGNATURE_MISSING, "authorization is missing");
	signer_finish(&signer);
}

Test(signature_plain, verifies_http_basic_beside_a_scheme)
{
	struct fault f;
	struct signature_request request = {sent_header, &sent, BODY, strlen(BODY), NULL, NULL};
	begin(&(struct signer_settings){.scheme = SCHEME_GITHUB}, TOKEN, INT64_MAX);
	cr_assert(signer_set_basic(&signer, "Aladdin:open sesame", 19, 2000, &f));
	cr_expect_not(signature_verify_basic(&signer, &request, 1000, &report));
	cr_expect_eq(report.cause, SIGNATURE_MISSING);
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	cr_expect(signature_verify_basic(&signer, &request, 1000, &report));
	cr_expect_eq(report.secret, -1);
	cr_expect_not(signature_verify_basic(&signer, &request, 2001, &report));
	cr_expect_eq(report.cause, SIGNATURE_EXPIRED);
	cr_expect_eq(report.secret, -1);
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZg==");
	cr_expect_not(signature_verify_basic(&signer, &request, 1000, &report));
	cr_expect_eq(report.cause, SIGNATURE_WRONG);
	signer_finish(&signer);
}

/* Square signs the URL, and other URLs are tried for a signature; a password is of no URL. */
Test(signature_plain, tries_no_other_url_for_a_password)
{
	struct fault f;
	struct signature_request request = {sent_header, &sent, BODY, strlen(BODY), NULL, NULL};
	begin(&(struct signer_settings){.scheme = SCHEME_SQUARE, .url = "https://pay.example/v1/webhooks/square"},
		TOKEN, INT64_MAX);
	cr_assert(signer_set_basic(&signer, "Aladdin:open sesame", 19, INT64_MAX, &f));
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZg==");
	cr_expect_not(signature_verify_basic(&signer, &request, 1000, &report));
	cr_expect_eq(report.cause, SIGNATURE_WRONG);
	cr_expect_str_eq(report.text, "it has another user or another password than ours");
	signer_finish(&signer);
}

static const char *kept_header(void *ctx, const char *name)
{
	(void)ctx;
	return sent_header(&sent, name);
}

Test(signature_plain, keeps_no_header_that_is_the_secret)
{
	static struct kept_headers kept;
	static const char *const names[] = {"x-callback-token", "user-agent", "webhook-id", "authorization"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		begin(&(struct signer_settings){.scheme = SCHEME_TOKEN, .header = names[i]}, TOKEN, INT64_MAX);
		sent_set(&sent, names[i], TOKEN);
		kept_headers_write(&kept, &signer, "application/json", kept_header, NULL);
		cr_expect_str_eq(kept.json, "{}", "%s: %s", names[i], kept.json);
		signer_finish(&signer);
	}
	begin(&(struct signer_settings){.scheme = SCHEME_BASIC}, "Aladdin:open sesame", INT64_MAX);
	sent_set(&sent, "authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	kept_headers_write(&kept, &signer, "application/json", kept_header, NULL);
	cr_expect_str_eq(kept.json, "{}");
	signer_finish(&signer);
}

/* ---- RSA ---- */

static const char PUBLIC_KEY[] = "-----BEGIN PUBLIC KEY-----\n"
				 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr/kGll/Jyf3WbXUmD1FF\n"
				 "VT539NSf/Fzr9rcVZg/3RkEeL7zsA2D9D5GhYWqUR+fFYMKyE0qAsdZ8hSIxBtOh\n"
				 "OO7UkZj8rq51ki9/cUB/mkhfLnkdbcStGSJqBhqTRVCJgO1oLD+nM+R0Gr1lAQ+3\n"
				 "LrfNbQNR3QG0MJzpq8HcVQU/w92c7jErLJwtniFLZy3Tt5C36BvEQL/kB+4C5UdJ\n"
				 "IbstppIAmd24p2arJigWSHilMOILV5gve97AkMQrje4Kz+xulHj8yUdqbugLSSJH\n"
				 "VBNvszZqvjrBq0Cn9MKpmdttd+AZJ3Tb2HeXDwStnZzxJEQOvN/dcbkyfVIy6GPU\n"
				 "IQIDAQAB\n"
				 "-----END PUBLIC KEY-----\n";

/* The same key. */
static const char CERTIFICATE[] = "-----BEGIN CERTIFICATE-----\n"
				  "MIIDATCCAemgAwIBAgIUNGkeLTLIpIHl8gkms4r4vlb5b+owDQYJKoZIhvcNAQEL\n"
				  "BQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMzAwMDU5MDBaGA8yMTI2MTEwNjAw\n"
				  "NTkwMFowDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCC\n"
				  "AQoCggEBAK/5BpZfycn91m11Jg9RRVU+d/TUn/xc6/a3FWYP90ZBHi+87ANg/Q+R\n"
				  "oWFqlEfnxWDCshNKgLHWfIUiMQbToTju1JGY/K6udZIvf3FAf5pIXy55HW3ErRki\n"
				  "agYak0VQiYDtaCw/pzPkdBq9ZQEPty63zW0DUd0BtDCc6avB3FUFP8PdnO4xKyyc\n"
				  "LZ4hS2ct07eQt+gbxEC/5AfuAuVHSSG7LaaSAJnduKdmqyYoFkh4pTDiC1eYL3ve\n"
				  "wJDEK43uCs/sbpR4/MlHam7oC0kiR1QTb7M2ar46watAp/TCqZnbbXfgGSd029h3\n"
				  "lw8ErZ2c8SREDrzf3XG5Mn1SMuhj1CECAwEAAaNTMFEwHQYDVR0OBBYEFDQ3ksMR\n"
				  "ZQKWoMsPTyJ0KO2tQoukMB8GA1UdIwQYMBaAFDQ3ksMRZQKWoMsPTyJ0KO2tQouk\n"
				  "MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBACD7SKJ+5ov8tE5J\n"
				  "jCKEFiF8xDEj+3aTVD9nEXt6zyYLiotgO/rVW7QGRkG5zbHMCSJ4q9aDz/KCLIKq\n"
				  "hBuvxiDCxE8oe1PHDoEYYJsLrCbLQXBAeqEcfyDPrgWu5PH8jydHZ9QGhQLTMqmj\n"
				  "jZNnvbhAGP57dXXYylblbyoLGXb8zAerVvfOLxL1ibtTEpsPpYe1VS+SdSeHwTDt\n"
				  "TwXs8yjlkEdB2nwBuaCczh1ZiDmd84ia0lNCp1xOqKvkbuteJbciNfLNjlL1/un9\n"
				  "ldQEk00fYNCAliVUETxNc/uJNnhunhyCKcny3/rW7a6odupAf2iwt0Xxq7r1Ccrq\n"
				  "vTx28WE=\n"
				  "-----END CERTIFICATE-----\n";

static const char SIGNATURE_BASE64[] =
	"qDWp+i7lkFh14QVGVcLxxihldBo8QCTPYLajrnlP9TzAYIuh6LnFNvjPqzWKrVIKrd3HChTNq+sQOqki5Vo84ycnFTZ9aS2fuOIQ"
	"N8v6DdUTpFzlchVxVEAZ2ndv3q0rX/RZ7k1fgb3+d3hEzJMXz/LqBLJkTNA/vFZCngoMCYJ7JY9/zJ9aVfb7eAr2jReRpvC1wttn"
	"PFBZB3/peHD/hh/ciNLbuf02+k6oBy62lqh0RGgM188PX+nYrgfm7fiLUJRqcTTqiVLI+Lap2J0UJE4LTsWbuGHLq0jHln0aAoh9"
	"FAbVu8o5FHg+ClS+oJjaqGM8mXohGXmzBnsS8Sq7AQ==";

static const char SIGNATURE_IN_HEX[] =
	"a835a9fa2ee5905875e1054655c2f1c62865741a3c4024cf60b6a3ae794ff53cc0608ba1e8b9c536f8cfab358aad520aaddd"
	"c70a14cdabeb103aa922e55a3ce3272715367d692d9fb8e21037cbfa0dd513a45ce5721571544019da776fdead2b5ff459ee"
	"4d5f81bdfe777844cc9317cff2ea04b2644cd03fbc56429e0a0c09827b258f7fcc9f5a55f6fb780af68d1791a6f0b5c2db67"
	"3c5059077fe97870ff861fdc88d2dbb9fd36fa4ea8072eb696a87444680cd7cf0f5fe9d8ae07e6edf88b50946a7134ea8952"
	"c8f8b6a9d89d14244e0b4ec59bb861cbab48c7967d1a02887d1406d5bbca3914783e0a54bea098daa8633c997a211979b306"
	"7b12f12abb01";

static const char SIGNATURE_BY_ANOTHER[] =
	"juP0wwEAvzS9BgaGuCFw0BoP7eF5UHHHlbw+wasMlxLs2lGAFK/puFy7fd7URic+Km3zm9QLHhpH5NuBK+/M/R6oSmn5KP+UYAwU"
	"omarORMCwVPUMDu4GqXAD6/q6FFviNmVbC5PaW1FRZQLdl2ywNjV8fUV2/XeJ1bMIb5CS7qrr3EKcy0ZfMvpmUsLaJ58LjIIGXjJ"
	"mOEd0jP7jGiqx2GB0Pl9uDtUvHvAGhrPenmqH5giX1XI2lzysOLuE/s2JtxqX5o2iwxqNiHiF4r4gAM6ltPKuPGiGcQsGnIAAg2T"
	"AICe42UfenFOGvdXduGfpSmTRCLeY/qk975elZkzIg==";

static void verifies_rsa(const char *key, enum encoding encoding, const char *signature)
{
	begin(&(struct signer_settings){.scheme = SCHEME_RSA, .header = "X-Signature-SHA256", .encoding = encoding},
		key, INT64_MAX);
	sent_set(&sent, "x-signature-sha256", signature);
	cr_expect(verify(BODY), "%s", report.text);
	cr_expect_not(signer.secrets[0].is_shared);
	is_refused("{\"transaction_id\":\"txn_1\",\"amount\":1501}", SIGNATURE_WRONG, "no secret of ours");
	sent_set(&sent, "x-signature-sha256", encoding == ENCODING_HEX ? "00" : "AAAA");
	is_refused(BODY, SIGNATURE_WRONG, "no secret of ours");
	sent_set(&sent, "x-signature-sha256", "?");
	is_refused(BODY, SIGNATURE_MALFORMED, "its signature is not in");
	sent_set(&sent, "x-signature-sha256", NULL);
	is_refused(BODY, SIGNATURE_MISSING, "x-signature-sha256 is missing");
	signer_finish(&signer);
}

Test(signature_plain, verifies_rsa_by_a_public_key_or_a_certificate)
{
	verifies_rsa(PUBLIC_KEY, ENCODING_BASE64, SIGNATURE_BASE64);
	verifies_rsa(PUBLIC_KEY, ENCODING_HEX, SIGNATURE_IN_HEX);
	verifies_rsa(CERTIFICATE, ENCODING_BASE64, SIGNATURE_BASE64);
}

Test(signature_plain, refuses_rsa_by_another_key)
{
	begin(
		&(struct signer_settings){
			.scheme = SCHEME_RSA, .header = "X-Signature-SHA256", .encoding = ENCODING_BASE64},
		PUBLIC_KEY, INT64_MAX);
	sent_set(&sent, "x-signature-sha256", SIGNATURE_BY_ANOTHER);
	is_refused(BODY, SIGNATURE_WRONG, "no secret of ours");
	signer_finish(&signer);
}
