/* batch.c - which of the pending inserts go into one commit.
 *
 * The members are sorted by identity, compared byte by byte in every process alike.  The order does two things:
 * duplicates become neighbours, and batches of several processes take their locks in the same order. */

#include "ingest/batch.h"

#include <stdlib.h>
#include <string.h>

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

static bool same_identity(const struct pending_insert *a, const struct pending_insert *b)
{
	return compare_identity(a->txn->transaction_id, a->source, b) == 0;
}

static void give_back(struct pending_insert *insert, struct pending_inserts *pending)
{
	insert->in_batch = false;
	insert->is_duplicate = false;
	insert->differs = false;
	insert->is_sent = false;
	TAILQ_INSERT_HEAD(pending, insert, pending);
}

/* Moves members into the batch in the order of arrival.  A member that must be alone ends the batch before it. */
static void collect(struct batch *b, struct pending_inserts *pending)
{
	struct pending_insert *insert;
	while ((insert = TAILQ_FIRST(pending)) && b->count < BATCH_MAX) {
		if (insert->alone && b->count > 0)
			break;
		TAILQ_REMOVE(pending, insert, pending);
		insert->in_batch = true;
		insert->is_duplicate = false;
		b->list[b->count++] = insert;
		if (insert->alone)
			break;
	}
}

void batch_take(struct batch *b, struct pending_inserts *pending)
{
	struct pending_insert *other[BATCH_MAX]; /* of an identity of the batch, with different content */
	int others = 0;
	int kept = 0;

	collect(b, pending);
	qsort(b->list, (size_t)b->count, sizeof(struct pending_insert *), compare_members);
	const struct pending_insert *leader = NULL;
	for (int i = 0; i < b->count; i++) {
		struct pending_insert *insert = b->list[i];
		bool again = leader && same_identity(leader, insert);
		if (again && !txn_same(leader->txn, insert->txn)) {
			other[others++] = insert;
			continue;
		}
		insert->is_duplicate = again;
		if (!again)
			leader = insert;
		b->list[kept++] = insert;
	}
	b->count = kept;
	/* From the last to the first, each to the head: they stay sorted, and go before those that never were in a
	 * batch. */
	while (others > 0)
		give_back(other[--others], pending);
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

static int compare_number(const void *left, const void *right)
{
	const struct pending_insert *a = *(const struct pending_insert *const *)left;
	const struct pending_insert *b = *(const struct pending_insert *const *)right;
	return a->number < b->number ? -1 : a->number > b->number;
}

void batch_return(struct batch *b, struct pending_inserts *pending)
{
	qsort(b->list, (size_t)b->count, sizeof(struct pending_insert *), compare_number);
	while (b->count > 0)
		give_back(b->list[--b->count], pending);
}
