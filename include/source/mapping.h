#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"
#include "json/value.h"
#include "txn/currency.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"

/* Where the members of a transaction are in a provider's own payload, as JSON pointers (RFC 6901), and how they are
 * converted.  An amount is converted as decimal digits, never as a binary number. */

#define MAPPING_POINTER_MAX 127  /* bytes */
#define MAPPING_CONDITIONS_MAX 4 /* conditions of a filter */
#define MAPPING_WORDS_MAX 16     /* words of a condition */
#define MAPPING_WORD_MAX 127     /* bytes */
#define MAPPING_UNITS_MAX 32     /* currencies with a minor unit of the provider's own */
#define MAPPING_ITEMS_MAX 64     /* transactions in one body */

/* A text from the payload, or a constant. */
struct mapping_text {
	char at[MAPPING_POINTER_MAX + 1]; /* empty: a constant */
	char text[TXN_TEXT_MAX + 1];      /* the constant, or the prefix of the payload's text */
	/* Replaces a member that is absent, null or "".  Empty: the member is required. */
	char otherwise[TXN_TEXT_MAX + 1];
};

struct mapping_amount {
	char at[MAPPING_POINTER_MAX + 1];
	bool is_minor; /* the payload has a whole number of minor units: 1099 for 10.99 USD */
	/* Currencies for which the provider's minor unit differs from that of ISO 4217.  All others follow ISO 4217. */
	int unit_count;
	struct currency units[MAPPING_UNITS_MAX];
};

/* A condition holds if the value at the pointer equals one of the words. */
struct mapping_condition {
	char at[MAPPING_POINTER_MAX + 1];
	int count;
	char words[MAPPING_WORDS_MAX][MAPPING_WORD_MAX + 1];
};

struct mapping {
	int condition_count;
	struct mapping_condition conditions[MAPPING_CONDITIONS_MAX];
	bool is_canonical; /* the body has payhook's own form (txn_json.h); the following members are unused */
	/* Pointer to the array whose elements are one transaction each.  Empty: the body is one transaction. */
	char items[MAPPING_POINTER_MAX + 1];
	struct mapping_text transaction_id, source_account, destination_account, currency;
	struct mapping_amount amount;
};

/* Whether an item meets every condition of the filter.  Every item meets a filter without conditions.  A string is
 * compared with its escapes decoded; a number, true and false as they are written: the word 1 does not match 1.0.  Null,
 * an object and an array match no word. */
bool mapping_applies(const struct mapping *m, struct json_value item);

/* Reads a transaction from an item.  where is the JSON pointer to the item in the body, "" or "/items/3"; the pointers
 * of the problems start with it.  On failure the fault is FAULT_INPUT, *problems lists every member that breaks a rule,
 * and *ret is left alone. */
MUST_USE bool mapping_read(const struct mapping *m, struct json_value item, const char *where,
	const struct currency_extras *extras, struct txn *ret, struct txn_problems *problems, struct fault *f);
