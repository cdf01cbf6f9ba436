#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/currency.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"
#include "json/value.h"

/* How a processor's own payload tells a transaction: where each member of ours stands in it, by JSON pointers, and what
 * has to be converted.  An amount goes through digits only, never through a binary number. */

#define MAPPING_POINTER_MAX 127  /* bytes */
#define MAPPING_CONDITIONS_MAX 4 /* that a filter can ask for together */
#define MAPPING_WORDS_MAX 16     /* that a condition can be satisfied by */
#define MAPPING_WORD_MAX 127     /* bytes */
#define MAPPING_UNITS_MAX 32     /* currencies whose minor unit the processor counts otherwise */
#define MAPPING_ITEMS_MAX 64     /* transactions in one body */

/* A text from the payload, or a constant. */
struct mapping_text {
	char at[MAPPING_POINTER_MAX + 1]; /* empty: a constant */
	char text[TXN_TEXT_MAX + 1];      /* the constant, or what is put before the payload's */
	char otherwise[TXN_TEXT_MAX +
		       1]; /* what stands for one that is not there, null, or ""; empty: it must be there */
};

struct mapping_amount {
	char at[MAPPING_POINTER_MAX + 1];
	bool is_minor; /* a whole number of the currency's minor units */
	int unit_count;
	struct currency units[MAPPING_UNITS_MAX]; /* where the processor's minor units are not those of ISO 4217 */
};

struct mapping_condition {
	char at[MAPPING_POINTER_MAX + 1];
	int count;
	char words[MAPPING_WORDS_MAX][MAPPING_WORD_MAX + 1];
};

struct mapping {
	int condition_count;
	struct mapping_condition conditions[MAPPING_CONDITIONS_MAX];
	bool is_canonical; /* the body is ours already (txn_json.h); what follows is unused */
	char items[MAPPING_POINTER_MAX +
		   1]; /* of the array whose elements are a transaction each; empty: the body is one */
	struct mapping_text transaction_id, source_account, destination_account, currency;
	struct mapping_amount amount;
};

/* Whether an item satisfies every condition: a string, a number, true or false that is one of the words. */
bool mapping_applies(const struct mapping *m, struct json_value item);

/* Reads an item.  where is the pointer to it in the body, for the problems: "" or "/items/3".  On failure the fault is
 * FAULT_INPUT, and *problems lists every member that breaks the rules. */
MUST_USE bool mapping_read(const struct mapping *m, struct json_value item, const char *where,
	const struct currency_extras *extras, struct txn *ret, struct txn_problems *problems, struct fault *f);
