/* test_pending.c - which of the webhooks that wait form a batch, and how many of one source and of one id may wait. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/pending.h"

#define MOST 5000

/* One webhook. */
struct one {
	struct pending_insert insert;
	struct insert_body body;
	struct txn txn;
	char bytes[32];
};

static struct pending *pending;
static struct batch batch;
static struct one *all;
static int count;
static struct fault fault;

static void fixture_init(void)
{
	pending = pending_create();
	all = calloc(MOST, sizeof *all);
	cr_assert(pending != NULL && all != NULL);
}

static void fixture_finish(void)
{
	pending_destroy(pending);
	free(all);
}

TestSuite(pending, .init = fixture_init, .fini = fixture_finish);

static struct pending_insert *make(const char *id, const char *source, const char *amount, const char *bytes)
{
	struct one *one = &all[count++];
	snprintf(one->txn.transaction_id, sizeof one->txn.transaction_id, "%s", id);
	snprintf(one->txn.amount.digits, sizeof one->txn.amount.digits, "%s", amount);
	snprintf(one->bytes, sizeof one->bytes, "%s", bytes);
	one->body = (struct insert_body){.bytes = one->bytes, .len = strlen(one->bytes)};
	one->insert = (struct pending_insert){.txn = &one->txn, .source = source, .body = &one->body};
	return &one->insert;
}

static struct pending_insert *add_bytes(const char *id, const char *source, const char *amount, const char *bytes)
{
	struct pending_insert *insert = make(id, source, amount, bytes);
	cr_assert(pending_add(pending, insert, &fault), "%s", fault.text);
	return insert;
}

static struct pending_insert *add(const char *id, const char *source, const char *amount)
{
	return add_bytes(id, source, amount, amount);
}

static void add_many(int number, const char *source)
{
	char id[16];
	for (int i = 0; i < number; i++) {
		snprintf(id, sizeof id, "many%d", i);
		add(id, source, "1");
	}
}

static void refuses(const char *id, const char *source, const char *amount, enum fault_kind kind)
{
	cr_assert_not(pending_add(pending, make(id, source, amount, amount), &fault), "%s of %s", id, source);
	cr_expect_eq(fault.kind, kind, "%s", fault.text);
}

/* Takes the next batch, with this number of members. */
static void take(int members)
{
	batch.count = 0;
	pending_take_batch(pending, &batch);
	cr_assert_eq(batch.count, members, "%d members", batch.count);
}

static bool is_taken(const struct pending_insert *insert)
{
	for (int i = 0; i < batch.count; i++) {
		if (batch.list[i] == insert)
			return true;
	}
	return false;
}

Test(pending, the_same_bytes_again_are_a_copy_and_follow_their_first)
{
	struct pending_insert *first = add("a", "s", "1");
	struct pending_insert *copy = add("a", "s", "1");
	struct pending_insert *other = add("a", "t", "1");
	cr_expect(copy->is_copy);
	cr_expect_not(other->is_copy);
	take(2);
	cr_expect(is_taken(first) && is_taken(other));
	cr_expect_eq(copies_count(first), 2);
	take(0);
}

Test(pending, the_same_transaction_in_other_bytes_is_a_duplicate_in_the_same_batch)
{
	struct pending_insert *first = add("a", "s", "1500");
	struct pending_insert *second = add("a", "s", "1500.00");
	take(2);
	cr_expect(!first->is_duplicate && second->is_duplicate);
	cr_expect_not(second->is_copy);
}

/* Of one request, with the same bytes: the body does not make them the same transaction. */
Test(pending, two_transactions_of_one_body_are_no_copies)
{
	struct pending_insert *first = add_bytes("a", "s", "1", "both");
	struct pending_insert *other = add_bytes("a", "s", "2", "both");
	cr_expect_not(other->is_copy);
	take(1);
	cr_expect(is_taken(first));
	take(1);
	cr_expect(is_taken(other));
}

Test(pending, another_content_of_an_identity_waits_behind_the_others)
{
	struct pending_insert *first = add("a", "s", "1");
	struct pending_insert *other = add("a", "s", "2");
	struct pending_insert *last = add("a", "s", "3");
	add_many(BATCH_MAX, "s");
	take(BATCH_MAX);
	cr_expect(is_taken(first) && !is_taken(other));
	take(2);
	cr_expect(is_taken(other) && !other->is_duplicate && !is_taken(last));
	take(1);
	cr_expect(is_taken(last));
}

Test(pending, contested_identities_take_a_bounded_part_of_a_batch)
{
	add_many(40, "s");
	take(40);
	for (int i = 0; i < 40; i++)
		pending_put_back(pending, batch.list[i], true);
	struct pending_insert *calm = add("a", "s", "1"), *honest = add("a", "t", "1");
	add("a", "t", "2");
	take(BATCH_CONFLICTS_MAX + 1);
	cr_expect(is_taken(calm), "beside the contested ones of its source");
	cr_expect(is_taken(honest), "in turn with the contested ones of another source");
	take(BATCH_CONFLICTS_MAX);
	take(40 + 2 - 2 * BATCH_CONFLICTS_MAX);
}

Test(pending, sources_take_turns)
{
	add_many(BATCH_MAX + 100, "flood");
	add_many(BATCH_MAX + 100, "second flood");
	struct pending_insert *honest = add("a", "honest", "1");
	take(BATCH_MAX);
	cr_expect(is_taken(honest));
	int of_flood = 0;
	for (int i = 0; i < BATCH_MAX; i++)
		of_flood += strcmp(batch.list[i]->source, "flood") == 0;
	cr_expect_eq(of_flood, BATCH_MAX / 2, "%d", of_flood);
}

Test(pending, a_batch_that_is_full_leaves_the_next_turn_to_the_next_source)
{
	add_many(BATCH_MAX, "a");
	add_many(BATCH_MAX, "b");
	add("t", "c", "1");
	take(BATCH_MAX);
	add("t", "d", "1");
	take(BATCH_MAX);
	take(2);
}

Test(pending, a_batch_ends_when_its_bodies_are_large)
{
	static char body[BATCH_BODIES_MAX / 4];
	for (int i = 0; i < 6; i++) {
		char id[8];
		snprintf(id, sizeof id, "%d", i);
		struct pending_insert *insert = make(id, "s", "1", "");
		*insert->body = (struct insert_body){.bytes = body, .len = sizeof body};
		cr_assert(pending_add(pending, insert, &fault));
	}
	take(4);
	take(2);
}

Test(pending, takes_a_webhook_alone_if_it_has_to_be_and_lets_others_pass)
{
	add("a", "s", "1");
	struct pending_insert *alone = add("b", "s", "1");
	add("c", "s", "1");
	add_many(3, "t");
	take(6);
	alone->alone = true;
	batch.count = 0;
	pending_put_back(pending, alone, true);
	add("d", "s", "1");
	add("e", "t", "1");
	struct pending_insert *again = add("b", "s", "1");
	cr_expect_not(again->is_copy, "of one that has to be alone");
	take(1);
	cr_expect(is_taken(alone));
	take(3);
}

Test(pending, what_is_put_back_is_behind_the_others_with_its_copies)
{
	struct pending_insert *first = add("a", "s", "1");
	struct pending_insert *copy = add("a", "s", "1");
	take(1);
	add_many(BATCH_MAX, "s");
	struct pending_insert *third = add("a", "s", "1");
	cr_expect_not(third->is_copy, "the first one is in a batch");
	pending_put_back(pending, first, false);
	take(BATCH_MAX);
	take(1);
	cr_expect(is_taken(third));
	cr_expect_eq(copies_count(third), 3);
	cr_expect(first->is_copy && copy->is_copy);
}

Test(pending, one_source_leaves_half_of_the_places_and_two_leave_a_third)
{
	add_many(PENDING_MAX / 2, "flood");
	refuses("more", "flood", "1", FAULT_BUSY);
	int taken = 0;
	char id[16];
	for (;; taken++) {
		snprintf(id, sizeof id, "more%d", taken);
		if (!pending_add(pending, make(id, "second flood", "1", "1"), &fault))
			break;
	}
	cr_expect_eq(taken, PENDING_MAX / 4, "%d", taken);
	add("a", "honest", "1");
	refuses("again", "flood", "1", FAULT_BUSY);
}

Test(pending, a_webhook_that_has_its_outcome_makes_room)
{
	add_many(PENDING_MAX / 2, "s");
	refuses("more", "s", "1", FAULT_BUSY);
	take(BATCH_MAX);
	refuses("more", "s", "1", FAULT_BUSY);
	/* One of the source and one of all. */
	pending_forget(pending, batch.list[0]);
	add("more", "s", "1");
	refuses("yet more", "s", "1", FAULT_BUSY);
}

Test(pending, sixteen_contents_of_an_identity_wait_and_their_copies)
{
	char amount[8];
	for (int i = 1; i <= PENDING_CONTENTS_MAX; i++) {
		snprintf(amount, sizeof amount, "%d", i);
		add("a", "s", amount);
	}
	refuses("a", "s", "17", FAULT_BUSY);
	add("a", "s", "16");
	add("a", "t", "17");
	add("b", "s", "17");
	take(3);
	add("a", "s", "17");
	refuses("a", "s", "18", FAULT_BUSY);
}

Test(pending, withdraws_from_every_place)
{
	struct pending_insert *first = add("a", "s", "1");
	struct pending_insert *copy = add("a", "s", "1");
	struct pending_insert *other = add("a", "s", "2");
	struct pending_insert *last = add("a", "s", "3");
	pending_withdraw(pending, first);
	cr_expect_not(copy->is_copy);
	pending_withdraw(pending, other);
	take(1);
	cr_expect(is_taken(copy));
	pending_withdraw(pending, last);
	take(0);
	struct pending_insert *again = add("a", "s", "1");
	struct pending_insert *its_copy = add("a", "s", "1");
	pending_withdraw(pending, its_copy);
	take(1);
	cr_expect(is_taken(again));
	cr_expect_eq(copies_count(again), 1);
}

Test(pending, gives_out_one_by_one_whatever_waits)
{
	struct pending_insert *a = add("a", "s", "1"), *b = add("a", "s", "2"), *c = add("a", "t", "1");
	add("a", "s", "1");
	struct pending_insert *taken[3];
	for (int i = 0; i < 3; i++)
		taken[i] = pending_take(pending);
	cr_expect_eq(taken[0], c);
	cr_expect_eq(taken[1], a);
	cr_expect_eq(taken[2], b);
	cr_expect_eq(copies_count(a), 2);
	cr_expect_null(pending_take(pending));
}

Test(pending, refuses_more_sources_than_there_are_queues)
{
	static char names[PENDING_SOURCES_MAX + 1][8];
	for (int i = 0; i < PENDING_SOURCES_MAX; i++) {
		snprintf(names[i], sizeof names[i], "s%d", i);
		add("a", names[i], "1");
	}
	refuses("a", "another", "1", FAULT_BUG);
	add("b", "s7", "1");
}

/* Identities come and go in every order, and the places of the pool are used again. */
Test(pending, loses_none_of_many)
{
	static const char *const SOURCES[] = {"a", "b", "c"};
	int given = 0, got = 0;
	unsigned state = 7;
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 200; i++) {
			char id[16], amount[8];
			state = state * 1103515245 + 12345;
			snprintf(id, sizeof id, "%u", state / 65536 % 150);
			snprintf(amount, sizeof amount, "%u", state / 7 % 3 + 1);
			add(id, SOURCES[state / 131072 % 3], amount);
			given++;
		}
		batch.count = 0;
		pending_take_batch(pending, &batch);
		for (int i = 0; i < batch.count; i++) {
			if (round % 3 == 0 && i % 5 == 0) {
				pending_put_back(pending, batch.list[i], i % 2 > 0);
				continue;
			}
			got += copies_count(batch.list[i]);
			for (struct pending_insert *p = batch.list[i]; p; p = copies_leave(p))
				pending_forget(pending, p);
		}
	}
	for (struct pending_insert *p; (p = pending_take(pending));)
		got += copies_count(p);
	cr_expect_eq(got, given);
}
