/* test_signature_published.c - requests, keys and signatures that the providers themselves have published.  Each was
 * also verified with Python's hmac module or the openssl command. */

#include <criterion/criterion.h>
#include <string.h>

#include "auth/signature.h"
#include "support/signing.h"

/* A published request: settings, one secret, headers, body.  now_s is the time at which it was signed. */
static void verifies(
	const struct signer_settings *settings, const char *secret, struct sent *sent, const char *body, int64_t now_s)
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signature_request request = {sent_header, sent, body, strlen(body), NULL, NULL};
	char changed[4096];
	cr_assert(signer_init(&s, settings, &f), "%s", f.text);
	cr_assert(signer_add_secret(&s, secret, strlen(secret), INT64_MAX, &f), "%s", f.text);
	cr_expect(signature_verify(&s, &request, now_s, &r), "%s: %s", scheme_name(settings->scheme), r.text);
	memcpy(changed, body, strlen(body) + 1);
	changed[strlen(body) / 2] ^= 1;
	request.body = changed;
	cr_expect_not(signature_verify(&s, &request, now_s, &r));
	cr_expect_eq(r.cause, SIGNATURE_WRONG, "%s", r.text);
	signer_finish(&s);
}

/* GitHub's documentation, "Validating webhook deliveries". */
Test(signature_published, github)
{
	struct signer_settings settings = {.scheme = SCHEME_GITHUB};
	struct sent sent = {1,
		{{"x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}}};
	verifies(&settings, "It's a Secret to Everybody", &sent, "Hello, World!", 0);
}

/* standard-webhooks/standard-webhooks, libraries/go/webhook_test.go. */
Test(signature_published, standard_webhooks)
{
	struct signer_settings settings = {.scheme = SCHEME_STANDARD_WEBHOOKS};
	struct sent sent = {3, {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"},
				       {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}};
	verifies(&settings, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &sent, "{\"test\": 2432232314}", 1614265330);
	settings.key = KEY_BASE64;
	verifies(&settings, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &sent, "{\"test\": 2432232314}", 1614265330);
	settings.key = KEY_AS_ISSUED;
	/* The valid signature among others that are wrong, of an unknown version, or no signatures: "valid multi sig"
	 * of the same file. */
	sent_set(&sent, "webhook-signature",
		"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1,nonsense "
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=");
	verifies(&settings, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &sent, "{\"test\": 2432232314}", 1614265330);
}

/* The same request under Svix's names of the headers, which are never mixed with the others. */
Test(signature_published, standard_webhooks_of_svix)
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_STANDARD_WEBHOOKS};
	struct sent sent = {3, {{"svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"svix-timestamp", "1614265330"},
				       {"svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}};
	static const char BODY[] = "{\"test\": 2432232314}", KEY[] = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	static const char *const mixed[] = {"webhook-id", "webhook-timestamp"};
	struct signature_request request = {sent_header, &sent, BODY, strlen(BODY), NULL, NULL};
	verifies(&settings, KEY, &sent, BODY, 1614265330);
	cr_assert(signer_init(&s, &settings, &f));
	cr_assert(signer_add_secret(&s, KEY, strlen(KEY), INT64_MAX, &f), "%s", f.text);
	for (size_t i = 0; i < COUNT_OF(mixed); i++) {
		sent_set(&sent, mixed[i], "1614265330");
		cr_expect_not(signature_verify(&s, &request, 1614265330, &r), "%s", mixed[i]);
		cr_expect_eq(r.cause, SIGNATURE_MALFORMED, "%s", r.text);
		sent_set(&sent, mixed[i], NULL);
	}
	sent_set(&sent, "svix-signature", NULL);
	sent_set(&sent, "webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	cr_expect_not(signature_verify(&s, &request, 1614265330, &r));
	cr_expect_eq(r.cause, SIGNATURE_MISSING);
	signer_finish(&s);
}

/* webhook_asymmetric_test.go of the same repository; the public key is derived from the private key in that file. */
Test(signature_published, standard_webhooks_with_ed25519)
{
	struct signer_settings settings = {.scheme = SCHEME_STANDARD_WEBHOOKS};
	struct sent sent = {
		3, {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"}, {"webhook-timestamp", "1614265330"},
			   {"webhook-signature", "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHe"
						 "YGb7KaaBRdM5WqyeFiL8Ag=="}}};
	verifies(&settings, "whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=", &sent, "{\"test\": 2432232314}",
		1614265330);
}

/* razorpay/razorpay-node, test/utils/razorpay-utils.spec.js. */
Test(signature_published, razorpay)
{
	struct signer_settings settings = {.scheme = SCHEME_RAZORPAY};
	struct sent sent = {
		1, {{"x-razorpay-signature", "2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc"}}};
	verifies(&settings, "123456", &sent, "{\"a\":1,\"b\":2,\"c\":{\"d\":3}}", 0);
}

/* square/square-nodejs-sdk, tests/integration/webhooks.test.ts. */
Test(signature_published, square)
{
	struct signer_settings settings = {
		.scheme = SCHEME_SQUARE, .url = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"};
	struct sent sent = {1, {{"x-square-hmacsha256-signature", "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="}}};
	verifies(&settings, "Ibxx_5AKakO-3qeNVR61Dw", &sent,
		"{\"merchant_id\":\"MLEFBHHSJGVHD\",\"type\":\"webhooks.test_notification\",\"event_id\":"
		"\"ac3ac95b-f97d-458c-a6e6-18981597e05f\",\"created_at\":\"2022-07-13T20:30:59.037339943Z\",\"data\":{\"type\":"
		"\"webhooks\",\"id\":\"bc368e64-01aa-407e-b46e-3231809b1129\"}}",
		0);
	settings.url = "https://webhook.site/webhooks";
	sent_set(&sent, "x-square-hmacsha256-signature", "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=");
	verifies(&settings, "signature-key", &sent, "{\"data\":{\"type\":\"webhooks\",\"id\":\">id<\"}}", 0);
}

static void verifies_item(const char *key, const char *signature, const char *const field[ADYEN_FIELDS])
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_ADYEN};
	struct signature_item item = {.signature = {signature, strlen(signature)}};
	cr_assert(signer_init(&s, &settings, &f));
	cr_assert(signer_add_secret(&s, key, strlen(key), INT64_MAX, &f), "%s", f.text);
	for (int i = 0; i < ADYEN_FIELDS; i++)
		item.field[i] = (struct digest_part){field[i], strlen(field[i])};
	cr_expect(signature_verify_item(&s, &item, 0, &r), "%s: %s", field[0], r.text);
	item.field[ADYEN_VALUE] = (struct digest_part){"1131", 4};
	cr_expect_not(signature_verify_item(&s, &item, 0, &r));
	cr_expect_eq(r.cause, SIGNATURE_WRONG, "%s", r.text);
	signer_finish(&s);
}

/* In this order: adyen-php-api-library, tests/Adyen/Util/HmacSignatureTest.php; adyen-node-api-library,
 * src/__tests__/hmacValidator.spec.ts; adyen-java-api-library, HMACValidatorTest.java, twice.  The reference of the
 * last one contains a colon and backslashes, which shows that nothing is escaped. */
Test(signature_published, adyen)
{
	verifies_item("DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00",
		"Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I=",
		(const char *[]){"7914073381342284", "", "TestMerchant", "TestPayment-1407325143704", "1130", "EUR",
			"AUTHORISATION", "true"});
	verifies_item("DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00",
		"xhpHvYq2u2Np0rstbZ6QjLGu7JWhvf7Iwaa6EviJSX0=",
		(const char *[]){"pspReference", "originalReference", "merchantAccount", "reference", "1000", "EUR",
			"CAPTURE", "true"});
	verifies_item("9064450A8892A093D9E97EFCC9639DE31B74F3A7803135555A3C96F5A57915D6",
		"NuEkADFmlCC6VgX+wcoPAegIWxVPNBPCuKlM4Hzo5qc=",
		(const char *[]){"test_REPORT_AVAILABLE", "", "Magento2Rik", "testMerchantRef1", "0", "EUR",
			"REPORT_AVAILABLE", "true"});
	verifies_item("74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174",
		"CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=",
		(const char *[]){"ZVWN7D3WSMK2WN82", "", "AntoniStroinski", "\\:/\\/slashes are fun", "1000", "EUR",
			"AUTHORISATION", "true"});
}

/* Two requests that PayPal itself signed, and its certificates of that time.
 *
 * 2015: the event that PayPal's SDK for Ruby verifies (spec/webhooks_examples_spec.rb), with the certificate that the
 * recorded answers of its SDK for node contain for the same URL.
 * 2025: sent by PayPal's webhook simulator, whose webhook id is the word WEBHOOK_ID. */
static const char CERTIFICATE_2015[] = "-----BEGIN CERTIFICATE-----\n"
				       "MIIHqDCCBpCgAwIBAgIQCSVMkxB1Kw9SPZtpAr3lTDANBgkqhkiG9w0BAQsFADB1\n"
				       "MQswCQYDVQQGEwJVUzEVMBMGA1UEChMMRGlnaUNlcnQgSW5jMRkwFwYDVQQLExB3\n"
				       "d3cuZGlnaWNlcnQuY29tMTQwMgYDVQQDEytEaWdpQ2VydCBTSEEyIEV4dGVuZGVk\n"
				       "IFZhbGlkYXRpb24gU2VydmVyIENBMB4XDTE1MDMxODAwMDAwMFoXDTE3MDMyMjEy\n"
				       "MDAwMFowggElMR0wGwYDVQQPDBRQcml2YXRlIE9yZ2FuaXphdGlvbjETMBEGCysG\n"
				       "AQQBgjc8AgEDEwJVUzEZMBcGCysGAQQBgjc8AgECEwhEZWxhd2FyZTEQMA4GA1UE\n"
				       "BRMHMzAxNDI2NzEWMBQGA1UECRMNMjIxMSBOIDFzdCBTdDEOMAwGA1UEERMFOTUx\n"
				       "MzExCzAJBgNVBAYTAlVTMRMwEQYDVQQIEwpDYWxpZm9ybmlhMREwDwYDVQQHEwhT\n"
				       "YW4gSm9zZTEVMBMGA1UEChMMUGF5UGFsLCBJbmMuMRgwFgYDVQQLEw9QYXJ0bmVy\n"
				       "IFN1cHBvcnQxNDAyBgNVBAMTK21lc3NhZ2V2ZXJpZmljYXRpb25jZXJ0cy5zYW5k\n"
				       "Ym94LnBheXBhbC5jb20wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDI\n"
				       "XgwJj1E+vPOLNA7e3nFsRpQq7G1CFcoCNeRgFIGRfd4itt2jBRPfHXf1eeXODQ6V\n"
				       "wTMP6rVYrI3HBQu5SZRZKO3gALPiBWTcz5FhVovYDz/d/DtasA5L7l1xmRM+GGPE\n"
				       "e/D3ETPeyym6GTAuIzR1ju1BuSQlVnIrcILDHrFZo0RyqFH1eNL3oYfgz+ZCv+WH\n"
				       "65rhS60VowiLAb2lsARckJ2P8wKIps3YUxAqVG5SJ9H49ueBDI01wEzE/+59J8s9\n"
				       "GThmbMTqP6x4MneAcGN1TPimGd9wZlbwwrCYDtCoqFDcxMVgvD83uPrIinFwTIOX\n"
				       "w63QSv8/+ANuawBcNJDrAgMBAAGjggOAMIIDfDAfBgNVHSMEGDAWgBQ901Cl1qCt\n"
				       "7vNKYApl0yHU+PjWDzAdBgNVHQ4EFgQUt5yLggZOjjfzULzZCgX2KZO3R/gwNgYD\n"
				       "VR0RBC8wLYIrbWVzc2FnZXZlcmlmaWNhdGlvbmNlcnRzLnNhbmRib3gucGF5cGFs\n"
				       "LmNvbTAOBgNVHQ8BAf8EBAMCBaAwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUF\n"
				       "BwMCMHUGA1UdHwRuMGwwNKAyoDCGLmh0dHA6Ly9jcmwzLmRpZ2ljZXJ0LmNvbS9z\n"
				       "aGEyLWV2LXNlcnZlci1nMS5jcmwwNKAyoDCGLmh0dHA6Ly9jcmw0LmRpZ2ljZXJ0\n"
				       "LmNvbS9zaGEyLWV2LXNlcnZlci1nMS5jcmwwQgYDVR0gBDswOTA3BglghkgBhv1s\n"
				       "AgEwKjAoBggrBgEFBQcCARYcaHR0cHM6Ly93d3cuZGlnaWNlcnQuY29tL0NQUzCB\n"
				       "iAYIKwYBBQUHAQEEfDB6MCQGCCsGAQUFBzABhhhodHRwOi8vb2NzcC5kaWdpY2Vy\n"
				       "dC5jb20wUgYIKwYBBQUHMAKGRmh0dHA6Ly9jYWNlcnRzLmRpZ2ljZXJ0LmNvbS9E\n"
				       "aWdpQ2VydFNIQTJFeHRlbmRlZFZhbGlkYXRpb25TZXJ2ZXJDQS5jcnQwDAYDVR0T\n"
				       "AQH/BAIwADCCAX0GCisGAQQB1nkCBAIEggFtBIIBaQFnAHUApLkJkLQYWBSHuxOi\n"
				       "zGdwCjw1mAT5G9+443fNDsgN3BAAAAFMLovtNgAABAMARjBEAiBTR7r3p76qUJzF\n"
				       "23lsbD/cLsA0KlxoJRSIvIK0OIYWiQIgVQWja8tWBlpcoFP30Iym7IuczitSazpH\n"
				       "fhKAVroTgXgAdgBo9pj4H2SCvjqM7rkoHUz8cVFdZ5PURNEKZ6y7T0/7xAAAAUwu\n"
				       "i+z4AAAEAwBHMEUCIEP3VYyLQB7lOgFo4WstyOurmRe3xa0OVaeFL/bDohHOAiEA\n"
				       "+xQrRVAfaeT4qBdBJzLyVLU4V9bh/qBMXJdjvYujhAcAdgBWFAaaL9fC7NP14b1E\n"
				       "sj7HRna5vJkRXMDvlJhV1onQ3QAAAUwui+6EAAAEAwBHMEUCIQC/YUc5X6xyb3ho\n"
				       "o4VMSJqSoNg9KKkvLh9nUQCdwHi3/QIgNwcBc9ZZCR/aWXQ7hKH6d39kpkDX2Z43\n"
				       "XPy/Kl5sKI4wDQYJKoZIhvcNAQELBQADggEBAHixEZNpb0M1MsvsfNI6lLKxrs9s\n"
				       "JkcBcmxrFyhTC8KP+Qp+Z1fnMRQwpTLIMr1+uAMqCPAnIShGHeFNJpUFSMyW4o0l\n"
				       "+pZGz/L/YJBs7XP3ChSGC17ZKeGSQFfMqMQXfY/L6+n/1HkAwqmewqUMEuUmWN3F\n"
				       "kXJqVngIYGZtxXRyiv2azLOhrNP8BgNZK6d2gVxntQfGr4hnd8Juq8SJy/S4xpPY\n"
				       "YPD8vW7/wSOdAe1/kU38QwDVBQ5PJePS2WFwz8YA/eKcyg9lfsianfw35SjehJbn\n"
				       "wGwzUbjtibyJnv3eAeYDGxaI6vbuoE99pSmYGIwSBLJwZamJHjci6HL6wLg=\n"
				       "-----END CERTIFICATE-----\n";

static const char BODY_2015[] =
	"{\"id\":\"WH-0G2756385H040842W-5Y612302CV158622M\",\"create_time\":\"2015-05-18T15:45:13Z\",\"resour"
	"ce_type\":\"sale\",\"event_type\":\"PAYMENT.SALE.COMPLETED\",\"summary\":\"Payment completed for $ 2"
	"0.0 USD\",\"resource\":{\"id\":\"4EU7004268015634R\",\"create_time\":\"2015-05-18T15:44:02Z\",\"upda"
	"te_time\":\"2015-05-18T15:44:21Z\",\"amount\":{\"total\":\"20.00\",\"currency\":\"USD\"},\"payment_m"
	"ode\":\"INSTANT_TRANSFER\",\"state\":\"completed\",\"protection_eligibility\":\"ELIGIBLE\",\"protect"
	"ion_eligibility_type\":\"ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE\",\"parent_payment"
	"\":\"PAY-86C81811X5228590KKVNARQQ\",\"transaction_fee\":{\"value\":\"0.88\",\"currency\":\"USD\"},\""
	"links\":[{\"href\":\"https://api.sandbox.paypal.com/v1/payments/sale/4EU7004268015634R\",\"rel\":\"s"
	"elf\",\"method\":\"GET\"},{\"href\":\"https://api.sandbox.paypal.com/v1/payments/sale/4EU70042680156"
	"34R/refund\",\"rel\":\"refund\",\"method\":\"POST\"},{\"href\":\"https://api.sandbox.paypal.com/v1/p"
	"ayments/payment/PAY-86C81811X5228590KKVNARQQ\",\"rel\":\"parent_payment\",\"method\":\"GET\"}]},\"li"
	"nks\":[{\"href\":\"https://api.sandbox.paypal.com/v1/notifications/webhooks-events/WH-0G2756385H0408"
	"42W-5Y612302CV158622M\",\"rel\":\"self\",\"method\":\"GET\"},{\"href\":\"https://api.sandbox.paypal."
	"com/v1/notifications/webhooks-events/WH-0G2756385H040842W-5Y612302CV158622M/resend\",\"rel\":\"resen"
	"d\",\"method\":\"POST\"}]}";

static const char SIGNATURE_2015[] =
	"thy4/U002quzxFavHPwbfJGcc46E8rc5jzgyeafWm5mICTBdY/8rl7WJpn8JA0GKA+oDTPsSruqusw+XXg5RLAP7ip53Euh9Xu3U"
	"bUhQFX7UgwzE2FeYoY6lyRMiiiQLzy9BvHfIzNIVhPad4KnC339dr6y2l+mN8ALgI4GCdIh3/SoJO5wE64Bh/ueWtt8EVuvsvXfd"
	"a2Le5a2TrOI9vLEzsm9GS79hAR/5oLexNz8UiZr045Mr5ObroH4w4oNfmkTaDk9Rj0G19uvISs5QzgmBpauKr7Nw++JI0pr/v5mF"
	"ctQkoWJSGfBGzPRXawrvIIVHQ9Wer48GR2g9ZiApWg==";

static const char CERTIFICATE_2025[] = "-----BEGIN CERTIFICATE-----\n"
				       "MIIHXTCCBkWgAwIBAgIQDki0JdJMoAIx2jGAwTcTiTANBgkqhkiG9w0BAQsFADB1\n"
				       "MQswCQYDVQQGEwJVUzEVMBMGA1UEChMMRGlnaUNlcnQgSW5jMRkwFwYDVQQLExB3\n"
				       "d3cuZGlnaWNlcnQuY29tMTQwMgYDVQQDEytEaWdpQ2VydCBTSEEyIEV4dGVuZGVk\n"
				       "IFZhbGlkYXRpb24gU2VydmVyIENBMB4XDTI1MDEzMTAwMDAwMFoXDTI2MDMwMzIz\n"
				       "NTk1OVowgdsxEzARBgsrBgEEAYI3PAIBAxMCVVMxGTAXBgsrBgEEAYI3PAIBAhMI\n"
				       "RGVsYXdhcmUxHTAbBgNVBA8MFFByaXZhdGUgT3JnYW5pemF0aW9uMRAwDgYDVQQF\n"
				       "EwczMDE0MjY3MQswCQYDVQQGEwJVUzETMBEGA1UECBMKQ2FsaWZvcm5pYTERMA8G\n"
				       "A1UEBxMIU2FuIEpvc2UxFTATBgNVBAoTDFBheVBhbCwgSW5jLjEsMCoGA1UEAxMj\n"
				       "bWVzc2FnZXZlcmlmaWNhdGlvbmNlcnRzLnBheXBhbC5jb20wggEiMA0GCSqGSIb3\n"
				       "DQEBAQUAA4IBDwAwggEKAoIBAQCKsBDJSiEyFRDXhgYqSqGcRSlZ44O7iVHNjd3P\n"
				       "QiBc00kI4YwT4bZIGEa08QGRB+5xRLQDtmvTnQkz60YOFxwPaSZVdUEjybUCbbTu\n"
				       "TNJ117mK2V6G3KrMsXo4OZIv/oG8ayf9T6+ocRFB4s1IDHGGZJcbjgFjkq+5+3+N\n"
				       "aLATY9RHF3/qkq2RMFxCPqVQ/LSFdsEdkN4Q6FKWMYPTlScdTP1dg2YY6RdBXABP\n"
				       "M6DFEC0c+plO0RG4UsrATsnLQ0b4gN2cTb4JOwZaJsG2BSlpQCJWoX4gCP3Pkl2I\n"
				       "eLxjpaUDsfkdOMY78kUugZ60CPu29WYHlrLCBs5tSJ+rCHYxAgMBAAGjggOAMIID\n"
				       "fDAfBgNVHSMEGDAWgBQ901Cl1qCt7vNKYApl0yHU+PjWDzAdBgNVHQ4EFgQUIeCu\n"
				       "2GrxDXFuVkmB3JWC2psKP7swLgYDVR0RBCcwJYIjbWVzc2FnZXZlcmlmaWNhdGlv\n"
				       "bmNlcnRzLnBheXBhbC5jb20wSgYDVR0gBEMwQTALBglghkgBhv1sAgEwMgYFZ4EM\n"
				       "AQEwKTAnBggrBgEFBQcCARYbaHR0cDovL3d3dy5kaWdpY2VydC5jb20vQ1BTMA4G\n"
				       "A1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwdQYD\n"
				       "VR0fBG4wbDA0oDKgMIYuaHR0cDovL2NybDMuZGlnaWNlcnQuY29tL3NoYTItZXYt\n"
				       "c2VydmVyLWczLmNybDA0oDKgMIYuaHR0cDovL2NybDQuZGlnaWNlcnQuY29tL3No\n"
				       "YTItZXYtc2VydmVyLWczLmNybDCBiAYIKwYBBQUHAQEEfDB6MCQGCCsGAQUFBzAB\n"
				       "hhhodHRwOi8vb2NzcC5kaWdpY2VydC5jb20wUgYIKwYBBQUHMAKGRmh0dHA6Ly9j\n"
				       "YWNlcnRzLmRpZ2ljZXJ0LmNvbS9EaWdpQ2VydFNIQTJFeHRlbmRlZFZhbGlkYXRp\n"
				       "b25TZXJ2ZXJDQS5jcnQwDAYDVR0TAQH/BAIwADCCAX0GCisGAQQB1nkCBAIEggFt\n"
				       "BIIBaQFnAHYADleUvPOuqT4zGyyZB7P3kN+bwj1xMiXdIaklrGHFTiEAAAGUu81a\n"
				       "zwAABAMARzBFAiEA4FRk0fnMLk50tTYCr1yXMwBDP1/7VZ/8xAALIYpW7WwCICYM\n"
				       "e99wI7JAzkzMyzoqwJm5/vFOrb1VKQqpyWpFHquKAHYAZBHEbKQS7KeJHKICLgC8\n"
				       "q08oB9QeNSer6v7VA8l9zfAAAAGUu81a9gAABAMARzBFAiEA217qTUrcveLoXTGe\n"
				       "LeI8glW2dalUr2GzbPnfwycRE4wCIAXNh7RdTW50P2zHQGkmak7NYJ7ZxvPBkiNj\n"
				       "Fz2RGtY9AHUASZybad4dfOz8Nt7Nh2SmuFuvCoeAGdFVUvvp6ynd+MMAAAGUu81b\n"
				       "DQAABAMARjBEAiA0YxvSEpLzpohHg6zH1RC15xXTYn0Ik2SZ+R+v1XRScgIgfo5x\n"
				       "Og2qNi101qUvcuYUl9fFFol2aurZ/K23bWWUr50wDQYJKoZIhvcNAQELBQADggEB\n"
				       "AJDE7+ZogRtnY/SyNPOQDKSoowrDN6PE8eVXf2AIROyMdayOIaX74FRf2bTrUxIc\n"
				       "J3Dkdk1aFY/sqCq52ACB15iBAiDvamS4XuYYy0mbbZX8iQeQ0uvuPA/D2sH4gpEv\n"
				       "sBHHcLTfmkxL3BUTRh0JaTWhuGY9OSf5Vtl+Vt6JKEARw8br7SSc0SIz03NH9aKc\n"
				       "S3fVuCsbw1tbiqMtBHgPJ60EHWbbWzae9bqFPfTCAXvDpCi33vj4l1Am6i0kOmp4\n"
				       "2/CV4XomE/7JPPm+5odijca0+/6jQpVg9z/W12mOn08ykrL7lS7IpaSjiC3xMeeR\n"
				       "DMCtxZDITPKCPnbzgzl2Q/I=\n"
				       "-----END CERTIFICATE-----\n";

static const char BODY_2025[] =
	"{\"id\":\"WH-58D329510W468432D-8HN650336L201105X\",\"event_version\":\"1.0\",\"create_time\":\"2019-"
	"02-14T21:50:07.940Z\",\"resource_type\":\"capture\",\"resource_version\":\"2.0\",\"event_type\":\"PA"
	"YMENT.CAPTURE.COMPLETED\",\"summary\":\"Payment completed for $ 30.0 USD\",\"resource\":{\"id\":\"12"
	"A34567BC123456S\",\"amount\":{\"currency_code\":\"USD\",\"value\":\"30.00\"},\"final_capture\":true,"
	"\"seller_protection\":{\"status\":\"ELIGIBLE\",\"dispute_categories\":[\"ITEM_NOT_RECEIVED\",\"UNAUT"
	"HORIZED_TRANSACTION\"]},\"disbursement_mode\":\"INSTANT\",\"seller_receivable_breakdown\":{\"gross_a"
	"mount\":{\"currency_code\":\"USD\",\"value\":\"30.00\"},\"paypal_fee\":{\"currency_code\":\"USD\",\""
	"value\":\"1.54\"},\"platform_fees\":[{\"amount\":{\"currency_code\":\"USD\",\"value\":\"2.00\"},\"pa"
	"yee\":{\"merchant_id\":\"ABCDEFGHIJKL1\"}}],\"net_amount\":{\"currency_code\":\"USD\",\"value\":\"26"
	".46\"}},\"invoice_id\":\"5840243-146\",\"status\":\"COMPLETED\",\"supplementary_data\":{\"related_id"
	"s\":{\"order_id\":\"1AB234567A1234567\"}},\"create_time\":\"2022-08-23T18:29:50Z\",\"update_time\":"
	"\"2022-08-23T18:29:50Z\",\"links\":[{\"href\":\"https://api.paypal.com/v2/payments/captures/12A34567"
	"BC123456S\",\"rel\":\"self\",\"method\":\"GET\"},{\"href\":\"https://api.paypal.com/v2/payments/capt"
	"ures/12A34567BC123456S/refund\",\"rel\":\"refund\",\"method\":\"POST\"},{\"href\":\"https://api.payp"
	"al.com/v2/checkout/orders/1AB234567A1234567\",\"rel\":\"up\",\"method\":\"GET\"}]},\"links\":[{\"hre"
	"f\":\"https://api.paypal.com/v1/notifications/webhooks-events/WH-58D329510W468432D-8HN650336L201105X"
	"\",\"rel\":\"self\",\"method\":\"GET\"},{\"href\":\"https://api.paypal.com/v1/notifications/webhooks"
	"-events/WH-58D329510W468432D-8HN650336L201105X/resend\",\"rel\":\"resend\",\"method\":\"POST\"}]}";

static const char SIGNATURE_2025[] =
	"De1vvm+9LQDFQgKZ7leyYaVaAbkuXzYJOmH5FuHFxUFF+BP3DUiNwF7IF/tWhdC0SQ1EZgsRmGmlO9+5uk6UWP5i7O7jaiwNOdHb"
	"b878uOhTKL0KhWMillfQi096lrM7oZL6R/HmSZcKfBfnkH0TN2g0gHcw8NhM82tBdRsc9lbzhmIlWXoz5lZc5N9YVcaC62hQNLPC"
	"JFPYMTE4qE3qQB8jOFDW2/QGOnM4FvwwL+6rfIOdNPSqarsw3Wgh3ByIFrkBO5kbxo7uyd4Rvce4lyHmkqnschdRtFdScjxiQrmf"
	"7akmX1qWv2Y68ht69j/De7De/MOVZ/JA1t9RP+ysIA==";

static struct sent paypal(const char *id, const char *time, const char *signature)
{
	struct sent sent = {.count = 0};
	sent_set(&sent, "paypal-transmission-id", id);
	sent_set(&sent, "paypal-transmission-time", time);
	sent_set(&sent, "paypal-transmission-sig", signature);
	sent_set(&sent, "paypal-auth-algo", "SHA256withRSA");
	return sent;
}

Test(signature_published, paypal)
{
	struct signer_settings settings = {.scheme = SCHEME_PAYPAL, .webhook_id = "4JH86294D6297924G"};
	struct sent sent = paypal("dfb3be50-fd74-11e4-8bf3-77339302725b", "2015-05-18T15:45:13Z", SIGNATURE_2015);
	verifies(&settings, CERTIFICATE_2015, &sent, BODY_2015, 1431963913);
	sent = paypal("0f14627d-cc41-11f0-9ad0-21cf84660aee", "2025-11-28T10:00:24Z", SIGNATURE_2025);
	settings.webhook_id = "WEBHOOK_ID";
	verifies(&settings, CERTIFICATE_2025, &sent, BODY_2025, 1764324024);
}

/* A pinned certificate expires by itself: that of 2025 at 2026-03-03T23:59:59Z. */
Test(signature_published, a_certificate_that_has_ended_verifies_no_more)
{
	struct signer s;
	struct fault f;
	struct signature_report r;
	struct signer_settings settings = {.scheme = SCHEME_PAYPAL, .webhook_id = "WEBHOOK_ID"};
	struct sent sent = paypal("0f14627d-cc41-11f0-9ad0-21cf84660aee", "2025-11-28T10:00:24Z", SIGNATURE_2025);
	struct signature_request request = {sent_header, &sent, BODY_2025, strlen(BODY_2025), NULL, NULL};
	cr_assert(signer_init(&s, &settings, &f));
	cr_assert(signer_add_secret(&s, CERTIFICATE_2025, strlen(CERTIFICATE_2025), 1900000000, &f), "%s", f.text);
	cr_expect_not(signature_verify(&s, &request, 1772582399, &r));
	cr_expect_eq(r.cause, SIGNATURE_OLD, "%s", r.text);
	cr_expect_not(signature_verify(&s, &request, 1772582400, &r));
	cr_expect_eq(r.cause, SIGNATURE_EXPIRED, "%s", r.text);
	signer_finish(&s);
}
