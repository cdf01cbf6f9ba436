/* test_batch.c - which pending inserts go into one statement, and their order in it. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ingest/batch.h"

#define MOST 8

struct fixture {
	struct pending_inserts pending;
	struct batch batch;
	struct pending_insert inserts[MOST];
	struct txn txns[MOST];
	int count;
};

static struct fixture b;

static void fixture_init(void)
{
	memset(&b, 0, sizeof b);
	TAILQ_INIT(&b.pending);
}

TestSuite(batch, .init = fixture_init);

static struct pending_insert *arrive(const char *id, const char *source, const char *digits)
{
	int n = b.count++;
	struct txn *t = &b.txns[n];
	snprintf(t->transaction_id, sizeof t->transaction_id, "%s", id);
	snprintf(t->amount.digits, sizeof t->amount.digits, "%s", digits);
	b.inserts[n] = (struct pending_insert){.txn = t, .source = source, .number = (uint64_t)n};
	TAILQ_INSERT_TAIL(&b.pending, &b.inserts[n], pending);
	return &b.inserts[n];
}

static int pending_count(void)
{
	int count = 0;
	struct pending_insert *p;
	TAILQ_FOREACH (p, &b.pending, pending)
		count++;
	return count;
}

Test(batch, puts_identities_in_order_so_that_two_processes_lock_alike)
{
	arrive("c", "s", "1");
	arrive("a", "t", "1");
	arrive("b", "s", "1");
	arrive("a", "s", "1");
	batch_take(&b.batch, &b.pending);
	cr_assert_eq(b.batch.count, 4);
	const int order[] = {3, 1, 2, 0};
	for (int i = 0; i < 4; i++)
		cr_expect_eq(b.batch.list[i], &b.inserts[order[i]], "member %d", i);
	cr_expect_eq(pending_count(), 0);
}

Test(batch, takes_the_same_content_as_a_duplicate_of_the_first)
{
	struct pending_insert *first = arrive("a", "s", "1500");
	struct pending_insert *second = arrive("a", "s", "1500.00");
	batch_take(&b.batch, &b.pending);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_eq(b.batch.list[0], first);
	cr_expect_not(first->is_duplicate);
	cr_expect(second->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "s"), 0);
}

Test(batch, makes_another_content_of_an_identity_wait)
{
	struct pending_insert *first = arrive("a", "s", "1");
	struct pending_insert *other = arrive("a", "s", "2");
	struct pending_insert *again = arrive("a", "s", "1");
	batch_take(&b.batch, &b.pending);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_eq(b.batch.list[0], first);
	cr_expect_eq(b.batch.list[1], again);
	cr_expect(again->is_duplicate);
	cr_expect_eq(TAILQ_FIRST(&b.pending), other);
	cr_expect_not(other->in_batch);
}

Test(batch, keeps_one_id_of_two_sources_apart)
{
	arrive("a", "s", "1");
	arrive("a", "t", "2");
	batch_take(&b.batch, &b.pending);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_not(b.batch.list[1]->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "t"), 1);
	cr_expect_eq(batch_find(&b.batch, "a", "u"), -1);
	cr_expect_eq(batch_find(&b.batch, "b", "s"), -1);
}

Test(batch, takes_a_refused_insert_alone)
{
	arrive("a", "s", "1");
	arrive("b", "s", "1")->alone = true;
	arrive("c", "s", "1");
	for (int i = 0; i < 3; i++) {
		b.batch.count = 0;
		batch_take(&b.batch, &b.pending);
		cr_assert_eq(b.batch.count, 1);
		cr_expect_eq(b.batch.list[0], &b.inserts[i]);
	}
}

Test(batch, a_duplicate_takes_the_place_of_an_insert_that_is_removed)
{
	arrive("a", "s", "1");
	struct pending_insert *duplicate = arrive("a", "s", "1");
	arrive("b", "s", "1");
	batch_take(&b.batch, &b.pending);
	batch_remove(&b.batch, 0);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_eq(b.batch.list[0], duplicate);
	cr_expect_not(duplicate->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "s"), 0);
	cr_expect_eq(batch_find(&b.batch, "b", "s"), 1);
}

Test(batch, gives_every_insert_back_in_the_order_it_came_in)
{
	arrive("z", "s", "1");
	arrive("a", "s", "1");
	arrive("a", "s", "1");
	batch_take(&b.batch, &b.pending);
	arrive("b", "s", "1");
	batch_return(&b.batch, &b.pending);
	cr_expect_eq(b.batch.count, 0);
	struct pending_insert *a = TAILQ_FIRST(&b.pending);
	for (int i = 0; i < 4; i++, a = TAILQ_NEXT(a, pending)) {
		cr_assert_eq(a, &b.inserts[i], "place %d", i);
		cr_expect_not(a->in_batch || a->is_duplicate);
	}
}
