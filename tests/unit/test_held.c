#include <criterion/criterion.h>

#include "queue/held.h"

/* test_held.c - the jobs in hand, by id. */

static struct held held;

static void init(void)
{
	cr_assert(held_init(&held, 10));
}

static void fini(void)
{
	held_finish(&held);
}

TestSuite(held, .init = init, .fini = fini);

Test(held, finds_what_was_added_and_nothing_else)
{
	struct job a = {.id = 7}, b = {.id = 7 + 64}, c = {.id = 8};
	held_add(&held, &a);
	held_add(&held, &b);
	cr_expect_eq(held_find(&held, 7), &a);
	cr_expect_eq(held_find(&held, 7 + 64), &b);
	cr_expect_null(held_find(&held, 8));
	held_add(&held, &c);
	cr_expect_eq(held_find(&held, 8), &c);
	cr_expect_eq(held.count, 3);
}

Test(held, removes_one_and_keeps_its_neighbours_in_the_bucket)
{
	struct job a = {.id = 1}, b = {.id = 65}, c = {.id = 129};
	held_add(&held, &a);
	held_add(&held, &b);
	held_add(&held, &c);
	held_remove(&held, &b);
	cr_expect_eq(held_find(&held, 1), &a);
	cr_expect_null(held_find(&held, 65));
	cr_expect_eq(held_find(&held, 129), &c);
	cr_expect_eq(held.count, 2);
}

static void remove_it(void *ctx, struct job *j)
{
	held_remove(ctx, j);
}

Test(held, lets_the_visited_be_removed)
{
	struct job jobs[200];
	for (int i = 0; i < 200; i++) {
		jobs[i] = (struct job){.id = i * 3};
		held_add(&held, &jobs[i]);
	}
	held_each(&held, remove_it, &held);
	cr_expect_eq(held.count, 0);
}

Test(held, holds_more_than_was_expected)
{
	static struct job jobs[1000];
	for (int i = 0; i < 1000; i++) {
		jobs[i] = (struct job){.id = i};
		held_add(&held, &jobs[i]);
	}
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(held_find(&held, i), &jobs[i]);
}

Test(held, finishes_what_never_began)
{
	struct held nothing = {0};
	held_each(&nothing, remove_it, &nothing);
	held_finish(&nothing);
}
