/* contradiction.c - finds the transactions of one webhook that have one id and different content.
 *
 * A webhook has up to 512 transactions, so they are sorted by id instead of each being compared with all others.  Those with
 * one id are then beside each other, in the order of the webhook.  Nothing is allocated. */

#include "txn/contradiction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct place {
	const struct txn *txn;
	int index; /* in the webhook */
};

static int contradiction_compare(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = strcmp(a->txn->transaction_id, b->txn->transaction_id);
	return order != 0 ? order : a->index - b->index;
}

/* Compares those with one id with the first of them, and sets what holds for all of them.  Returns the index of the first that
 * differs; -1: none does. */
static int compare_group(const struct place *group, int count, bool is_agreed[])
{
	int found = -1;
	for (int i = count; --i > 0;) {
		if (!txn_same(group[0].txn, group[i].txn))
			found = group[i].index;
	}
	for (int i = 0; i < count; i++)
		is_agreed[group[i].index] = found < 0;
	return found;
}

int contradiction_find(const struct txn *const list[], int count, bool is_agreed[])
{
	static struct place order[CONTRADICTION_MAX];
	int found = -1;
	assert(count <= CONTRADICTION_MAX);
	for (int i = 0; i < count; i++)
		order[i] = (struct place){list[i], i};
	qsort(order, (size_t)count, sizeof *order, contradiction_compare);
	for (int first = 0, end; first < count; first = end) {
		const char *id = order[first].txn->transaction_id;
		for (end = first + 1; end < count && strcmp(id, order[end].txn->transaction_id) == 0;)
			end++;
		int one = compare_group(order + first, end - first, is_agreed);
		if (one >= 0 && (found < 0 || one < found))
			found = one;
	}
	return found;
}
