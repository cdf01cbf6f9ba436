/* test_adyen.c - finding the signed items in a body of Adyen's.  Key, item and signature are those that Adyen publishes
 * for testing (docs.adyen.com, "Verify HMAC signatures"). */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/adyen.h"
#include "source/mapping.h"

#define KEY "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
#define SIGNATURE "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="
#define SIGNED(value)                                                                                   \
	"\"amount\":{\"currency\":\"EUR\",\"value\":" value                                             \
	"},\"eventCode\":\"AUTHORISATION\",\"eventDate\":\"2019-05-06T17:15:34.121+02:00\","            \
	"\"merchantAccountCode\":\"TestMerchant\",\"merchantReference\":\"TestPayment-1407325143704\"," \
	"\"paymentMethod\":\"visa\",\"pspReference\":\"7914073381342284\",\"success\":\"true\""
#define ITEM(value, signature) \
	"{\"NotificationRequestItem\":{\"additionalData\":{\"hmacSignature\":\"" signature "\"}," SIGNED(value) "}}"
#define BODY(items) "{\"live\":\"false\",\"notificationItems\":[" items "]}"
#define GOOD ITEM("1130", SIGNATURE)

static struct signature_report report;

static bool verifies(const char *text)
{
	struct signer signer;
	struct fault f;
	size_t len = strlen(text);
	char *body = malloc(len + 1);
	struct signature_request request = {.body = body, .len = len};
	memcpy(body, text, len);
	cr_assert(signer_init(&signer, &(struct signer_settings){.scheme = SCHEME_ADYEN}, &f));
	cr_assert(signer_add_secret(&signer, KEY, strlen(KEY), INT64_MAX, &f));
	bool good = adyen_verify(&signer, &request, 1771500000, &report);
	cr_expect_eq(good, report.cause == SIGNATURE_GOOD);
	cr_expect_eq(good, report.is_scanned);
	cr_expect_eq(good, *report.text == '\0', "%s", report.text);
	signer_finish(&signer);
	free(body);
	return good;
}

static void refuses(const char *text, enum signature_cause cause, const char *why)
{
	cr_assert_not(verifies(text), "%s", text);
	cr_expect_eq(report.cause, cause, "%s: %s", signature_cause_name(report.cause), report.text);
	cr_expect_not_null(strstr(report.text, why), "%s", report.text);
}

Test(adyen, takes_the_item_of_adyen_s_own_tests)
{
	cr_expect(verifies(BODY(GOOD)), "%s", report.text);
	cr_expect(verifies(" " BODY(GOOD "," GOOD "," GOOD) "\n"), "%s", report.text);
}

Test(adyen, signs_the_text_and_not_its_escapes)
{
	cr_expect(
		verifies(BODY(
			"{\"NotificationRequest\\u0049tem\":{\"additionalData\":{\"hmacSignature\":\"coqCmt\\/IZ4E3Cz"
			"PvMY8zTjQVL5hYJUiBRg8UU+iCWo0=\"},\"amount\":{\"currency\":\"\\u0045UR\",\"value\":\"1130\"},"
			"\"eventCode\":\"AUTHORISATION\",\"merchantAccountCode\":\"TestMerchant\",\"merchantReference\":"
			"\"TestPayment-1407325143704\",\"originalReference\":null,\"pspReference\":7914073381342284,"
			"\"success\":true}}")),
		"%s", report.text);
}

Test(adyen, wants_every_item_signed)
{
	refuses(BODY(GOOD "," ITEM("1131", SIGNATURE)), SIGNATURE_WRONG, "item 1: ");
	refuses(BODY(ITEM("1131", SIGNATURE) "," GOOD), SIGNATURE_WRONG, "item 0: ");
	refuses(BODY(GOOD ",{}"), SIGNATURE_MISSING, "item 1: ");
	refuses(BODY(GOOD ",7"), SIGNATURE_MISSING, "item 1: ");
	refuses(BODY(GOOD "," ITEM("1130", "?")), SIGNATURE_MALFORMED, "item 1: ");
}

Test(adyen, takes_no_body_without_items_for_a_signed_one)
{
	refuses(BODY(""), SIGNATURE_MISSING, "no items");
	refuses("{}", SIGNATURE_MISSING, "no array");
	refuses("{\"notificationItems\":{}}", SIGNATURE_MISSING, "no array");
	refuses("{\"notificationItems\":null}", SIGNATURE_MISSING, "no array");
	refuses("", SIGNATURE_MALFORMED, "the text ends at byte 0");
	refuses("[" GOOD "]", SIGNATURE_MALFORMED, "an object");
	refuses("{\"notificationItems\":[" GOOD "],\"notificationItems\":[" GOOD "]}", SIGNATURE_MALFORMED, "twice");
}

Test(adyen, takes_no_other_value_for_a_text)
{
	refuses(BODY(ITEM("[1130]", SIGNATURE)), SIGNATURE_MALFORMED,
		"item 0: /NotificationRequestItem/amount/value is an array");
	refuses(BODY(ITEM("{}", SIGNATURE)), SIGNATURE_MALFORMED,
		"item 0: /NotificationRequestItem/amount/value is an object");
	refuses(BODY(ITEM("1130.0", SIGNATURE)), SIGNATURE_WRONG, "item 0");
	refuses(BODY(ITEM("null", SIGNATURE)), SIGNATURE_WRONG, "item 0");
}

Test(adyen, bounds_the_items_and_their_fields)
{
	static char body[64 * 8 * 1024];
	char digits[300];
	size_t len = (size_t)snprintf(body, sizeof body, "{\"notificationItems\":[" GOOD);
	for (int i = 0; i < MAPPING_ITEMS_MAX; i++)
		len += (size_t)snprintf(body + len, sizeof body - len, "," GOOD);
	snprintf(body + len, sizeof body - len, "]}");
	refuses(body, SIGNATURE_MALFORMED, "too many items");
	memset(digits, '1', sizeof digits);
	digits[sizeof digits - 1] = '\0';
	snprintf(body, sizeof body, BODY(ITEM("%s", SIGNATURE)), digits);
	refuses(body, SIGNATURE_MALFORMED, "item 0: /NotificationRequestItem/amount/value has more than 255 bytes");
	snprintf(body, sizeof body, BODY(ITEM("1130", "%s")), digits);
	refuses(body, SIGNATURE_MALFORMED,
		"item 0: /NotificationRequestItem/additionalData/hmacSignature has more than 255 bytes");
}

Test(adyen, knows_what_it_signs)
{
	cr_expect(adyen_is_signed("/NotificationRequestItem/pspReference"));
	cr_expect(adyen_is_signed("/NotificationRequestItem/amount/value"));
	cr_expect_not(adyen_is_signed("/NotificationRequestItem/eventDate"));
	cr_expect_not(adyen_is_signed("/pspReference"));
	cr_expect_not(adyen_is_signed(""));
}
