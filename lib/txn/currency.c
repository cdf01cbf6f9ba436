/* currency.c - the currencies a transaction may use, and their minor units.
 *
 * An amount with more decimals than its currency has is an error of the sender: rounding it would change money.  The
 * table is compiled in, so every process of one version agrees, and no file or network is needed at run time. */

#include "txn/currency.h"

#include <stdlib.h>
#include <string.h>

#include "txn/money.h"

#define ISO_LEN 3   /* letters of an ISO code */
#define EXTRA_MIN 2 /* letters and digits of a code that an operator adds */

/* Sorted by code, as bsearch() requires. */
static const struct currency iso[] = {
#include "currency_table.h"
};

static int by_code(const void *code, const void *currency)
{
	return memcmp(code, ((const struct currency *)currency)->code, ISO_LEN);
}

/* Converts a code to upper case.  Not toupper(), which depends on the locale.  Returns false if text is too long or has
 * a byte that is neither a letter of ASCII nor a digit. */
static bool to_code(const char *text, size_t len, char ret[CURRENCY_CODE_MAX + 1])
{
	if (len > CURRENCY_CODE_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
		ret[i] = c;
	}
	ret[len] = '\0';
	return true;
}

bool currency_find(const struct currency_extras *extras, const char *text, size_t len, struct currency *ret)
{
	char code[CURRENCY_CODE_MAX + 1];
	if (!to_code(text, len, code))
		return false;
	if (len == ISO_LEN) {
		const struct currency *found = bsearch(code, iso, COUNT_OF(iso), sizeof iso[0], by_code);
		if (found) {
			*ret = *found;
			return true;
		}
	}
	for (int i = 0; i < extras->count; i++) {
		if (strcmp(extras->list[i].code, code) == 0) {
			*ret = extras->list[i];
			return true;
		}
	}
	return false;
}

const struct currency *currency_all(size_t *ret_count)
{
	*ret_count = COUNT_OF(iso);
	return iso;
}

/* Reads one entry of len bytes, such as "USDT:6", and adds it to ret. */
static bool read_extra(const char *text, size_t len, struct currency_extras *ret, struct fault *f)
{
	struct currency extra, known;
	char quoted[FAULT_QUOTE_MAX];
	fault_quote(text, len, quoted);
	if (len < 2 || text[len - 2] != ':')
		return fault_set(f, FAULT_INPUT, "%s is not a code, a colon and one digit", quoted);
	size_t code_len = len - 2;
	if (code_len < EXTRA_MIN || !to_code(text, code_len, extra.code))
		return fault_set(f, FAULT_INPUT, "the code in %s is not %d to %d letters and digits", quoted, EXTRA_MIN,
			CURRENCY_CODE_MAX);
	extra.minor_unit = text[len - 1] - '0';
	if (extra.minor_unit < 0 || extra.minor_unit > MONEY_FRACTION_MAX)
		return fault_set(f, FAULT_INPUT, "the minor unit in %s is not 0 to %d", quoted, MONEY_FRACTION_MAX);
	if (currency_find(ret, extra.code, code_len, &known))
		return fault_set(f, FAULT_INPUT, "the code in %s is there already", quoted);
	if (ret->count == CURRENCY_EXTRA_MAX)
		return fault_set(f, FAULT_INPUT, "%s is one currency more than %d", quoted, CURRENCY_EXTRA_MAX);
	ret->list[ret->count++] = extra;
	return true;
}

bool currency_read_extras(const char *text, struct currency_extras *ret, struct fault *f)
{
	/* A copy, so that *ret is written only when the whole list is valid. */
	struct currency_extras extras = {0};
	while (*text) {
		size_t len = strcspn(text, ",");
		if (!read_extra(text, len, &extras, f))
			return false;
		text += len;
		if (*text == ',' && text[1] == '\0')
			return fault_set(f, FAULT_INPUT, "a comma ends the list of currencies");
		text += *text == ',';
	}
	*ret = extras;
	return true;
}
