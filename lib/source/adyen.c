/* adyen.c - the fields of Adyen's notification items, for their signatures. */

#include "source/adyen.h"

#include <string.h>

#include "source/mapping.h"
#include "json/scan.h"
#include "json/value.h"

#define ITEM "/NotificationRequestItem"
#define SIGNATURE ITEM "/additionalData/hmacSignature"

static const char *const POINTERS[ADYEN_FIELDS] = {
	[ADYEN_PSP_REFERENCE] = ITEM "/pspReference",
	[ADYEN_ORIGINAL_REFERENCE] = ITEM "/originalReference",
	[ADYEN_MERCHANT_ACCOUNT_CODE] = ITEM "/merchantAccountCode",
	[ADYEN_MERCHANT_REFERENCE] = ITEM "/merchantReference",
	[ADYEN_VALUE] = ITEM "/amount/value",
	[ADYEN_CURRENCY] = ITEM "/amount/currency",
	[ADYEN_EVENT_CODE] = ITEM "/eventCode",
	[ADYEN_SUCCESS] = ITEM "/success",
};

/* The texts of one item, their escapes undone. */
struct texts {
	char field[ADYEN_FIELDS][ADYEN_FIELD_BYTES + 1];
	char signature[ADYEN_FIELD_BYTES + 1];
};

bool adyen_is_signed(const char *pointer)
{
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (strcmp(pointer, POINTERS[i]) == 0)
			return true;
	}
	return false;
}

static bool adyen_refuse(struct signature_report *ret, enum signature_cause cause, const char *why)
{
	struct fault f;
	*ret = (struct signature_report){.cause = cause, .secret = -1};
	fault_set(&f, FAULT_INPUT, "%s", why);
	memcpy(ret->text, f.text, sizeof ret->text);
	return false;
}

/* A scalar as the text that was signed.  What is not there, and null, counts as empty.  False: too long, or an object or
 * array, which have no such text. */
static bool take(struct json_value item, const char *pointer, char text[ADYEN_FIELD_BYTES + 1], struct digest_part *ret)
{
	struct json_value v;
	*ret = (struct digest_part){text, 0};
	if (!json_value_find(item, pointer, &v) || json_value_kind(v) == JSON_IS_NULL)
		return true;
	switch (json_value_kind(v)) {
	case JSON_IS_STRING:
		return json_value_text(v, text, ADYEN_FIELD_BYTES + 1, &ret->len);
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		break;
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
	case JSON_IS_NULL:
		return false;
	}
	if (v.len > ADYEN_FIELD_BYTES)
		return false;
	*ret = (struct digest_part){v.at, v.len};
	return true;
}

static bool verify_item(const struct signer *s, struct json_value value, int64_t now_s, struct signature_report *ret)
{
	struct texts texts;
	struct signature_item item;
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (!take(value, POINTERS[i], texts.field[i], &item.field[i]))
			return adyen_refuse(ret, SIGNATURE_MALFORMED, POINTERS[i]);
	}
	if (!take(value, SIGNATURE, texts.signature, &item.signature))
		return adyen_refuse(ret, SIGNATURE_MALFORMED, SIGNATURE);
	return signature_verify_item(s, &item, now_s, ret);
}

bool adyen_verify(
	const struct signer *s, const struct signature_request *request, int64_t now_s, struct signature_report *ret)
{
	struct fault f;
	struct json_value items, item;
	int count = 0;
	if (!json_scan(request->body, request->len, &f))
		return adyen_refuse(ret, SIGNATURE_MALFORMED, f.text);
	if (!json_value_find(json_value_of(request->body, request->len), ADYEN_ITEMS, &items) ||
		json_value_kind(items) != JSON_IS_ARRAY)
		return adyen_refuse(ret, SIGNATURE_MISSING, "the body has no array " ADYEN_ITEMS);
	for (struct json_walk w = json_walk_into(items); json_walk_next(&w, NULL, &item); count++) {
		if (count == MAPPING_ITEMS_MAX)
			return adyen_refuse(ret, SIGNATURE_MALFORMED, "the body has too many items");
		if (verify_item(s, item, now_s, ret))
			continue;
		char why[FAULT_TEXT_MAX];
		memcpy(why, ret->text, sizeof why);
		fault_set(&f, FAULT_INPUT, "item %d: %s", count, why);
		memcpy(ret->text, f.text, sizeof ret->text);
		return false;
	}
	return count > 0 || adyen_refuse(ret, SIGNATURE_MISSING, "the body has no items");
}
