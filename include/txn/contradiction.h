#pragma once

#include <stdbool.h>

#include "txn/txn.h"

/* Transactions of one webhook that have one id have to be the same transaction.  Of two contents only one could be stored,
 * and nobody knows which of them is right. */

#define CONTRADICTION_MAX 512 /* transactions that are compared */

/* Sets is_agreed[i] for each transaction that no other one with its id contradicts, and returns the index of the first that
 * contradicts one before it; -1: none does.  count is at most CONTRADICTION_MAX. */
int contradiction_find(const struct txn *const list[], int count, bool is_agreed[]);
