#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"
#include "base/fault.h"
#include "txn/currency.h"
#include "txn/money.h"
#include "txn/txn.h"

/* What the members of a transaction must be, whatever body they are read from; and what is wrong with them, each told
 * by the pointer to where the sender wrote it. */

#define TXN_POINTER_MAX 271 /* bytes of a pointer into a body: two configured ones of 127 and an index between */
#define TXN_PROBLEMS_MAX 6  /* one for each member of the contract, and one more that a mapping can tell */

/* One thing wrong with one member. */
struct txn_problem {
	char pointer[TXN_POINTER_MAX + 1]; /* RFC 6901, into the body: "/amount" */
	const char *code;                  /* for programs: "missing", "wrong_type", "too_many_decimals"; a literal */
	char detail[160];                  /* for people */
};

struct txn_problems {
	int count;
	struct txn_problem list[TXN_PROBLEMS_MAX];
};

void txn_problem_add(struct txn_problems *p, const char *pointer, const char *code, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* Each of these writes ret when the text is good, and else adds to the problems. */

void txn_rule_text(
	struct txn_problems *p, const char *pointer, const char *text, size_t len, char ret[TXN_TEXT_MAX + 1]);

/* currency is NULL when the sender's is not known: then its decimals cannot be judged. */
void txn_rule_amount(struct txn_problems *p, const char *pointer, const char *text, size_t len,
	const struct currency *currency, struct money *ret);

/* Adds that this is no currency. */
void txn_rule_no_currency(struct txn_problems *p, const char *pointer, const char *text, size_t len);

/* Returns false with FAULT_INPUT, whose text lists pointers and codes only: it may stand in a log, which must not hold
 * amounts and accounts. */
bool txn_rules_refuse(const struct txn_problems *p, struct fault *f);
