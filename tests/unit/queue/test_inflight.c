/* test_inflight.c - the worker's table of claimed jobs by id. */

#include <criterion/criterion.h>

#include "queue/inflight.h"

static struct inflight inflight;

static void init(void)
{
	cr_assert(inflight_init(&inflight, 10));
}

static void fini(void)
{
	inflight_finish(&inflight);
}

TestSuite(inflight, .init = init, .fini = fini);

Test(inflight, finds_what_was_added_and_nothing_else)
{
	struct job a = {.id = 7}, b = {.id = 7 + 64}, c = {.id = 8};
	inflight_add(&inflight, &a);
	inflight_add(&inflight, &b);
	cr_expect_eq(inflight_find(&inflight, 7), &a);
	cr_expect_eq(inflight_find(&inflight, 7 + 64), &b);
	cr_expect_null(inflight_find(&inflight, 8));
	inflight_add(&inflight, &c);
	cr_expect_eq(inflight_find(&inflight, 8), &c);
	cr_expect_eq(inflight.count, 3);
}

Test(inflight, removes_one_and_keeps_its_neighbours_in_the_bucket)
{
	struct job a = {.id = 1}, b = {.id = 65}, c = {.id = 129};
	inflight_add(&inflight, &a);
	inflight_add(&inflight, &b);
	inflight_add(&inflight, &c);
	inflight_remove(&inflight, &b);
	cr_expect_eq(inflight_find(&inflight, 1), &a);
	cr_expect_null(inflight_find(&inflight, 65));
	cr_expect_eq(inflight_find(&inflight, 129), &c);
	cr_expect_eq(inflight.count, 2);
}

static void remove_it(void *ctx, struct job *j)
{
	inflight_remove(ctx, j);
}

Test(inflight, lets_the_visited_be_removed)
{
	struct job jobs[200];
	for (int i = 0; i < 200; i++) {
		jobs[i] = (struct job){.id = i * 3};
		inflight_add(&inflight, &jobs[i]);
	}
	inflight_each(&inflight, remove_it, &inflight);
	cr_expect_eq(inflight.count, 0);
}

Test(inflight, holds_more_than_was_expected)
{
	static struct job jobs[1000];
	for (int i = 0; i < 1000; i++) {
		jobs[i] = (struct job){.id = i};
		inflight_add(&inflight, &jobs[i]);
	}
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(inflight_find(&inflight, i), &jobs[i]);
}

Test(inflight, finishes_what_never_began)
{
	struct inflight nothing = {0};
	inflight_each(&nothing, remove_it, &nothing);
	inflight_finish(&nothing);
}
