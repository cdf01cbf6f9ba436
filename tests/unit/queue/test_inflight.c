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

#define JOB(number)                                                             \
	{                                                                       \
		.id = (number), .transaction_id = "t", .source = "transactions" \
	}

static struct job *find(int64_t id)
{
	const struct job row = JOB(id);
	return inflight_find(&inflight, &row);
}

TestSuite(inflight, .init = init, .fini = fini);

Test(inflight, finds_what_was_added_and_nothing_else)
{
	struct job a = JOB(7), b = JOB(7 + 64), c = JOB(8);
	inflight_add(&inflight, &a);
	inflight_add(&inflight, &b);
	cr_expect_eq(find(7), &a);
	cr_expect_eq(find(7 + 64), &b);
	cr_expect_null(find(8));
	inflight_add(&inflight, &c);
	cr_expect_eq(find(8), &c);
	cr_expect_eq(inflight.count, 3);
}

Test(inflight, adds_up_the_bytes_of_bodies)
{
	struct job a = JOB(7), b = JOB(8);
	a.body_len = 100;
	b.body_len = 20;
	inflight_add(&inflight, &a);
	inflight_add(&inflight, &b);
	cr_expect_eq(inflight.body_bytes, 120);
	inflight_remove(&inflight, &a);
	cr_expect_eq(inflight.body_bytes, 20);
}

Test(inflight, keeps_jobs_with_one_id_apart_by_their_identity)
{
	struct job old = JOB(7), new = JOB(7), row = JOB(7);
	new.transaction_id = "u";
	inflight_add(&inflight, &old);
	row.transaction_id = "u";
	cr_expect_null(inflight_find(&inflight, &row));
	inflight_add(&inflight, &new);
	cr_expect_eq(inflight_find(&inflight, &row), &new);
	cr_expect_eq(find(7), &old);
	row.source = "acme";
	cr_expect_null(inflight_find(&inflight, &row));
	inflight_remove(&inflight, &old);
	row = new;
	cr_expect_eq(inflight_find(&inflight, &row), &new);
	cr_expect_null(find(7));
}

Test(inflight, removes_one_and_keeps_its_neighbours_in_the_bucket)
{
	struct job a = JOB(1), b = JOB(65), c = JOB(129);
	inflight_add(&inflight, &a);
	inflight_add(&inflight, &b);
	inflight_add(&inflight, &c);
	inflight_remove(&inflight, &b);
	cr_expect_eq(find(1), &a);
	cr_expect_null(find(65));
	cr_expect_eq(find(129), &c);
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
		jobs[i] = (struct job)JOB(i * 3);
		inflight_add(&inflight, &jobs[i]);
	}
	inflight_each(&inflight, remove_it, &inflight);
	cr_expect_eq(inflight.count, 0);
}

Test(inflight, holds_more_than_was_expected)
{
	static struct job jobs[1000];
	for (int i = 0; i < 1000; i++) {
		jobs[i] = (struct job)JOB(i);
		inflight_add(&inflight, &jobs[i]);
	}
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(find(i), &jobs[i]);
}

Test(inflight, finishes_what_never_began)
{
	struct inflight nothing = {0};
	inflight_each(&nothing, remove_it, &nothing);
	inflight_finish(&nothing);
}
