#include <criterion/criterion.h>

#include "queue/results.h"

/* test_results.c - which results are settled together, and what a lost or refused settlement leaves. */

static struct results r;
static struct job jobs[RESULTS_BATCH_MAX + 10];

static void add(int count)
{
	results_init(&r);
	for (int i = 0; i < count; i++) {
		jobs[i] = (struct job){.id = i + 1, .settled = true, .alone = true};
		results_add(&r, &jobs[i]);
	}
}

Test(results, fills_a_batch_in_order_up_to_its_most)
{
	add(RESULTS_BATCH_MAX + 10);
	results_fill(&r);
	cr_expect_eq(r.batch_count, RESULTS_BATCH_MAX);
	cr_expect_eq(r.waiting_count, 10);
	cr_expect_eq(r.batch[0], &jobs[0]);
	cr_expect_eq(r.batch[RESULTS_BATCH_MAX - 1], &jobs[RESULTS_BATCH_MAX - 1]);
	cr_expect_not(jobs[0].settled, "nothing is settled yet");
}

Test(results, keeps_the_batch_that_is_under_way)
{
	add(3);
	results_fill(&r);
	struct job late = {.id = 99};
	results_add(&r, &late);
	results_fill(&r);
	cr_expect_eq(r.batch_count, 3, "the same batch is sent again");
	cr_expect_eq(r.waiting_count, 1);
}

Test(results, tells_the_settled_from_the_stale)
{
	add(2);
	results_fill(&r);
	jobs[0].settled = true;
	cr_expect_eq(results_end(&r, &jobs[0]), SETTLED_NOW);
	cr_expect_eq(results_end(&r, &jobs[1]), SETTLED_STALE);
}

Test(results, calls_nothing_stale_after_a_lost_answer)
{
	add(2);
	results_fill(&r);
	r.batch_doubt = true;
	jobs[0].settled = true;
	cr_expect_eq(results_end(&r, &jobs[0]), SETTLED_NOW);
	cr_expect_eq(results_end(&r, &jobs[1]), SETTLED_DOUBT);
	results_clear(&r);
	cr_expect_eq(results_end(&r, &jobs[1]), SETTLED_STALE, "the doubt is of one batch");
}

Test(results, sends_each_of_a_refused_batch_alone_and_the_others_after)
{
	add(3);
	results_fill(&r);
	struct job later[2] = {{.id = 50}, {.id = 51}};
	results_add(&r, &later[0]);
	results_add(&r, &later[1]);
	results_refuse(&r);
	for (int i = 0; i < 3; i++) {
		results_fill(&r);
		cr_expect_eq(r.batch_count, 1);
		cr_expect_eq(r.batch[0], &jobs[i]);
		results_clear(&r);
	}
	results_fill(&r);
	cr_expect_eq(r.batch_count, 2);
}

Test(results, puts_who_is_refused_alone_aside_until_it_is_tried_again)
{
	add(1);
	results_fill(&r);
	results_refuse(&r);
	struct job other = {.id = 50};
	results_add(&r, &other);
	results_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &other);
	results_clear(&r);
	results_retry(&r);
	results_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &jobs[0]);
}

Test(results, does_not_let_a_refused_one_into_a_batch_of_others)
{
	add(1);
	results_fill(&r);
	results_refuse(&r);
	struct job other = {.id = 50};
	results_add(&r, &other);
	results_retry(&r);
	results_fill(&r);
	cr_expect_eq(r.batch_count, 1);
	cr_expect_eq(r.batch[0], &other);
}
