#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/currency.h"
#include "txn/money.h"
#include "txn/txn.h"

/* The rules for the members of a transaction, whatever the format of the body, and a list of the problems found.  Each
 * problem has the JSON pointer to the place in the sender's body. */

#define TXN_POINTER_MAX 271 /* bytes: two configured pointers of 127 and an array index between them */
#define TXN_PROBLEMS_MAX 12 /* one for each member that a mapping can read, and each part of a transaction_id */

/* One problem of one member. */
struct txn_problem {
	char pointer[TXN_POINTER_MAX + 1]; /* RFC 6901, from the top of the body: "/amount" */
	const char *code; /* for programs: "missing", "wrong_type", "too_many_decimals"; borrowed, a literal */
	char detail[160]; /* for people; may quote the value, so it goes to the sender and not to a log */
};

struct txn_problems {
	int count; /* starts at 0 */
	struct txn_problem list[TXN_PROBLEMS_MAX];
};

/* Adds a problem; the detail is truncated between two UTF-8 characters.  A full list stays as it is. */
void txn_problem_add(struct txn_problems *p, const char *pointer, const char *code, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* Each of the next three checks a text of len bytes.  The first two write *ret if the text is valid; otherwise a
 * problem is added and *ret is left alone.  pointer has a leading slash. */

/* An id or an account. */
void txn_rule_text(
	struct txn_problems *p, const char *pointer, const char *text, size_t len, char ret[TXN_TEXT_MAX + 1]);

/* An amount.  The first sign bytes of text, 0 or 1, are a minus sign that the source takes: a problem quotes it, and *ret is
 * without it.  currency is NULL if the sender's is unknown; the decimals are then checked against MONEY_FRACTION_MAX only. */
void txn_rule_amount(struct txn_problems *p, const char *pointer, const char *text, size_t len, size_t sign,
	const struct currency *currency, struct money *ret);

/* A currency that currency_find() has not found: always adds a problem. */
void txn_rule_no_currency(struct txn_problems *p, const char *pointer, const char *text, size_t len);

/* Sets FAULT_INPUT for the problems and returns false.  The text lists pointers and codes only, because it is logged
 * and a log must not contain amounts or accounts. */
bool txn_rules_refuse(const struct txn_problems *p, struct fault *f);

/* Writes "/amount too_many_decimals, /currency missing" to ret[size], without any value: as many problems as fit, then "...".
 * Without problems, or with of NULL, it is the code alone.  size is more than TXN_POINTER_MAX + 64. */
void txn_problems_text(const struct txn_problems *of, const char *code, char *ret, size_t size);
