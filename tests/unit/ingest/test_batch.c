/* test_batch.c - the order of the webhooks in one statement, and the copies that follow them. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ingest/batch.h"

#define MOST 8

struct fixture {
	struct batch batch;
	struct insert_body body;
	struct pending_insert inserts[MOST];
	struct txn txns[MOST];
	int count;
};

static struct fixture b;

static void fixture_init(void)
{
	memset(&b, 0, sizeof b);
	b.body.len = 100;
}

TestSuite(batch, .init = fixture_init);

static struct pending_insert *make(const char *id, const char *source)
{
	int n = b.count++;
	struct txn *t = &b.txns[n];
	snprintf(t->transaction_id, sizeof t->transaction_id, "%s", id);
	b.inserts[n] = (struct pending_insert){.txn = t, .source = source, .body = &b.body, .number = (uint64_t)n};
	copies_init(&b.inserts[n]);
	return &b.inserts[n];
}

static struct pending_insert *add(const char *id, const char *source)
{
	struct pending_insert *insert = make(id, source);
	batch_add(&b.batch, insert);
	return insert;
}

Test(batch, puts_identities_in_order_so_that_two_processes_lock_alike)
{
	add("c", "s");
	add("a", "t");
	add("b", "s");
	add("a", "s");
	batch_sort(&b.batch);
	cr_assert_eq(b.batch.count, 4);
	const int order[] = {3, 1, 2, 0};
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(b.batch.list[i], &b.inserts[order[i]], "member %d", i);
		cr_expect_not(b.batch.list[i]->is_duplicate);
		cr_expect(b.batch.list[i]->in_batch);
	}
	cr_expect_eq(b.batch.bodies, 100, "they share the body of one request");
	struct insert_body another = {.len = 11};
	make("d", "s")->body = &another;
	batch_add(&b.batch, &b.inserts[4]);
	cr_expect_eq(b.batch.bodies, 111);
	b.batch.number++;
	b.batch.bodies = 0;
	batch_add(&b.batch, &b.inserts[4]);
	cr_expect_eq(b.batch.bodies, 11, "the next batch counts it again");
}

Test(batch, takes_what_follows_an_identity_as_its_duplicates)
{
	struct pending_insert *first = add("a", "s");
	struct pending_insert *second = add("a", "s");
	batch_sort(&b.batch);
	cr_expect_eq(b.batch.list[0], first);
	cr_expect_not(first->is_duplicate);
	cr_expect(second->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "s"), 0);
}

Test(batch, keeps_one_id_of_two_sources_apart)
{
	add("a", "s");
	add("a", "t");
	batch_sort(&b.batch);
	cr_expect_not(b.batch.list[1]->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "t"), 1);
	cr_expect_eq(batch_find(&b.batch, "a", "u"), -1);
	cr_expect_eq(batch_find(&b.batch, "b", "s"), -1);
}

Test(batch, a_duplicate_takes_the_place_of_an_insert_that_is_removed)
{
	add("a", "s");
	struct pending_insert *duplicate = add("a", "s");
	add("b", "s");
	batch_sort(&b.batch);
	batch_withdraw(&b.batch, &b.inserts[0]);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_eq(b.batch.list[0], duplicate);
	cr_expect_not(duplicate->is_duplicate);
	cr_expect_eq(batch_find(&b.batch, "a", "s"), 0);
	cr_expect_eq(batch_find(&b.batch, "b", "s"), 1);
}

/* Its bytes are the same, so whatever is known of the first holds for it. */
Test(batch, a_copy_takes_the_place_and_the_state_of_its_first)
{
	struct pending_insert *first = add("a", "s");
	struct pending_insert *duplicate = add("a", "s");
	struct pending_insert *copy = make("a", "s");
	copies_add(first, copy);
	batch_sort(&b.batch);
	first->is_sent = first->differs = true;
	batch_withdraw(&b.batch, first);
	cr_assert_eq(b.batch.count, 2);
	cr_expect_eq(b.batch.list[0], copy);
	cr_expect(copy->in_batch && copy->is_sent && copy->differs && !copy->is_copy && !copy->is_duplicate);
	cr_expect(duplicate->is_duplicate);
}

Test(batch, copies_come_after_their_first_in_the_order_they_came_in)
{
	struct pending_insert *first = make("a", "s");
	for (int i = 1; i < 4; i++)
		copies_add(first, make("a", "s"));
	cr_expect_eq(copies_count(first), 4);
	cr_expect_null(copies_leave(&b.inserts[2]), "a copy leaves nothing to be put in its place");
	cr_expect_eq(copies_count(first), 3);
	cr_expect_eq(copies_leave(first), &b.inserts[1]);
	cr_expect_eq(copies_leave(&b.inserts[1]), &b.inserts[3]);
	cr_expect_eq(copies_count(&b.inserts[3]), 1);
	cr_expect_null(copies_leave(&b.inserts[3]));
}

Test(batch, is_put_back_in_the_order_it_came_in)
{
	add("z", "s");
	add("a", "s");
	add("a", "s");
	batch_sort(&b.batch);
	batch_sort_by_age(&b.batch);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(b.batch.list[i], &b.inserts[i], "member %d", i);
}
