#pragma once

#include <stdbool.h>

#include "base/base.h"
#include "base/fault.h"
#include "source/filter.h"
#include "source/places.h"
#include "txn/currency.h"
#include "txn/txn.h"
#include "txn/txn_rules.h"

/* Where the members of a transaction are in a provider's own payload, as places (source/places.h), and how they are
 * converted.  An amount is converted as decimal digits, never as a binary number.
 *
 * A member of the payload that is absent, null or "" counts as left out: providers differ in how they write that they
 * have no value, such as the customer of a guest or the telephone number of a payer. */

#define MAPPING_PARTS_MAX 4   /* of a transaction_id */
#define MAPPING_KINDS_MAX 32  /* words that stand for a kind; Stripe has some 20 about payments, refunds and disputes */
#define MAPPING_UNITS_MAX 32  /* currencies with a minor unit of the provider's own */
#define MAPPING_ITEMS_MAX 512 /* transactions in one body: GoCardless sends up to 250 */

/* A text from the payload, or a constant. */
struct mapping_text {
	char at[MAPPING_POINTER_MAX + 1]; /* empty: a constant */
	char after[MAPPING_WORD_MAX + 1]; /* the text is what follows the last occurrence of this; empty: all of it */
	char text[TXN_TEXT_MAX + 1];      /* the constant, or the prefix of the payload's text */
	char otherwise[TXN_TEXT_MAX + 1]; /* replaces a member that is left out; empty: none does */
	bool is_optional;                 /* a member that is left out becomes "", none */
};

/* The parts of a transaction_id.  In each, % and the separator are percent-encoded, so that no two lists of parts are
 * joined to one text. */
struct mapping_parts {
	int count; /* 2 to MAPPING_PARTS_MAX; 0: the transaction_id has no parts, and its text has the pointer */
	char at[MAPPING_PARTS_MAX][MAPPING_POINTER_MAX + 1];
	char separator; /* neither a letter nor a digit nor % */
};

/* What becomes of an amount below zero. */
enum mapping_negative {
	MAPPING_NEGATIVE_REFUSED,
	MAPPING_NEGATIVE_ABSOLUTE, /* the minus sign is dropped: the kind says in which direction money moves */
	MAPPING_NEGATIVE_KEPT,     /* it is stored with its sign */
};

struct mapping_amount {
	char at[MAPPING_POINTER_MAX + 1];
	bool is_minor;    /* the payload has a whole number of minor units: 1099 for 10.99 USD */
	bool is_total;    /* see struct txn */
	bool is_optional; /* if it is left out, there is neither an amount nor a currency */
	enum mapping_negative negative;
	/* Currencies for which the provider's minor unit differs from that of ISO 4217.  All others follow ISO 4217. */
	int unit_count;
	struct currency units[MAPPING_UNITS_MAX];
};

struct mapping_kind_word {
	char word[MAPPING_WORD_MAX + 1];
	enum txn_kind kind;
};

/* The kind of event, by a word of the payload or a constant. */
struct mapping_kind {
	char at[MAPPING_POINTER_MAX + 1]; /* empty: a constant */
	int count;
	struct mapping_kind_word words[MAPPING_KINDS_MAX];
	enum txn_kind otherwise; /* the constant, or the kind of all other words; TXN_NO_KIND: there is none */
};

enum mapping_time_unit { MAPPING_SECONDS, MAPPING_MILLISECONDS, MAPPING_RFC3339 };

/* When the event occurred.  Years from 1970 to 9999 are accepted. */
struct mapping_time {
	char at[MAPPING_POINTER_MAX + 1]; /* empty: the payload's time is not read */
	enum mapping_time_unit unit;
};

struct mapping {
	int condition_count;
	struct mapping_condition conditions[MAPPING_CONDITIONS_MAX];
	bool is_canonical; /* the body has payhook's own form (txn_json.h); the following members are unused */
	struct mapping_text transaction_id, source_account, destination_account, currency;
	struct mapping_parts parts; /* of the transaction_id */
	struct mapping_amount amount;
	struct mapping_text payment_id, part; /* empty pointer: the transaction has none */
	struct mapping_kind kind;
	struct mapping_time occurred;
};

/* The first of these mappings whose filter an item meets in every condition; NULL: there is none.  Every item meets a
 * filter without conditions.  A string is compared with its escapes decoded; a number, true and false as they are
 * written: the word 1 does not match 1.0.  Null, an object and an array match no word.  The result is one of list. */
const struct mapping *mapping_first(const struct mapping *list, int count, const struct places *in);

/* Reads a transaction from an item.  where is the JSON pointer to the item in the body, "" or "/items/3"; the pointers
 * of the problems start with it, except that of a header, which is "/@header/x-topic".  On failure the fault is FAULT_INPUT, *problems lists every member that breaks a rule,
 * and *ret is left alone. */
MUST_USE bool mapping_read(const struct mapping *m, const struct places *in, const char *where,
	const struct currency_extras *extras, struct txn *ret, struct txn_problems *problems, struct fault *f);

/* The places of the transaction_id: 1 to MAPPING_PARTS_MAX.  Returns their number; they are borrowed from m, or
 * constant. */
int mapping_identity(const struct mapping *m, const char *ret[MAPPING_PARTS_MAX]);
