/* adyen.c - verifies the signatures inside the body of Adyen's webhooks.
 *
 * A signature covers eight fields of one item and nothing else of the body, so the body must be parsed before it is
 * authenticated.  It is therefore scanned as strict JSON first.  The scan refuses, among others, an object that names a
 * member twice, in which two readers could find two values.  One item that does not verify fails the whole webhook.
 * The digest is left to signature.c.  sources_read.c ensures that a mapping uses signed fields only. */

#include "source/adyen.h"

#include <string.h>

#include "json/scan.h"
#include "json/value.h"
#include "source/mapping.h"

#define ITEM "/NotificationRequestItem"

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

bool adyen_is_signed(const char *pointer)
{
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (strcmp(pointer, POINTERS[i]) == 0)
			return true;
	}
	return false;
}

/* Writes a report that no secret has matched, with the clause why for the operator.  Returns false. */
static bool adyen_refuse(struct signature_report *ret, enum signature_cause cause, const char *why)
{
	struct fault f;
	*ret = (struct signature_report){.cause = cause, .secret = -1};
	fault_set(&f, FAULT_INPUT, "%s", why);
	memcpy(ret->text, f.text, sizeof ret->text);
	return false;
}

/* Finds a scalar as the text that was signed: a string decoded into text, any other value as it is written.  An absent
 * member and null count as empty.  Faults: the value is an object or an array, or has more than ADYEN_FIELD_BYTES
 * bytes. */
static bool take(struct json_value item, const char *pointer, char text[ADYEN_FIELD_BYTES + 1], struct digest_part *ret,
	struct fault *f)
{
	struct json_value v;
	bool fits = true;
	*ret = (struct digest_part){text, 0};
	if (!json_value_find(item, pointer, &v))
		return true;
	switch (json_value_kind(v)) {
	case JSON_IS_NULL:
		break;
	case JSON_IS_STRING:
		fits = json_value_text(v, text, ADYEN_FIELD_BYTES + 1, &ret->len);
		break;
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		fits = v.len <= ADYEN_FIELD_BYTES;
		*ret = (struct digest_part){v.at, v.len};
		break;
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
		return fault_set(f, FAULT_INPUT, "%s is %s", pointer, json_kind_name(json_value_kind(v)));
	}
	return fits || fault_set(f, FAULT_INPUT, "%s has more than %d bytes", pointer, ADYEN_FIELD_BYTES);
}

bool adyen_item_read(struct json_value item, struct adyen_texts *texts, struct signature_item *ret, struct fault *f)
{
	for (int i = 0; i < ADYEN_FIELDS; i++) {
		if (!take(item, POINTERS[i], texts->field[i], &ret->field[i], f))
			return false;
	}
	return take(item, ADYEN_SIGNATURE, texts->signature, &ret->signature, f);
}

static bool verify_item(const struct signer *s, struct json_value value, int64_t now_s, struct signature_report *ret)
{
	struct fault f;
	struct adyen_texts texts;
	struct signature_item item;
	if (!adyen_item_read(value, &texts, &item, &f))
		return adyen_refuse(ret, SIGNATURE_MALFORMED, f.text);
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
	/* An unauthenticated body must not cause unlimited work: the number of items is bounded, and the first failure
	 * ends the loop. */
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
	/* An empty array must not pass for "every item is signed". */
	if (count == 0)
		return adyen_refuse(ret, SIGNATURE_MISSING, "the body has no items");
	ret->is_scanned = true;
	return true;
}
