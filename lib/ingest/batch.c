/* batch.c - the webhooks of one statement, and the copies that follow them.
 *
 * The members are sorted by identity, compared byte by byte in every process alike.  The order does two things:
 * duplicates become neighbours, and batches of several processes take their locks in the same order.  Which webhooks
 * form the batch is left to pending.c. */

#include "ingest/batch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- copies ---- */

void copies_init(struct pending_insert *insert)
{
	insert->is_copy = false;
	insert->copy_after = insert->copy_before = insert;
}

/* The ring is closed, so the place before the first is behind the last. */
void copies_add(struct pending_insert *first, struct pending_insert *copy)
{
	copy->is_copy = true;
	copy->copy_after = first;
	copy->copy_before = first->copy_before;
	first->copy_before->copy_after = copy;
	first->copy_before = copy;
}

int copies_count(const struct pending_insert *first)
{
	int count = 1;
	for (const struct pending_insert *p = first->copy_after; p != first; p = p->copy_after)
		count++;
	return count;
}

struct pending_insert *copies_leave(struct pending_insert *insert)
{
	struct pending_insert *next = insert->copy_after;
	bool was_first = !insert->is_copy;
	next->copy_before = insert->copy_before;
	insert->copy_before->copy_after = next;
	copies_init(insert);
	if (!was_first || next == insert)
		return NULL;
	next->is_copy = false;
	next->number = insert->number;
	next->identity = insert->identity;
	next->in_batch = insert->in_batch;
	next->is_duplicate = insert->is_duplicate;
	next->differs = insert->differs;
	next->is_sent = insert->is_sent;
	next->alone = insert->alone;
	return next;
}

/* ---- the batch ---- */

static int compare_identity(const char *id, const char *source, const struct pending_insert *insert)
{
	int order = strcmp(id, insert->txn->transaction_id);
	return order ? order : strcmp(source, insert->source);
}

static int compare_members(const void *left, const void *right)
{
	const struct pending_insert *a = *(const struct pending_insert *const *)left;
	const struct pending_insert *b = *(const struct pending_insert *const *)right;
	int order = compare_identity(a->txn->transaction_id, a->source, b);
	if (order)
		return order;
	return a->number < b->number ? -1 : a->number > b->number;
}

void batch_add(struct batch *b, struct pending_insert *insert)
{
	assert(b->count < BATCH_MAX);
	insert->in_batch = true;
	insert->differs = insert->is_sent = false;
	if (insert->body->batch != b->number + 1)
		b->bodies += insert->body->len;
	insert->body->batch = b->number + 1;
	b->list[b->count++] = insert;
}

void batch_sort(struct batch *b)
{
	qsort(b->list, (size_t)b->count, sizeof(struct pending_insert *), compare_members);
	for (int i = 0; i < b->count; i++) {
		const struct txn *txn = b->list[i]->txn;
		b->list[i]->is_duplicate =
			i > 0 && compare_identity(txn->transaction_id, b->list[i]->source, b->list[i - 1]) == 0;
	}
}

static int compare_number(const void *left, const void *right)
{
	const struct pending_insert *a = *(const struct pending_insert *const *)left;
	const struct pending_insert *b = *(const struct pending_insert *const *)right;
	return a->number < b->number ? -1 : a->number > b->number;
}

void batch_sort_by_age(struct batch *b)
{
	qsort(b->list, (size_t)b->count, sizeof(struct pending_insert *), compare_number);
}

/* A duplicate counts as greater than the identity sought, so the search ends at the member before it. */
int batch_find(const struct batch *b, const char *transaction_id, const char *source)
{
	int low = 0;
	int high = b->count - 1;
	while (low <= high) {
		int middle = low + (high - low) / 2;
		int order = compare_identity(transaction_id, source, b->list[middle]);
		if (order == 0 && b->list[middle]->is_duplicate)
			order = -1;
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle - 1;
		else
			low = middle + 1;
	}
	return -1;
}

void batch_remove(struct batch *b, int index)
{
	struct pending_insert *insert = b->list[index];
	if (!insert->is_duplicate && index + 1 < b->count && b->list[index + 1]->is_duplicate)
		b->list[index + 1]->is_duplicate = false;
	insert->in_batch = false;
	b->count--;
	memmove(&b->list[index], &b->list[index + 1], (size_t)(b->count - index) * sizeof(struct pending_insert *));
}

void batch_withdraw(struct batch *b, struct pending_insert *insert)
{
	struct pending_insert *next = copies_leave(insert);
	int i = 0;
	while (b->list[i] != insert)
		i++;
	if (next)
		b->list[i] = next;
	else
		batch_remove(b, i);
}
