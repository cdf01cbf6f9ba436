/* fuzz_currency.c - the input as EXTRA_CURRENCIES, and as a currency code. */

#include <string.h>

#include "fuzz.h"
#include "txn/currency.h"
#include "txn/money.h"

static void must_be_in_form(const struct currency *c)
{
	size_t len = strlen(c->code);
	MUST_HOLD(len >= 2 && len <= CURRENCY_CODE_MAX);
	MUST_HOLD(strspn(c->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len);
	MUST_HOLD(c->minor_unit >= 0 && c->minor_unit <= MONEY_FRACTION_MAX);
}

static void must_be_found(const struct currency_extras *extras)
{
	static const struct currency_extras none;
	MUST_HOLD(extras->count >= 0 && extras->count <= CURRENCY_EXTRA_MAX);
	for (int i = 0; i < extras->count; i++) {
		const struct currency *c = &extras->list[i];
		struct currency found;
		must_be_in_form(c);
		MUST_HOLD(currency_find(extras, c->code, strlen(c->code), &found));
		MUST_HOLD(strcmp(found.code, c->code) == 0 && found.minor_unit == c->minor_unit);
		MUST_HOLD(!currency_find(&none, c->code, strlen(c->code), &found));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct currency_extras extras = {0};
	struct currency found;
	struct fault f = {FAULT_BUG, ""};
	char *text = malloc(len + 1);
	MUST_HOLD(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	if (currency_read_extras(text, &extras, &f))
		must_be_found(&extras);
	else
		MUST_HOLD(f.kind == FAULT_INPUT && f.text[0] && extras.count == 0);
	if (currency_find(&extras, (const char *)data, len, &found))
		must_be_in_form(&found);
	free(text);
	return 0;
}
