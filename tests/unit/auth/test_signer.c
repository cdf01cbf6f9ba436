/* test_signer.c - configuring a source's signature scheme and secrets, and the errors in a configuration. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "auth/signer.h"

static void accepts(const struct signer_settings *settings, struct signer *ret)
{
	struct fault f = {FAULT_BUG, "untouched"};
	cr_assert(signer_init(ret, settings, &f), "%s", f.text);
	cr_expect_str_eq(f.text, "untouched");
}

static void refuses(const struct signer_settings *settings, const char *why)
{
	struct signer s = {.count = 77};
	struct fault f = {FAULT_BUG, ""};
	cr_expect_not(signer_init(&s, settings, &f), "accepted; expected \"%s\"", why);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "\"%s\" lacks \"%s\"", f.text, why);
	cr_expect_eq(s.count, 77, "the result was touched");
}

Test(signer, every_scheme_has_a_name_of_its_own)
{
	for (int i = 0; i < SCHEME_COUNT; i++) {
		cr_assert_not_null(scheme_name((enum scheme)i));
		for (int before = 0; before < i; before++)
			cr_expect_str_neq(scheme_name((enum scheme)before), scheme_name((enum scheme)i));
	}
}

Test(signer, keeps_what_the_generic_scheme_is_given)
{
	struct signer s;
	struct signer_settings settings = {.scheme = SCHEME_HMAC,
		.tolerance_s = 60,
		.header = "X-Bank-Signature",
		.prefix = "v1=",
		.algorithm = DIGEST_HMAC_SHA512,
		.encoding = ENCODING_BASE64,
		.timestamp_header = "X-Bank-Time",
		.separator = ""};
	accepts(&settings, &s);
	cr_expect_str_eq(s.header, "x-bank-signature");
	cr_expect_str_eq(s.timestamp_header, "x-bank-time");
	cr_expect_str_eq(s.prefix, "v1=");
	cr_expect_str_empty(s.separator);
	cr_expect_eq(s.tolerance_s, 60);
	cr_expect_eq(s.algorithm, DIGEST_HMAC_SHA512);
	cr_expect_eq(s.encoding, ENCODING_BASE64);
	cr_expect_eq(s.count, 0);
	settings = (struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .timestamp_header = "b"};
	accepts(&settings, &s);
	cr_expect_str_eq(s.separator, ".");
	cr_expect_eq(s.tolerance_s, 300);
	cr_expect_eq(s.algorithm, DIGEST_HMAC_SHA256);
	cr_expect_eq(s.encoding, ENCODING_HEX);
}

Test(signer, refuses_what_is_missing)
{
	refuses(&(struct signer_settings){.scheme = SCHEME_SQUARE}, "url is missing, which square needs");
	refuses(&(struct signer_settings){.scheme = SCHEME_PAYPAL}, "webhook_id is missing, which paypal needs");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC}, "header is missing, which hmac needs");
	refuses(&(struct signer_settings){.scheme = SCHEME_PAYPAL, .webhook_id = ""}, "webhook_id is empty");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = ""}, "header is empty");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .separator = "."},
		"separator has no meaning");
}

Test(signer, refuses_what_has_no_meaning_in_its_scheme)
{
	struct signer_settings all = {.url = "https://a/",
		.webhook_id = "a",
		.header = "a",
		.prefix = "a",
		.timestamp_header = "a",
		.separator = "a"};
	for (int i = 0; i < SCHEME_COUNT; i++) {
		all.scheme = (enum scheme)i;
		refuses(&all, "has no meaning for");
	}
	const enum scheme timeless[] = {SCHEME_RAZORPAY, SCHEME_GITHUB, SCHEME_ADYEN};
	for (size_t i = 0; i < COUNT_OF(timeless); i++)
		refuses(&(struct signer_settings){.scheme = timeless[i], .tolerance_s = 300}, "no time is signed");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .tolerance_s = 300},
		"no time is signed");
}

Test(signer, refuses_what_is_too_long_or_not_in_its_form)
{
	char longer[SIGNER_URL_MAX + 2];
	memset(longer, 'a', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	memcpy(longer, "https://a/", 10);
	refuses(&(struct signer_settings){.scheme = SCHEME_SQUARE, .url = longer}, "url is longer than 1023 bytes");
	refuses(&(struct signer_settings){.scheme = SCHEME_SQUARE, .url = "pay.example"},
		"url: it begins with neither");
	refuses(&(struct signer_settings){.scheme = SCHEME_PAYPAL, .webhook_id = longer}, "webhook_id is longer");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = longer}, "header is longer than 255 bytes");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .prefix = longer}, "prefix is longer");
	refuses(&(struct signer_settings){.scheme = SCHEME_STRIPE, .tolerance_s = -1},
		"tolerance_s is not 1 to 604800");
	refuses(&(struct signer_settings){.scheme = SCHEME_STRIPE, .tolerance_s = 604801},
		"tolerance_s is not 1 to 604800");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .prefix = "\xc3\xa9="},
		"prefix holds a byte");
	refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .prefix = "a\n"},
		"prefix holds a byte");
	const char *bad[] = {"X Signature", "X-Signature:", "x_signature", "\xc3\xa9", "a\n", "X-Signature "};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = bad[i]},
			"header is no header's name");
		refuses(&(struct signer_settings){.scheme = SCHEME_HMAC, .header = "a", .timestamp_header = bad[i]},
			"timestamp_header is no header's name");
	}
}

static void refuses_secret(enum scheme scheme, const char *secret, const char *why)
{
	struct signer s;
	struct signer_settings settings = {.scheme = scheme,
		.webhook_id = scheme == SCHEME_PAYPAL ? "a" : NULL,
		.header = scheme == SCHEME_RSA ? "a" : NULL};
	struct fault f = {FAULT_BUG, ""};
	accepts(&settings, &s);
	cr_expect_not(signer_add_secret(&s, secret, strlen(secret), INT64_MAX, &f), "\"%s\" is accepted", secret);
	cr_expect_eq(f.kind, FAULT_INPUT);
	cr_expect_not_null(strstr(f.text, why), "\"%s\": \"%s\" lacks \"%s\"", secret, f.text, why);
	cr_expect(strlen(secret) < 8 || !strstr(f.text, secret), "the fault quotes the secret");
	cr_expect_eq(s.count, 0);
}

Test(signer, refuses_secrets_that_are_not_in_their_providers_form)
{
	char longer[1400] = "whsec_";
	memset(longer + 6, 'A', sizeof longer - 7);
	longer[6 + 1024] = '\0';
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "", "empty");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "whsec_", "empty");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "whsec_not base64!", "not padded base64");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "not padded base64");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, longer, "at most 512 bytes");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "32 bytes, not 24");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "private key");
	refuses_secret(SCHEME_ADYEN, "", "empty");
	refuses_secret(SCHEME_ADYEN, "DFB1EB5485895CFA8", "not hexadecimal");
	refuses_secret(SCHEME_ADYEN, "whatever this may be", "not hexadecimal");
	refuses_secret(SCHEME_PAYPAL, "8PT597110X687430LKGECATA", "no certificate in PEM");
	refuses_secret(SCHEME_STRIPE, "", "empty");
	refuses_secret(SCHEME_RAZORPAY, "", "empty");
	refuses_secret(SCHEME_GITHUB, "", "empty");
}

Test(signer, takes_secrets_of_both_kinds_up_to_four)
{
	struct signer s;
	struct fault f;
	struct signer_settings settings = {.scheme = SCHEME_STANDARD_WEBHOOKS};
	const char *secrets[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"v1a,whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="};
	accepts(&settings, &s);
	for (size_t i = 0; i < COUNT_OF(secrets); i++)
		cr_assert(signer_add_secret(&s, secrets[i], strlen(secrets[i]), 1000 * (int64_t)i, &f), "%s", f.text);
	cr_expect_not(signer_add_secret(&s, secrets[0], strlen(secrets[0]), INT64_MAX, &f));
	cr_expect_not_null(strstr(f.text, "more than 4 secrets"));
	cr_expect_eq(s.count, 4);
	cr_expect_eq(s.secrets[0].not_after_s, 0);
	cr_expect_eq(s.secrets[3].not_after_s, 3000);
	signer_finish(&s);
	cr_expect_eq(s.count, 0);
	signer_finish(&s);
	signer_finish(NULL);
}

/* With a public key as a shared secret, anyone could sign. */
Test(signer, takes_no_public_key_for_a_shared_secret)
{
	refuses_secret(
		SCHEME_STANDARD_WEBHOOKS, "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "neither whsec_ nor whpk_");
	refuses_secret(SCHEME_STANDARD_WEBHOOKS, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "neither whsec_ nor whpk_");
	const enum scheme shared[] = {SCHEME_STRIPE, SCHEME_GITHUB, SCHEME_RAZORPAY, SCHEME_HMAC, SCHEME_TOKEN};
	const char *const keys[] = {"whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
		"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea",
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyoopiEHaw5R7Kytde2x9VIjfB94SrHvlW1yM",
		"MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEA3gS9kh5yvO6+KVaH",
		"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDE9m6fICriMu8N1FhkUZDYkciE",
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJSs7fGekyR1q"};
	for (size_t i = 0; i < COUNT_OF(shared); i++) {
		for (size_t k = 0; k < COUNT_OF(keys); k++) {
			struct signer s = {.scheme = shared[i]};
			struct fault f = {FAULT_BUG, ""};
			cr_expect_not(signer_add_secret(&s, keys[k], strlen(keys[k]), INT64_MAX, &f), "%s takes %s",
				scheme_name(shared[i]), keys[k]);
			cr_expect_not_null(strstr(f.text, "public key"), "%s", f.text);
		}
	}
	struct signer s = {.scheme = SCHEME_STANDARD_WEBHOOKS, .key = KEY_BASE64};
	struct fault f;
	cr_expect_not(signer_add_secret(&s, keys[1], strlen(keys[1]), INT64_MAX, &f));
}

/* Of RSA and of ECDSA, as it stands in a PEM file between its lines, and in other forms; and a certificate. */
Test(signer, takes_no_public_key_in_der_for_a_shared_secret)
{
	static const char *const keys[] = {
		/* SubjectPublicKeyInfo of RSA, the RSAPublicKey in it, and a certificate of it */
		"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr/kGll/Jyf3WbXUmD1FFVT539NSf/Fzr9rcVZg/3RkEe"
		"L7zsA2D9D5GhYWqUR+fFYMKyE0qAsdZ8hSIxBtOhOO7UkZj8rq51ki9/cUB/mkhfLnkdbcStGSJqBhqTRVCJgO1o"
		"LD+nM+R0Gr1lAQ+3LrfNbQNR3QG0MJzpq8HcVQU/w92c7jErLJwtniFLZy3Tt5C36BvEQL/kB+4C5UdJIbstppIA"
		"md24p2arJigWSHilMOILV5gve97AkMQrje4Kz+xulHj8yUdqbugLSSJHVBNvszZqvjrBq0Cn9MKpmdttd+AZJ3Tb"
		"2HeXDwStnZzxJEQOvN/dcbkyfVIy6GPUIQIDAQAB",
		"MIIBCgKCAQEAr/kGll/Jyf3WbXUmD1FFVT539NSf/Fzr9rcVZg/3RkEeL7zsA2D9D5GhYWqUR+fFYMKyE0qAsdZ8"
		"hSIxBtOhOO7UkZj8rq51ki9/cUB/mkhfLnkdbcStGSJqBhqTRVCJgO1oLD+nM+R0Gr1lAQ+3LrfNbQNR3QG0MJzp"
		"q8HcVQU/w92c7jErLJwtniFLZy3Tt5C36BvEQL/kB+4C5UdJIbstppIAmd24p2arJigWSHilMOILV5gve97AkMQr"
		"je4Kz+xulHj8yUdqbugLSSJHVBNvszZqvjrBq0Cn9MKpmdttd+AZJ3Tb2HeXDwStnZzxJEQOvN/dcbkyfVIy6GPU"
		"IQIDAQAB",
		"MIIDATCCAemgAwIBAgIUNGkeLTLIpIHl8gkms4r4vlb5b+owDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEdGVz"
		"dDAgFw0yNjExMzAwMDU5MDBaGA8yMTI2MTEwNjAwNTkwMFowDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcN"
		"AQEBBQADggEPADCCAQoCggEBAK/5BpZfycn91m11Jg9RRVU+d/TUn/xc6/a3FWYP90ZBHi+87ANg/Q+RoWFqlEfn"
		"xWDCshNKgLHWfIUiMQbToTju1JGY/K6udZIvf3FAf5pIXy55HW3ErRkiagYak0VQiYDtaCw/pzPkdBq9ZQEPty63"
		"zW0DUd0BtDCc6avB3FUFP8PdnO4xKyycLZ4hS2ct07eQt+gbxEC/5AfuAuVHSSG7LaaSAJnduKdmqyYoFkh4pTDi"
		"C1eYL3vewJDEK43uCs/sbpR4/MlHam7oC0kiR1QTb7M2ar46watAp/TCqZnbbXfgGSd029h3lw8ErZ2c8SREDrzf"
		"3XG5Mn1SMuhj1CECAwEAAaNTMFEwHQYDVR0OBBYEFDQ3ksMRZQKWoMsPTyJ0KO2tQoukMB8GA1UdIwQYMBaAFDQ3"
		"ksMRZQKWoMsPTyJ0KO2tQoukMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBACD7SKJ+5ov8tE5J"
		"jCKEFiF8xDEj+3aTVD9nEXt6zyYLiotgO/rVW7QGRkG5zbHMCSJ4q9aDz/KCLIKqhBuvxiDCxE8oe1PHDoEYYJsL"
		"rCbLQXBAeqEcfyDPrgWu5PH8jydHZ9QGhQLTMqmjjZNnvbhAGP57dXXYylblbyoLGXb8zAerVvfOLxL1ibtTEpsP"
		"pYe1VS+SdSeHwTDtTwXs8yjlkEdB2nwBuaCczh1ZiDmd84ia0lNCp1xOqKvkbuteJbciNfLNjlL1/un9ldQEk00f"
		"YNCAliVUETxNc/uJNnhunhyCKcny3/rW7a6odupAf2iwt0Xxq7r1CcrqvTx28WE=",
		/* of ECDSA, in base64 and in hex */
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE40ZWmZLoaYj1kQA8LWDxBjg1cTXG+vdOdkrTOjyCGfqdHp9Q69bs"
		"ktFQzE+8efLD8V4LqQ2wFattun2fpM9MhQ==",
		"3059301306072a8648ce3d020106082a8648ce3d03010703420004e346569992e86988f591003c2d60f10638"
		"357135c6faf74e764ad33a3c8219fa9d1e9f50ebd6ec92d150cc4fbc79f2c3f15e0ba90db015ab6dba7d9fa4"
		"cf4c85",
		"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB"};
	static const enum key_form forms[] = {KEY_TEXT, KEY_HEX, KEY_BASE64};
	for (size_t i = 0; i < COUNT_OF(keys) * COUNT_OF(forms); i++) {
		const char *key = keys[i / COUNT_OF(forms)];
		struct signer s = {.scheme = SCHEME_HMAC, .key = forms[i % COUNT_OF(forms)]};
		struct fault f = {FAULT_BUG, ""};
		cr_expect_not(signer_add_secret(&s, key, strlen(key), INT64_MAX, &f), "%s is taken", key);
		cr_expect_not_null(strstr(f.text, "public key"), "%s: %s", key, f.text);
	}
	/* What only begins as one in hex, and digits that could be the head of one. */
	static const char *const secrets[] = {
		"3059301306072a8648ce3d020106082a8648ce3d030107", "00000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < COUNT_OF(secrets); i++) {
		struct signer other = {.scheme = SCHEME_HMAC};
		struct fault f;
		cr_expect(signer_add_secret(&other, secrets[i], strlen(secrets[i]), INT64_MAX, &f), "%s", secrets[i]);
		signer_finish(&other);
	}
}

Test(signer, reads_a_secret_in_the_form_that_key_names)
{
	static const struct {
		enum scheme scheme;
		enum key_form form;
		const char *text;
	} same[] = {{SCHEME_HMAC, KEY_AS_ISSUED, "sixteen bytes ok"}, {SCHEME_HMAC, KEY_TEXT, "sixteen bytes ok"},
		{SCHEME_HMAC, KEY_HEX, "7369787465656e206279746573206f6B"},
		{SCHEME_HMAC, KEY_BASE64, "c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_TEXT, "sixteen bytes ok"},
		{SCHEME_STANDARD_WEBHOOKS, KEY_BASE64, "c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_BASE64, "whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_AS_ISSUED, "v1,whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_HEX, "7369787465656e206279746573206f6b"},
		/* An HMAC fills its key up with zero bytes. */
		{SCHEME_HMAC, KEY_HEX, "7369787465656e206279746573206f6B0000"}};
	struct signer first = {.scheme = SCHEME_TOKEN};
	struct fault f;
	cr_assert(signer_add_secret(&first, "sixteen bytes ok", 16, INT64_MAX, &f));
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		struct signer s = {.scheme = same[i].scheme, .key = same[i].form};
		cr_assert(signer_add_secret(&s, same[i].text, strlen(same[i].text), INT64_MAX, &f), "%s", f.text);
		cr_expect(signer_has_secret(&first, &s.secrets[0]), "%s", same[i].text);
		cr_expect_not(signer_secret_is_short(&s.secrets[0]));
		signer_finish(&s);
	}
	struct signer other = {.scheme = SCHEME_TOKEN};
	cr_assert(signer_add_secret(&other, "sixteen bytes o", 15, INT64_MAX, &f));
	cr_expect_not(signer_has_secret(&first, &other.secrets[0]));
	cr_expect(signer_secret_is_short(&other.secrets[0]));
	cr_assert(signer_set_basic(&other, "user:password1", 14, INT64_MAX, &f));
	cr_expect(signer_secret_is_short(&other.basic));
	cr_expect_not(signer_has_secret(&other, &first.secrets[0]));
	cr_expect_not(signer_has_secret(&first, &other.basic));
	signer_finish(&other);
	signer_finish(&first);
	refuses(&(struct signer_settings){.scheme = SCHEME_STRIPE, .key = KEY_HEX}, "key has no meaning for stripe");
}

/* A provider has the text of its secret, and could sign for a source that reads it in another form. */
Test(signer, knows_a_secret_that_two_sources_read_in_two_forms)
{
	static const struct {
		enum scheme scheme;
		enum key_form form;
		const char *text;
	} one[] = {{SCHEME_STRIPE, KEY_AS_ISSUED, "whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_AS_ISSUED, "whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_AS_ISSUED, "v1,whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_STANDARD_WEBHOOKS, KEY_TEXT, "whsec_c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_HMAC, KEY_TEXT, "c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_HMAC, KEY_BASE64, "c2l4dGVlbiBieXRlcyBvaw=="},
		{SCHEME_TOKEN, KEY_AS_ISSUED, "c2l4dGVlbiBieXRlcyBvaw=="}};
	struct signer s[COUNT_OF(one)], other = {.scheme = SCHEME_GITHUB};
	struct fault f;
	cr_assert(signer_add_secret(&other, "c2l4dGVlbiBieXRlcyBvay==", 24, INT64_MAX, &f), "%s", f.text);
	for (size_t i = 0; i < COUNT_OF(one); i++) {
		s[i] = (struct signer){.scheme = one[i].scheme, .key = one[i].form};
		cr_assert(signer_add_secret(&s[i], one[i].text, strlen(one[i].text), INT64_MAX, &f), "%s", f.text);
		cr_expect_not(signer_has_secret(&s[i], &other.secrets[0]), "%zu", i);
		for (size_t k = 0; k <= i; k++)
			cr_expect(signer_has_secret(&s[k], &s[i].secrets[0]), "%zu and %zu", k, i);
	}
	for (size_t i = 0; i < COUNT_OF(one); i++)
		signer_finish(&s[i]);
	signer_finish(&other);
}

Test(signer, refuses_what_editors_leave_around_a_secret)
{
	refuses_secret(SCHEME_GITHUB,
		"\xef\xbb\xbf"
		"sixteen bytes ok",
		"byte order mark");
	refuses_secret(SCHEME_GITHUB, "\xff\xfes\x01i\x01x\x01", "byte order mark");
	refuses_secret(SCHEME_GITHUB, "one of sixteen b\nanother of them!", "several lines");
	refuses_secret(SCHEME_GITHUB, "one of sixteen b\ranother of them!", "several lines");
	refuses_secret(SCHEME_GITHUB, " sixteen bytes ok", "begins or ends with a blank");
	refuses_secret(SCHEME_GITHUB, "sixteen bytes ok\t", "begins or ends with a blank");
	refuses_secret(SCHEME_GITHUB, "\nsixteen bytes ok", "begins or ends with a blank");
	refuses_secret(SCHEME_BASIC, "user: password of many\n", "begins or ends with a blank");
	refuses_secret(SCHEME_PAYPAL, "\xef\xbb\xbf-----BEGIN CERTIFICATE-----\n", "byte order mark");
}

Test(signer, takes_a_user_and_a_password_for_http_basic)
{
	refuses_secret(SCHEME_BASIC, "no colon in these words", "not user:password");
	refuses_secret(SCHEME_BASIC, ":password without a user", "not user:password");
	refuses_secret(SCHEME_BASIC, "user without a password:", "not user:password");
	struct signer s = {.scheme = SCHEME_STRIPE};
	struct fault f;
	cr_expect_not(signer_sends_secret(&s));
	cr_expect_not(signer_set_basic(&s, "user", 4, INT64_MAX, &f));
	cr_assert(signer_set_basic(&s, "user:pass:word", 14, 7, &f));
	cr_expect(signer_sends_secret(&s));
	cr_expect_eq(s.basic.not_after_s, 7);
	signer_finish(&s);
	cr_expect_null(s.basic.key);
}

/* No request with a longer one would be read, and its webhooks would all be refused. */
Test(signer, takes_no_token_or_password_that_no_header_can_bring)
{
	static char secret[DIGEST_SIGNATURE_MAX + 2];
	const enum scheme sent[] = {SCHEME_TOKEN, SCHEME_BASIC};
	struct fault f;
	memset(secret, 'x', DIGEST_SIGNATURE_MAX + 1);
	secret[1] = ':';
	for (size_t i = 0; i < COUNT_OF(sent); i++) {
		struct signer s = {.scheme = sent[i]};
		cr_expect_not(signer_add_secret(&s, secret, DIGEST_SIGNATURE_MAX + 1, INT64_MAX, &f));
		cr_expect_not_null(strstr(f.text, "longer than 512 bytes"), "%s", f.text);
		cr_expect(signer_add_secret(&s, secret, DIGEST_SIGNATURE_MAX, INT64_MAX, &f), "%s", f.text);
		signer_finish(&s);
	}
	struct signer s = {.scheme = SCHEME_STRIPE};
	cr_expect_not(signer_set_basic(&s, secret, DIGEST_SIGNATURE_MAX + 1, INT64_MAX, &f));
	cr_expect_null(s.basic.key);
}

Test(signer, takes_one_rsa_key_a_secret)
{
	refuses_secret(SCHEME_RSA, "not a key", "neither a public key");
	refuses_secret(SCHEME_RSA, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "private key");
	refuses_secret(SCHEME_RSA,
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n-----BEGIN PUBLIC KEY-----\n",
		"2 keys or certificates");
	refuses_secret(SCHEME_RSA,
		"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
		"-----END PUBLIC KEY-----\n",
		"the key is not RSA");
}
